"""The ASGI application: routes, dashboard files, error responses and middleware.

The dashboard files need no token, since they contain no secret: the page asks for the token and loads its data from
the routes.
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
#: The page runs only its own script and contacts only its own daemon. Thumbnails and evidence are ``blob:``.
PAGE_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
#: Not cached, so that a page of an older version never talks to a newer daemon.
_PAGE_HEADERS = {"Content-Security-Policy": PAGE_SECURITY_POLICY, "Cache-Control": "no-cache"}


def find_pages(folder: Traversable | None = None) -> Mapping[str, Response]:
    """Return the response for each path of the dashboard; empty if its folder does not exist. Blocking.

    Args:
        folder: The folder with the files; by default that of the package.
    """
    folder = folder or files("poolwright.service").joinpath("dashboard")
    if not folder.is_dir():
        return {}
    pages = {file.name: file for file in folder.iterdir() if _suffix(file.name) in PAGE_CONTENT_TYPES}
    return {
        "/" if name == INDEX_NAME else f"/{name}": Response(
            file.read_bytes(), media_type=PAGE_CONTENT_TYPES[_suffix(name)], headers=_PAGE_HEADERS
        )
        for name, file in sorted(pages.items())
    }


def serve_pages(app: FastAPI, pages: Mapping[str, Response]) -> None:
    """Add a GET route for each page."""

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
#: Only documents in OpenAPI that a token is needed; ``AuthMiddleware`` checks it.
bearer_token = HTTPBearer(auto_error=False, description="The token that `poolwright serve` prints at startup.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
    """Dependencies of the application."""

    daemon: Daemon
    #: Portal and rules for reading order numbers.
    reading: ReadOptions
    token: str
    monotonic: Callable[[], float]
    limits: RequestLimits
    #: Path prefix of a proxy in front, below which the application answers, too; empty for none.
    prefix: str = ""
    #: ``None`` if there are no schedules.
    scheduler: Scheduler | None = None


def _paths(router: APIRouter) -> tuple[str, ...]:
    return tuple(route.path for route in router.routes if isinstance(route, APIRoute))


def make_app(deps: ApiDeps) -> ASGIApp:
    """Build the ASGI application."""
    app = FastAPI(
        title="Poolwright",
        version=__version__,
        description="Submit purchase orders, download their attachments, and see what is queued or failed and why.",
        openapi_url=DOCUMENT_PATH,
        docs_url=None,  # the framework's pages load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.daemon = deps.daemon
    app.state.reading = deps.reading
    api_router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(bearer_token)])
    for routes in (
        order_routes.list_router,
        order_routes.order_router,
        operation_routes.pool_router,
        operation_routes.event_router,
    ):
        api_router.include_router(routes)
    if deps.scheduler is not None:
        api_router.include_router(make_schedule_router(deps.scheduler))
    app.include_router(api_router)
    app.include_router(operation_routes.metrics_router, dependencies=[Depends(bearer_token)])
    app.include_router(operation_routes.health_router)
    pages = find_pages()
    serve_pages(app, pages)
    add_error_handlers(app)
    token_auth = TokenAuth(deps.token, deps.monotonic)
    uploads = (f"{API_PREFIX}/lists/upload",)
    authenticated = AuthMiddleware(app, token_auth, frozenset({*PUBLIC_PATHS, *pages}))
    limited = RequestLimitMiddleware(authenticated, replace(deps.limits, upload_paths=uploads))
    own_paths = frozenset({*PUBLIC_PATHS, *pages, *_paths(operation_routes.metrics_router)})
    return SecurityHeadersMiddleware(
        PathPrefixMiddleware(limited, deps.prefix, lambda path: path in own_paths or path.startswith(f"{API_PREFIX}/"))
    )
