"""Error responses as problem details (RFC 9457): the cause, then the next step."""

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
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.intake.errors import InputRefusedError
from poolwright.service.daemon.errors import ConflictError, DrainingError, NotFoundError

_STATUS_OF_ERROR: Mapping[type[PoolError], HTTPStatus] = MappingProxyType(
    {
        NotFoundError: HTTPStatus.NOT_FOUND,
        ConflictError: HTTPStatus.CONFLICT,
        DrainingError: HTTPStatus.SERVICE_UNAVAILABLE,
        InputRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
        TemporarilyUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
#: For errors of the operating system while a request is handled. An uploaded list of more than 1 MB is buffered in the
#: folder for temporary files.
_STORAGE_MESSAGES: Mapping[StorageTrouble, str] = MappingProxyType(
    {
        StorageTrouble.FULL: "The daemon has no space for this ({error}). Free some on that disk, or where TMPDIR is.",
        StorageTrouble.AWAY: "The daemon's storage is not available ({error}). Try again when it is.",
        StorageTrouble.FORBIDDEN: "The daemon lacks the permission for this ({error}). Grant it to the daemon's user.",
    }
)


def problem_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Build an error response."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status, headers=dict(headers or {}), media_type="application/problem+json")


def add_error_handlers(app: FastAPI) -> None:
    """Register handlers that turn every error of an application into a problem response."""
    app.add_exception_handler(PoolError, _on_pool_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


async def _on_pool_error(_request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS_OF_ERROR.items() if isinstance(error, kind)), HTTPStatus.CONFLICT)
    return problem_response(status, str(error))


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    problems: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems[:5])
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"{detail}. See /openapi.json for valid requests.")


async def _on_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, OSError):  # the framework reports it as a body that cannot be read
        return await _on_os_error(request, error.__cause__)
    if isinstance(error, HTTPException):
        return problem_response(HTTPStatus(error.status_code), str(error.detail), error.headers)
    return await _on_unexpected_error(request, error)


async def _on_os_error(request: Request, error: Exception) -> Response:
    trouble = classify_os_error(error) if isinstance(error, OSError) else StorageTrouble.OTHER
    if not trouble.is_temporary:
        return await _on_unexpected_error(request, error)
    logger.warning("{} {} was refused by the system: {}", request.method, request.url.path, error)
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, _STORAGE_MESSAGES[trouble].format(error=error))


async def _on_unexpected_error(request: Request, error: Exception) -> Response:
    logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; see the log.")
