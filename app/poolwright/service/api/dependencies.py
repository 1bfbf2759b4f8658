"""FastAPI dependencies of the routes: the daemon, and the rules for reading order numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from poolwright.intake.orders import ReadOptions
from poolwright.service.daemon.daemon import Daemon


def _daemon(request: Request) -> Daemon:
    return request.app.state.daemon


def _reading(request: Request) -> ReadOptions:
    return request.app.state.reading


DaemonDep = Annotated[Daemon, Depends(_daemon)]
ReadingDep = Annotated[ReadOptions, Depends(_reading)]
