"""Errors of the interface as problem details (RFC 9457): what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from poolwright.domain.errors import PoolError, TemporarilyUnavailableError
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.intake.errors import InputRefusedError
from poolwright.service.daemon.errors import DrainingError, NothingThereError, NotPossibleNowError

_STATUS: Mapping[type[PoolError], HTTPStatus] = MappingProxyType(
    {
        NothingThereError: HTTPStatus.NOT_FOUND,
        NotPossibleNowError: HTTPStatus.CONFLICT,
        DrainingError: HTTPStatus.SERVICE_UNAVAILABLE,
        InputRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
        TemporarilyUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
#: What the system may refuse on the way to an answer, a list that is larger than a megabyte among them: it lies in the
#: folder for temporary files while it comes.
_STUCK: Mapping[StorageTrouble, str] = MappingProxyType(
    {
        StorageTrouble.FULL: "The daemon has no space for this ({told}). Free some on that disk, or where TMPDIR is.",
        StorageTrouble.AWAY: "The daemon's storage is not available ({told}). Try again when it is.",
        StorageTrouble.FORBIDDEN: "The daemon lacks the permission for this ({told}). Grant it to the daemon's user.",
    }
)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Build an error response."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(told, status, headers=dict(headers or {}), media_type="application/problem+json")


def tell_problems(app: FastAPI) -> None:
    """Register handlers that turn every error of an application into a problem response."""
    app.add_exception_handler(PoolError, _refused)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(HTTPException, _other)
    app.add_exception_handler(OSError, _stuck)
    app.add_exception_handler(Exception, _defect)


async def _refused(_request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), HTTPStatus.CONFLICT)
    return problem(status, str(error))


async def _misshapen(_request: Request, error: Exception) -> Response:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:5])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{told}. See /openapi.json for valid requests.")


async def _other(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, OSError):  # the framework calls it a body that cannot be read
        return await _stuck(request, error.__cause__)
    if isinstance(error, HTTPException):
        return problem(HTTPStatus(error.status_code), str(error.detail), error.headers)
    return await _defect(request, error)


async def _stuck(request: Request, error: Exception) -> Response:
    trouble = trouble_of(error) if isinstance(error, OSError) else StorageTrouble.OTHER
    if not trouble.may_pass:
        return await _defect(request, error)
    logger.warning("{} {} was refused by the system: {}", request.method, request.url.path, error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, _STUCK[trouble].format(told=error))


async def _defect(request: Request, error: Exception) -> Response:
    logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; see the log.")
