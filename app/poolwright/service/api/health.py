"""Whether the program lives, and whether it works: for those who watch over it, without a token."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from poolwright.service.api.asked import AskedDaemon
from poolwright.service.api.glance import Health, Readiness
from poolwright.service.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])
#: What needs the token.
behind = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """Return 200 while the process is running."""
    return Health()


@behind.get("/metrics", response_class=Response, responses={HTTPStatus.OK: {"content": {"text/plain": {}}}})
async def metrics(daemon: AskedDaemon) -> Response:
    """Return Prometheus metrics; requires the token."""
    return Response(await daemon.metrics(), media_type=CONTENT_TYPE)


@router.get("/readyz", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}})
async def readyz(daemon: AskedDaemon, response: Response) -> Readiness:
    """Return 200 if orders are accepted and processed, else 503: draining, not logged in, or no pool."""
    unready = daemon.unready()
    if unready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(is_ready=not unready, reasons=list(unready))
