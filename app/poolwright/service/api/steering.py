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
    """Everything at one glance."""
    return StatusOut.of(await daemon.standing(), __version__)


@router.get(
    "/workers/{slot}/tabs/{task_id:path}/thumbnail",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/jpeg": {}}}},
)
async def thumbnail(slot: int, task_id: str, daemon: AskedDaemon) -> Response:
    """What the tab of an order shows now."""
    picture = await daemon.picture(slot, TaskId(task_id))
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.post("/pool/pause", status_code=HTTPStatus.NO_CONTENT)
async def pause(daemon: AskedDaemon) -> None:
    """Let no further order start; those in flight are finished."""
    daemon.pause()


@router.post("/pool/resume", status_code=HTTPStatus.NO_CONTENT)
async def resume(daemon: AskedDaemon) -> None:
    """Let orders start again: after a pause, and after somebody has logged in."""
    daemon.resume()


@router.post("/pool/drain", status_code=HTTPStatus.NO_CONTENT)
async def drain(daemon: AskedDaemon) -> None:
    """Take nothing new and finish what is in hand; the program can be stopped then, and goes on at its next start."""
    daemon.drain()


@router.post("/workers/{slot}/restart", status_code=HTTPStatus.ACCEPTED)
async def restart(slot: int, daemon: AskedDaemon) -> None:
    """Give a worker a fresh browser when it has finished what it has."""
    daemon.restart_worker(slot)
