"""The pool as a whole: how it stands, and how it is steered."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from poolwright.domain.ids import TaskId
from poolwright.service.api.asked import AskedDaemon
from poolwright.service.api.glance import StatusOut
from poolwright.version import __version__

router = APIRouter(tags=["pool"])


@router.get("/status")
async def status(daemon: AskedDaemon) -> StatusOut:
    """Return the status of daemon, pool and workers."""
    return StatusOut.of(await daemon.standing(), __version__)


@router.get(
    "/workers/{slot}/tabs/{task_id:path}/thumbnail",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/jpeg": {}}}},
)
async def thumbnail(slot: int, task_id: str, daemon: AskedDaemon) -> Response:
    """Return a screenshot of an order's tab."""
    picture = await daemon.picture(slot, TaskId(task_id))
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.post("/pool/pause", status_code=HTTPStatus.NO_CONTENT)
async def pause(daemon: AskedDaemon) -> None:
    """Pause the pool: orders in progress are finished, no new order starts."""
    daemon.pause()


@router.post("/pool/resume", status_code=HTTPStatus.NO_CONTENT)
async def resume(daemon: AskedDaemon) -> None:
    """Resume the pool after a pause or a login."""
    daemon.resume()


@router.post("/pool/drain", status_code=HTTPStatus.NO_CONTENT)
async def drain(daemon: AskedDaemon) -> None:
    """Accept no new orders and finish those in progress; queued orders continue at the next start."""
    daemon.drain()


@router.post("/workers/{slot}/restart", status_code=HTTPStatus.ACCEPTED)
async def restart(slot: int, daemon: AskedDaemon) -> None:
    """Restart a worker after its current orders."""
    daemon.restart_worker(slot)
