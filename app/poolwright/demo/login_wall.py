"""The wall around the portal: whoever is not logged in ends at the login page, whatever was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poolwright.demo.responses import redirect
from poolwright.demo.site import site_of

Endpoint = Callable[[Request], Awaitable[Response]]

SESSION_COOKIE = "_demo_session"
VISIT_COOKIE = "demo_visit"
BEGUN_COOKIE = "_demo_login"
USER_COOKIE = "demo_user"


def for_users(endpoint: Endpoint) -> Endpoint:
    """Let only logged-in users in."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        return await endpoint(request) if is_logged_in(request) else to_login(request)

    return guarded


def for_order_pages(endpoint: Endpoint) -> Endpoint:
    """The same for order pages: each counts towards an expiry after so many of them."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        is_admitted = site_of(request).sessions.opens_page(*_cookies(request))
        return await endpoint(request) if is_admitted else to_login(request)

    return guarded


def for_scripts(endpoint: Endpoint) -> Endpoint:
    """The same for what scripts ask for: they get status 401, for a login page would be of no use to them."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if is_logged_in(request):
            return await endpoint(request)
        site_of(request).counters.logged_out()
        return JSONResponse({"error": "You need to sign in."}, 401)

    return guarded


def is_logged_in(request: Request) -> bool:
    """Whether the cookies of the request belong to a live session."""
    return site_of(request).sessions.is_live(*_cookies(request))


def to_login(request: Request) -> Response:
    """Send the browser to the login page, which remembers where it wanted to go."""
    site_of(request).counters.logged_out()
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return redirect(f"/sessions/new?{urlencode({'return_to': wanted})}")


def _cookies(request: Request) -> tuple[str, str]:
    return request.cookies.get(SESSION_COOKIE, ""), request.cookies.get(VISIT_COOKIE, "")
