"""Routes for lists and orders: submit, query, report, cancel, retry, and the evidence of failures."""

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

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import OrderList
from poolwright.files.disk import remove_tree
from poolwright.intake.orders import orders_from_content, orders_from_numbers
from poolwright.journal.queries import PAGE_MAX, OrderQuery
from poolwright.service.api.dependencies import DaemonDep, ReadingDep
from poolwright.service.api.models import (
    AffectedCount,
    FailureOut,
    GroupSelection,
    ListAccepted,
    ListOut,
    NumbersIn,
    OrderOut,
    OrderSelection,
    OrdersOut,
    selected_ids,
    selected_list,
)
from poolwright.service.batch import ListOptions, RedoPolicy
from poolwright.service.daemon.daemon import LISTS_MAX, Daemon

list_router = APIRouter(prefix="/lists", tags=["lists"])

_FILE_NAME_MAX = 120


class ReportFormat(StrEnum):
    """File format of a report."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


@list_router.post("", status_code=HTTPStatus.CREATED)
async def send_numbers(sent: NumbersIn, daemon: DaemonDep, reading: ReadingDep) -> ListAccepted:
    """Submit orders by number. ``redo`` selects the finished orders that run again."""
    orders = await anyio.to_thread.run_sync(orders_from_numbers, sent.numbers, reading, sent.name)
    return await _submit_list(daemon, orders, ListOptions(redo=sent.redo, is_refresh=sent.refresh))


@list_router.post("/upload", status_code=HTTPStatus.CREATED)
async def send_file(  # noqa: PLR0913, PLR0917 - each is a field of the form
    daemon: DaemonDep,
    reading: ReadingDep,
    file: Annotated[UploadFile, File(description="A CSV or Excel file with a column of order numbers.")],
    column: Annotated[str | None, Form(description="Name of the number column, or '#3' for the third.")] = None,
    sheet: Annotated[str | None, Form()] = None,
    redo: Annotated[RedoPolicy, Form()] = RedoPolicy.RETRYABLE,
    refresh: Annotated[bool, Form(description="Look at finished orders again.")] = False,  # noqa: FBT002 - a field
    group_by: Annotated[str | None, Form(description="Column of the groups, instead of the daemon's.")] = None,
) -> ListAccepted:
    """Submit a list as a file. The report keeps all its columns."""
    content = await file.read()
    options = replace(reading, column=column or None, sheet_name=sheet or None)
    orders = await anyio.to_thread.run_sync(orders_from_content, content, _safe_file_name(file.filename), options)
    wishes = ListOptions(redo=redo, is_refresh=refresh, group_by=group_by or None)
    return await _submit_list(daemon, orders, wishes)


@list_router.get("")
async def lists(
    daemon: DaemonDep,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=LISTS_MAX)] = LISTS_MAX,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> list[ListOut]:
    """Return a page of the lists, the latest first. The header ``Link`` with ``rel="next"`` names the next page."""
    views = await daemon.lists(limit + 1, offset)
    if len(views) > limit:
        response.headers["Link"] = f'<?limit={limit}&offset={offset + limit}>; rel="next"'
    return [ListOut.from_view(view, daemon.file_checks.get(view.list_id)) for view in views[:limit]]


@list_router.get("/{list_id}")
async def one_list(list_id: str, daemon: DaemonDep) -> ListOut:
    """Return one list and its progress."""
    view = await daemon.list_view(BatchId(list_id))
    return ListOut.from_view(view, daemon.file_checks.get(view.list_id))


@list_router.get("/{list_id}/report", response_class=FileResponse)
async def report(
    list_id: str, daemon: DaemonDep, shape: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.XLSX
) -> FileResponse:
    """Return the current report of a list: the submitted columns, then the outcome of each order."""
    files = await daemon.report(BatchId(list_id))
    path = {ReportFormat.XLSX: files.xlsx, ReportFormat.CSV: files.csv, ReportFormat.JSON: files.json}[shape]
    return FileResponse(path, filename=path.name, background=BackgroundTask(remove_tree, path.parent))


async def _submit_list(daemon: Daemon, orders: OrderList, options: ListOptions) -> ListAccepted:
    accepted = await daemon.submit(orders, options)
    return ListAccepted.from_accepted(orders, accepted, is_checking=daemon.file_checks.get(orders.batch_id) is not None)


def _safe_file_name(name: str | None) -> str:
    """Return the sender's name of the file for messages and reports, without folders and control characters."""
    plain = Path((name or "").replace("\\", "/")).name
    printable = "".join(character for character in plain if character.isprintable())
    return printable[-_FILE_NAME_MAX:] or "upload"


