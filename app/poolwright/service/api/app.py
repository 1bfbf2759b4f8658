"""Puts the interface together: routes behind a token, errors as problems, limits in front of all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp

from poolwright.intake.orders import ReadOptions
from poolwright.service.api import events, health, lists, orders, steering
from poolwright.service.api.gate import Guarded
from poolwright.service.api.headers import Hardened
from poolwright.service.api.limits import Limited, RequestLimits
from poolwright.service.api.mount import Mounted
from poolwright.service.api.page import find_pages, serve_pages
from poolwright.service.api.problems import tell_problems
from poolwright.service.api.schedules import schedule_routes
from poolwright.service.api.token import Gatekeeper
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.schedules.timetable import Timetable
from poolwright.version import __version__

PREFIX = "/api/v1"
DOCUMENT_PATH = "/openapi.json"
#: Paths that need no token, in addition to the dashboard's files.
OPEN_PATHS = ("/healthz", "/readyz", DOCUMENT_PATH)
#: Tells the document that a token is needed; ``Guarded`` is who asks for it.
let_in = HTTPBearer(auto_error=False, description="The token that `poolwright serve` prints at startup.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the application depends on."""

    daemon: Daemon
    #: How the portal's numbers are read.
    reading: ReadOptions
    token: str
    monotonic: Callable[[], float]
    limits: RequestLimits
    #: Path of a proxy in front below which the interface is found too; empty for none.
    prefix: str = ""
    #: ``None`` if there are no schedules.
    timetable: Timetable | None = None


def make_app(door: Door) -> ASGIApp:
    """Build the ASGI application."""
    app = FastAPI(
        title="Poolwright",
        version=__version__,
        description="Submit purchase orders, download their attachments, and see what is queued or failed and why.",
        openapi_url=DOCUMENT_PATH,
        docs_url=None,  # the framework's pages load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.daemon = door.daemon
    app.state.reading = door.reading
    behind = APIRouter(prefix=PREFIX, dependencies=[Depends(let_in)])
    for room in (lists, orders, steering, events):
        behind.include_router(room.router)
    if door.timetable is not None:
        behind.include_router(schedule_routes(door.timetable))
    app.include_router(behind)
    app.include_router(health.behind, dependencies=[Depends(let_in)])
    app.include_router(health.router)
    pages = find_pages()
    serve_pages(app, pages)
    tell_problems(app)
    keeper = Gatekeeper(door.token, door.monotonic)
    uploads = (f"{PREFIX}/lists/upload",)
    guarded = Guarded(app, keeper, frozenset({*OPEN_PATHS, *pages}))
    limited = Limited(guarded, replace(door.limits, upload_paths=uploads))
    tops = frozenset(
        {*OPEN_PATHS, *pages, *(route.path for route in health.behind.routes if isinstance(route, APIRoute))}
    )
    return Hardened(Mounted(limited, door.prefix, lambda path: path in tops or path.startswith(f"{PREFIX}/")))
