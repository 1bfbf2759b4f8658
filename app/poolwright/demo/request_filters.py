"""Filters in front of the demo portal's endpoints: the login check and the simulation of faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlencode

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from poolwright.demo.faults import (
    Drop,
    ErrorStatus,
    Fault,
    FaultScope,
    Hang,
    Latency,
    LoginRedirect,
    Maintenance,
    PageFault,
    SecondFactorRedirect,
    fault_from_query,
)
from poolwright.demo.responses import TruncatedResponse, error_response, maintenance_response, redirect
from poolwright.demo.site import get_site

Endpoint = Callable[[Request], Awaitable[Response]]

SESSION_COOKIE = "_demo_session"
VISIT_COOKIE = "demo_visit"
PENDING_LOGIN_COOKIE = "_demo_login"
USER_COOKIE = "demo_user"


def login_required(endpoint: Endpoint) -> Endpoint:
    """Redirect users who are not logged in to the login page."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        return await endpoint(request) if is_logged_in(request) else redirect_to_login(request)

    return guarded


def order_page_login_required(endpoint: Endpoint) -> Endpoint:
    """Do the same for order pages, which count for the expiry of sessions after a number of pages."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        is_admitted = get_site(request).sessions.may_open_page(*_cookies(request))
        return await endpoint(request) if is_admitted else redirect_to_login(request)

    return guarded


def script_login_required(endpoint: Endpoint) -> Endpoint:
    """Do the same for requests of scripts, which get status 401 instead of a redirect."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if is_logged_in(request):
            return await endpoint(request)
        get_site(request).counters.count_logged_out()
        return JSONResponse({"error": "You need to sign in."}, 401)

    return guarded


def is_logged_in(request: Request) -> bool:
    """Return whether the cookies of the request belong to an active session."""
    return get_site(request).sessions.is_live(*_cookies(request))


def redirect_to_login(request: Request) -> Response:
    """Redirect to the login page, with the requested address as ``return_to``."""
    get_site(request).counters.count_logged_out()
    return_to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return redirect(f"/sessions/new?{urlencode({'return_to': return_to})}")


def _cookies(request: Request) -> tuple[str, str]:
    return request.cookies.get(SESSION_COOKIE, ""), request.cookies.get(VISIT_COOKIE, "")


FAULT_PARAMETER = "__fault"
"""Query parameter that requests a fault for this request."""


async def answer_with_faults(
    request: Request, scope: FaultScope, order: str | None, respond: Callable[[PageFault | None], Response]
) -> Response:
    """Return the response to a request of this scope and order, after applying all its faults."""
    try:
        faults = _due_faults(request, scope, order)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    page_fault: PageFault | None = None
    after_bytes: int | None = None
    for fault in faults:
        match fault:
            case Latency():
                with anyio.move_on_after(fault.delay_ms / 1000):
                    await get_site(request).faults.cleared.wait()
            case Drop():
                after_bytes = fault.after_bytes
            case ErrorStatus() | Hang() | Maintenance() | SecondFactorRedirect() | LoginRedirect():
                return await _fault_response(request, fault)
            case _:
                page_fault = fault
    response = respond(page_fault)
    return response if after_bytes is None else TruncatedResponse(response, after_bytes)


def _due_faults(request: Request, scope: FaultScope, order: str | None) -> list[Fault]:
    requested = request.query_params.getlist(FAULT_PARAMETER)
    return [*get_site(request).faults.consume(scope, order), *(fault_from_query(text, scope) for text in requested)]


async def _fault_response(
    request: Request, fault: ErrorStatus | Hang | Maintenance | SecondFactorRedirect | LoginRedirect
) -> Response:
    match fault:
        case ErrorStatus():
            return error_response(fault.status, fault.retry_after_s)
        case Maintenance():
            return maintenance_response()
        case SecondFactorRedirect():
            return redirect("/two_factor/new")
        case LoginRedirect():
            return redirect_to_login(request)
        case Hang():
            await _until_client_leaves(request)
            return Response()


async def _until_client_leaves(request: Request) -> None:
    """Return when the client closes the connection; cancelled when the portal stops."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
