"""The ASGI application: routes, dashboard files, error responses and middleware put together.

They hold nothing secret: the page asks for the token, and everything it shows it asks the interface for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from poolwright.intake.orders import ReadOptions
from poolwright.service.api import operation_routes, order_routes
from poolwright.service.api.errors import add_error_handlers
from poolwright.service.api.middleware import (
    AuthMiddleware,
    PathPrefixMiddleware,
    RequestLimitMiddleware,
    RequestLimits,
    SecurityHeadersMiddleware,
)
from poolwright.service.api.operation_routes import make_schedule_router
from poolwright.service.api.token_auth import TokenAuth
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.schedules.scheduler import Scheduler
from poolwright.version import __version__

INDEX_NAME = "index.html"
#: Files of other kinds are not served.
PAGE_CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
#: The page runs its own script and asks its own daemon, whatever gets into it. Thumbnails and evidence are ``blob:``.
PAGE_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
#: A page of an older program must not meet a newer one.
_PAGE_HEADERS = {"Content-Security-Policy": PAGE_SECURITY_POLICY, "Cache-Control": "no-cache"}


def find_pages(folder: Traversable | None = None) -> Mapping[str, Response]:
    """The answer for each path; none where there is no page. Blocking.

    Args:
        folder: Where the files are; those of this program where it is not given.
    """
    place = folder or files("poolwright.service").joinpath("dashboard")
    if not place.is_dir():
        return {}
    found = {file.name: file for file in place.iterdir() if _suffix(file.name) in PAGE_CONTENT_TYPES}
    return {
        "/" if name == INDEX_NAME else f"/{name}": Response(
            file.read_bytes(), media_type=PAGE_CONTENT_TYPES[_suffix(name)], headers=_PAGE_HEADERS
        )
        for name, file in sorted(found.items())
    }


def serve_pages(app: FastAPI, pages: Mapping[str, Response]) -> None:
    """Have an application answer with these pages."""

    async def answer(request: Request) -> Response:
        return pages[request.scope["path"]]

    for path in pages:
        app.add_route(path, answer, methods=["GET"], include_in_schema=False)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""


API_PREFIX = "/api/v1"
DOCUMENT_PATH = "/openapi.json"
#: Paths that need no token, in addition to the dashboard's files.
PUBLIC_PATHS = ("/healthz", "/readyz", DOCUMENT_PATH)
#: Tells the document that a token is needed; ``Guarded`` is who asks for it.
bearer_token = HTTPBearer(auto_error=False, description="The token that `poolwright serve` prints at startup.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
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
    timetable: Scheduler | None = None


def make_app(door: ApiDeps) -> ASGIApp:
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
    behind = APIRouter(prefix=API_PREFIX, dependencies=[Depends(bearer_token)])
    for room in (order_routes, order_routes, operation_routes, operation_routes):
        behind.include_router(room.router)
    if door.timetable is not None:
        behind.include_router(make_schedule_router(door.timetable))
    app.include_router(behind)
    app.include_router(operation_routes.metrics_router, dependencies=[Depends(bearer_token)])
    app.include_router(operation_routes.health_router)
    pages = find_pages()
    serve_pages(app, pages)
    add_error_handlers(app)
    keeper = TokenAuth(door.token, door.monotonic)
    uploads = (f"{API_PREFIX}/lists/upload",)
    guarded = AuthMiddleware(app, keeper, frozenset({*PUBLIC_PATHS, *pages}))
    limited = RequestLimitMiddleware(guarded, replace(door.limits, upload_paths=uploads))
    tops = frozenset(
        {
            *PUBLIC_PATHS,
            *pages,
            *(route.path for route in operation_routes.metrics_router.routes if isinstance(route, APIRoute)),
        }
    )
    return SecurityHeadersMiddleware(
        PathPrefixMiddleware(limited, door.prefix, lambda path: path in tops or path.startswith(f"{API_PREFIX}/"))
    )
