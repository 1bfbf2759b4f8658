"""What an interface answers where something refuses: in words, with the next step."""

from __future__ import annotations

import errno
import os
import tempfile
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, UploadFile

from poolwright.service.api.errors import add_error_handlers

LARGER_THAN_MEMORY = 2 * 1024 * 1024


def _app() -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)

    @app.post("/lists")
    async def lists(file: Annotated[UploadFile, "a list"]) -> int:
        return len(await file.read())

    return app


async def _upload(size_bytes: int) -> httpx.Response:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post("/lists", files={"file": ("list.csv", b"x" * size_bytes)})


def _refuse_temporary_files(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), "/tmp/upload")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (errno.ENOSPC, "Free some"),
        (errno.EROFS, "lacks the permission"),
        (errno.EMFILE, "Try again"),
        (errno.EIO, "Try again"),
    ],
)
async def test_a_list_that_finds_no_place_is_told_why(code: int, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_temporary_files(code, monkeypatch)

    answer = await _upload(LARGER_THAN_MEMORY)

    assert answer.status_code == 503
    assert os.strerror(code) in answer.json()["detail"]
    assert step in answer.json()["detail"]


async def test_what_cannot_pass_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_temporary_files(errno.EINVAL, monkeypatch)

    assert (await _upload(LARGER_THAN_MEMORY)).status_code == 500


async def test_a_list_that_finds_its_place_is_taken() -> None:
    assert (await _upload(LARGER_THAN_MEMORY)).json() == LARGER_THAN_MEMORY
