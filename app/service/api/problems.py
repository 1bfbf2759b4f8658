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

from app.domain.failures import NotNowError, PoolError
from app.intake.errors import InputRefusedError
from app.service.daemon.errors import DrainingError, NothingThereError, NotPossibleNowError

_STATUS: Mapping[type[PoolError], HTTPStatus] = MappingProxyType(
    {
        NothingThereError: HTTPStatus.NOT_FOUND,
        NotPossibleNowError: HTTPStatus.CONFLICT,
        DrainingError: HTTPStatus.SERVICE_UNAVAILABLE,
        InputRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
        NotNowError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """One answer that is an error."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(told, status, headers=dict(headers or {}), media_type="application/problem+json")


def tell_problems(app: FastAPI) -> None:
    """Have every error of an application told so. The last of them is the HTTP border: a defect becomes an answer."""

    async def refused(_request: Request, error: Exception) -> Response:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), HTTPStatus.CONFLICT)
        return problem(status, str(error))

    async def misshapen(_request: Request, error: Exception) -> Response:
        found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:5])
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{told}. /docs shows what is taken.")

    async def other(_request: Request, error: Exception) -> Response:
        status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "A defect; the log has the details."
        headers: Mapping[str, str] | None = None
        if isinstance(error, HTTPException):
            status, detail, headers = HTTPStatus(error.status_code), str(error.detail), error.headers
        return problem(status, detail, headers)

    async def defect(request: Request, error: Exception) -> Response:
        logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A defect; the log has the details.")

    app.add_exception_handler(PoolError, refused)
    app.add_exception_handler(RequestValidationError, misshapen)
    app.add_exception_handler(HTTPException, other)
    app.add_exception_handler(Exception, defect)
