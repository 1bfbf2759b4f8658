"""Puts the interface together: routes behind a token, errors as problems, limits in front of all of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from app import __version__
from app.intake.orders import Reading
from app.service.api import events, health, lists, orders, page, steering
from app.service.api.limits import Limited, RequestLimits
from app.service.api.problems import tell_problems
from app.service.api.token import Gatekeeper
from app.service.daemon.daemon import Daemon

PREFIX = "/api/v1"
_bearer = HTTPBearer(auto_error=False, description="The token that `poolwright serve` tells at its start.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What an interface is made with."""

    daemon: Daemon
    #: How the portal's numbers are read.
    reading: Reading
    token: str
    monotonic: Callable[[], float]
    limits: RequestLimits


def make_app(door: Door) -> ASGIApp:
    """The interface as an ASGI application."""
    app = FastAPI(
        title="Poolwright",
        version=__version__,
        description="Purchase orders in, their attachments out; what waits, what failed and why.",
    )
    app.state.daemon = door.daemon
    app.state.reading = door.reading
    keeper = Gatekeeper(door.token, door.monotonic)

    async def let_in(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if wait_s := keeper.wait_s:
            told = "Too many wrong tokens; try again later."
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, told, {"Retry-After": f"{math.ceil(wait_s)}"})
        if given is None or not keeper.is_right(given.credentials):
            told = "This needs the token of the daemon, as `Authorization: Bearer TOKEN`."
            raise HTTPException(HTTPStatus.UNAUTHORIZED, told, {"WWW-Authenticate": "Bearer"})

    behind = APIRouter(prefix=PREFIX, dependencies=[Depends(let_in)])
    for room in (lists, orders, steering, events):
        behind.include_router(room.router)
    app.include_router(behind)
    app.include_router(health.behind, dependencies=[Depends(let_in)])
    app.include_router(health.router)
    app.include_router(page.router)
    tell_problems(app)
    uploads = (f"{PREFIX}/lists/upload",)
    return Limited(app, replace(door.limits, upload_paths=uploads))
