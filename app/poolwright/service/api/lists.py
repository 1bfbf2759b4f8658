"""Lists: sent as numbers or as a file, looked at, and reported."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from poolwright.domain.ids import BatchId
from poolwright.domain.tasks import OrderList
from poolwright.files.disk import remove_tree
from poolwright.intake.orders import orders_from_content, orders_from_numbers
from poolwright.service.api.asked import AskedDaemon, AskedReading
from poolwright.service.api.models import ListOut, ListTaken, NumbersIn
from poolwright.service.batch import Redo
from poolwright.service.daemon.daemon import LISTS_MAX, Daemon

router = APIRouter(prefix="/lists", tags=["lists"])

_NAME_MAX = 120


class Shape(StrEnum):
    """In which shape a report comes."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


@router.post("", status_code=HTTPStatus.CREATED)
async def send_numbers(sent: NumbersIn, daemon: AskedDaemon, reading: AskedReading) -> ListTaken:
    """Submit orders by number. Finished orders run again only if ``redo`` says so."""
    orders = await anyio.to_thread.run_sync(orders_from_numbers, sent.numbers, reading, sent.name)
    return await _submit(daemon, orders, sent.redo)


@router.post("/upload", status_code=HTTPStatus.CREATED)
async def send_file(
    daemon: AskedDaemon,
    reading: AskedReading,
    file: Annotated[UploadFile, File(description="A CSV or Excel file with a column of order numbers.")],
    column: Annotated[str | None, Form(description="Its name, or '#3' for the third.")] = None,
    sheet: Annotated[str | None, Form()] = None,
    redo: Annotated[Redo, Form()] = Redo.RETRYABLE,
) -> ListTaken:
    """Submit a list as a file. The report keeps all its columns."""
    content = await file.read()
    asked = replace(reading, column=column or None, sheet_name=sheet or None)
    orders = await anyio.to_thread.run_sync(orders_from_content, content, _plain_name(file.filename), asked)
    return await _submit(daemon, orders, redo)


@router.get("")
async def lists(
    daemon: AskedDaemon,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=LISTS_MAX)] = LISTS_MAX,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> list[ListOut]:
    """A page of the lists, the latest first. Where there are more, the header ``Link`` says where: ``rel="next"``."""
    views = await daemon.lists(limit + 1, offset)
    if len(views) > limit:
        response.headers["Link"] = f'<?limit={limit}&offset={offset + limit}>; rel="next"'
    return [ListOut.of(view, daemon.checks.get(view.list_id)) for view in views[:limit]]


@router.get("/{list_id}")
async def one_list(list_id: str, daemon: AskedDaemon) -> ListOut:
    """Return one list and its progress."""
    view = await daemon.list_view(BatchId(list_id))
    return ListOut.of(view, daemon.checks.get(view.list_id))


@router.get("/{list_id}/report", response_class=FileResponse)
async def report(
    list_id: str, daemon: AskedDaemon, shape: Annotated[Shape, Query(alias="format")] = Shape.XLSX
) -> FileResponse:
    """Return the current report of a list: the submitted columns, then the outcome of each order."""
    files = await daemon.report(BatchId(list_id))
    path = {Shape.XLSX: files.xlsx, Shape.CSV: files.csv, Shape.JSON: files.json}[shape]
    return FileResponse(path, filename=path.name, background=BackgroundTask(remove_tree, path.parent))


async def _submit(daemon: Daemon, orders: OrderList, redo: Redo) -> ListTaken:
    accepted = await daemon.submit(orders, redo)
    return ListTaken.of(orders, accepted, is_checking=daemon.checks.get(orders.batch_id) is not None)


def _plain_name(name: str | None) -> str:
    """What the sender calls the file, for sentences and reports: never a path."""
    plain = Path((name or "").replace("\\", "/")).name
    printable = "".join(letter for letter in plain if letter.isprintable())
    return printable[-_NAME_MAX:] or "upload"
