"""Routes for operators: status, pause and drain, health and metrics, the event stream, and schedules."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, HTTPException, Path, Response, status
from fastapi.responses import StreamingResponse

from poolwright.domain.ids import TaskId
from poolwright.service.api.dependencies import DaemonDep
from poolwright.service.api.status_models import Health, Readiness, StatusOut
from poolwright.service.daemon.event_stream import EventStream, SequencedEvent, dump_event, event_kind
from poolwright.service.daemon.metrics import CONTENT_TYPE
from poolwright.service.schedules.cron import OverlapDecision
from poolwright.service.schedules.scheduler import RunAnswer, Scheduler, ScheduleView, UnknownScheduleError
from poolwright.version import __version__

pool_router = APIRouter(tags=["pool"])


@pool_router.get("/status", operation_id="status_api_v1_status_get")  # generated clients keep this name
async def get_status(daemon: DaemonDep) -> StatusOut:
    """Return the status of daemon, pool and workers."""
    return StatusOut.from_status(await daemon.status(), __version__)


@pool_router.get(
    "/workers/{slot}/tabs/{task_id:path}/thumbnail",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/jpeg": {}}}},
)
async def thumbnail(slot: int, task_id: str, daemon: DaemonDep) -> Response:
    """Return a screenshot of an order's tab."""
    image = await daemon.thumbnail(slot, TaskId(task_id))
    return Response(image, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pool_router.post("/pool/pause", status_code=HTTPStatus.NO_CONTENT)
async def pause(daemon: DaemonDep) -> None:
    """Pause the pool: orders in progress are finished, no new order starts."""
    daemon.pause()


@pool_router.post("/pool/resume", status_code=HTTPStatus.NO_CONTENT)
async def resume(daemon: DaemonDep) -> None:
    """Resume the pool after a pause or a login."""
    daemon.resume()


@pool_router.post("/pool/drain", status_code=HTTPStatus.NO_CONTENT)
async def drain(daemon: DaemonDep) -> None:
    """Accept no new orders and finish those in progress; queued orders continue at the next start."""
    daemon.drain()


@pool_router.post("/workers/{slot}/restart", status_code=HTTPStatus.ACCEPTED)
async def restart(slot: int, daemon: DaemonDep) -> None:
    """Restart a worker after its current orders."""
    daemon.restart_worker(slot)


health_router = APIRouter(tags=["health"])
#: Separate, since metrics need the token.
metrics_router = APIRouter(tags=["health"])


@health_router.get("/healthz")
async def healthz() -> Health:
    """Return 200 while the process is running."""
    return Health()


@metrics_router.get("/metrics", response_class=Response, responses={HTTPStatus.OK: {"content": {"text/plain": {}}}})
async def metrics(daemon: DaemonDep) -> Response:
    """Return Prometheus metrics; requires the token."""
    return Response(await daemon.metrics(), media_type=CONTENT_TYPE)


@health_router.get("/readyz", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}})
async def readyz(daemon: DaemonDep, response: Response) -> Readiness:
    """Return 200 if orders are accepted and processed, else 503: draining, not logged in, or no pool."""
    unready = daemon.not_ready_reasons()
    if unready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(is_ready=not unready, reasons=list(unready))


event_router = APIRouter(tags=["events"])

#: Interval of comment lines that keep the connection open; many proxies close an idle one after a minute.
HEARTBEAT_S = 15.0


@event_router.get("/events", response_class=StreamingResponse)
async def events(
    daemon: DaemonDep, last_event_id: Annotated[str | None, Header(max_length=40)] = None
) -> StreamingResponse:
    """Stream all events: transitions, started and finished orders, worker status, notices.

    With ``Last-Event-ID`` the stream starts after that event. Events that are no longer kept are reported first as
    ``event: missed`` with their ``count``, which is null if the daemon was restarted in between.
    """
    daemon_run = f"{daemon.started_at.timestamp():.0f}"
    headers = {"X-Accel-Buffering": "no"}
    after = _resume_after(last_event_id or "", daemon_run)
    missed = daemon.events.missed_count(after) if after is not None else None
    reports_missed = bool(missed) or (after is None and bool(last_event_id))
    stream = _event_messages(daemon.events, daemon_run, after, _missed_message(missed) if reports_missed else "")
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _resume_after(last_event_id: str, daemon_run: str) -> int | None:
    """Return the number of the last event that was read; ``None`` for a new reader or another run of the daemon."""
    seen_run, _, number = last_event_id.partition("-")
    return int(number) if seen_run == daemon_run and number.isascii() and number.isdigit() else None


def _missed_message(count: int | None) -> str:
    """Return the message about missed events. It has no id, so that a reader that reconnects gets it again."""
    return f"event: missed\ndata: {json.dumps({'count': count})}\n\n"


async def _event_messages(feed: EventStream, daemon_run: str, after: int | None, first: str) -> AsyncGenerator[str]:
    async with feed.subscribe(after) as received:
        yield f": Poolwright\n\n{first}"
        while True:
            line = ": still here\n\n"
            with anyio.move_on_after(HEARTBEAT_S):
                try:
                    line = _event_message(daemon_run, await received.receive())
                except anyio.EndOfStream:
                    return
            yield line


def _event_message(daemon_run: str, item: SequencedEvent) -> str:
    """Return an event as a message. Its id names the run, since numbers start again with each run of the daemon."""
    data = json.dumps(dump_event(item.event))
    return f"id: {daemon_run}-{item.number}\nevent: {event_kind(item.event)}\ndata: {data}\n\n"


ScheduleName = Annotated[str, Path(description="Name of a schedule of the settings.", max_length=40)]


def make_schedule_router(scheduler: Scheduler) -> APIRouter:
    """Return the routes of the schedules, without the API prefix and the token check."""
    router = APIRouter(prefix="/schedules", tags=["schedules"])

    @router.get("", summary="All schedules with their next run and their history")
    async def list_schedules() -> tuple[ScheduleView, ...]:
        return scheduler.overview()

    @router.post(
        "/{name}/run",
        status_code=status.HTTP_202_ACCEPTED,
        summary="Run a schedule now; its overlap rule applies",
        responses={404: {"description": "No such schedule"}, 409: {"description": "It is already running"}},
    )
    async def run_schedule(name: ScheduleName) -> RunAnswer:
        try:
            answer = await scheduler.run_now(name)
        except UnknownScheduleError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
        if answer.decision is OverlapDecision.SKIP:
            raise HTTPException(status.HTTP_409_CONFLICT, answer.detail)
        return answer

    return router