order_router = APIRouter(tags=["orders"])

_STATES = {status.name: status for status in TaskStatus}
#: Served as text: a page source as HTML would run its scripts with our origin.
_TEXT_TYPE = "text/plain; charset=utf-8"


@order_router.get("/orders")
async def orders(  # noqa: PLR0913, PLR0917 - each is a query parameter
    daemon: DaemonDep,
    state: Annotated[str | None, Query(pattern=f"^({'|'.join(_STATES)})$")] = None,
    outcome: Outcome | None = None,
    reason: Reason | None = None,
    list_id: Annotated[str | None, Query(max_length=300)] = None,
    text: Annotated[str, Query(max_length=200, description="Part of the order number.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    after: Annotated[str | None, Query(max_length=300, description="`next` of the previous page.")] = None,
) -> OrdersOut:
    """Return one page of orders, filtered by state, outcome, reason, list and text."""
    query = OrderQuery(
        status=None if state is None else _STATES[state],
        outcome=outcome,
        reason=reason,
        list_id=None if list_id is None else BatchId(list_id),
        text=text,
        after=None if after is None else TaskId(after),
        limit=limit,
    )
    return OrdersOut.from_records(await daemon.orders(query), limit)


@order_router.post("/orders/cancel")
async def cancel(selection: OrderSelection, daemon: DaemonDep) -> AffectedCount:
    """Cancel queued orders; orders in progress are finished."""
    return AffectedCount(count=await daemon.cancel(_order_query(selection), selected_ids(selection)))


@order_router.post("/orders/retry")
async def retry(selection: OrderSelection, daemon: DaemonDep) -> AffectedCount:
    """Run finished orders again: by id, or all of a list, an outcome or a reason."""
    return AffectedCount(count=await daemon.retry(_order_query(selection), selected_ids(selection)))


@order_router.post("/groups/resume", status_code=HTTPStatus.ACCEPTED)
async def resume_group(selection: GroupSelection, daemon: DaemonDep) -> AffectedCount:
    """Process the orders of a group again that is set aside, and return how many; its name is in the status."""
    return AffectedCount(count=await daemon.resume_group(selection.group))


@order_router.get("/failures")
async def failures(daemon: DaemonDep) -> list[FailureOut]:
    """Return failures grouped by reason, the most frequent first."""
    return [FailureOut.from_failures(failures) for failures in await daemon.failures()]


@order_router.get("/orders/{task_id:path}/evidence/{name}", response_class=FileResponse)
async def evidence(task_id: str, name: str, daemon: DaemonDep) -> FileResponse:
    """Return the screenshot of the page on which an order failed, or the page's source as text."""
    path = await daemon.evidence(TaskId(task_id), name)
    is_picture = path.suffix == ".png"
    media_type, disposition = ("image/png", "inline") if is_picture else (_TEXT_TYPE, "attachment")
    return FileResponse(path, media_type=media_type, filename=path.name, content_disposition_type=disposition)


@order_router.get("/orders/{task_id:path}", responses={HTTPStatus.NOT_FOUND: {}})
async def order(task_id: str, daemon: DaemonDep) -> OrderOut:
    """Return one order and, once it is finished, its outcome."""
    return OrderOut.from_record(await daemon.order(TaskId(task_id)))


def _order_query(selection: OrderSelection) -> OrderQuery:
    return OrderQuery(list_id=selected_list(selection), outcome=selection.outcome, reason=selection.reason)
