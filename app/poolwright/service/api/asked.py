"""What routes are given of the application that they are part of."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from poolwright.intake.orders import ReadOptions
from poolwright.service.daemon.daemon import Daemon


def _daemon(request: Request) -> Daemon:
    return request.app.state.daemon


def _reading(request: Request) -> ReadOptions:
    return request.app.state.reading


AskedDaemon = Annotated[Daemon, Depends(_daemon)]
AskedReading = Annotated[ReadOptions, Depends(_reading)]
