"""Acts out the faults that are due for a request, then lets the endpoint answer, whole or broken off."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from poolwright.demo.faults import (
    Drop,
    ErrorStatus,
    Fault,
    Hang,
    Latency,
    LoggedOut,
    Maintenance,
    PageFault,
    Scope,
    SecondFactor,
    fault_from_query,
)
from poolwright.demo.login_wall import to_login
from poolwright.demo.responses import BrokenResponse, failure, maintenance, redirect
from poolwright.demo.site import site_of

QUERY = "__fault"
"""The query parameter that asks for a fault in this very request."""


async def answered(
    request: Request, scope: Scope, order: str | None, answer: Callable[[PageFault | None], Response]
) -> Response:
    """Answer a request of that scope, for that order, through every fault that is due for it."""
    try:
        due = _due(request, scope, order)
    except ValueError as problem:
        return PlainTextResponse(str(problem), 400)
    page_fault: PageFault | None = None
    after_bytes: int | None = None
    for fault in due:
        match fault:
            case Latency():
                with anyio.move_on_after(fault.delay_ms / 1000):
                    await site_of(request).faults.cleared.wait()
            case Drop():
                after_bytes = fault.after_bytes
            case ErrorStatus() | Hang() | Maintenance() | SecondFactor() | LoggedOut():
                return await _instead(request, fault)
            case _:
                page_fault = fault
    whole = answer(page_fault)
    return whole if after_bytes is None else BrokenResponse(whole, after_bytes)


def _due(request: Request, scope: Scope, order: str | None) -> list[Fault]:
    asked = request.query_params.getlist(QUERY)
    return [*site_of(request).faults.draw(scope, order), *(fault_from_query(text, scope) for text in asked)]


async def _instead(request: Request, fault: ErrorStatus | Hang | Maintenance | SecondFactor | LoggedOut) -> Response:
    match fault:
        case ErrorStatus():
            return failure(fault.status, fault.retry_after_s)
        case Maintenance():
            return maintenance()
        case SecondFactor():
            return redirect("/two_factor/new")
        case LoggedOut():
            return to_login(request)
        case Hang():
            await _until_client_leaves(request)
            return Response()


async def _until_client_leaves(request: Request) -> None:
    """Say nothing. Ends when the client closes the connection; a stopping portal cancels it."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
