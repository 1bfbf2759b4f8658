"""Orders: looked up, their failures with evidence, called off and done again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.states import TaskStatus
from poolwright.journal.queries import PAGE_MAX, OrderQuery
from poolwright.service.api.asked import AskedDaemon
from poolwright.service.api.models import Count, FailureOut, OrderOut, OrdersOut, Which, ids_of, list_of

router = APIRouter(tags=["orders"])

_STATES = {status.name: status for status in TaskStatus}
#: A page source could run as a page of ours; it is shown as text.
_AS_TEXT = "text/plain; charset=utf-8"


@router.get("/orders")
async def orders(  # noqa: PLR0913, PLR0917 - each is a query parameter
    daemon: AskedDaemon,
    state: Annotated[str | None, Query(pattern=f"^({'|'.join(_STATES)})$")] = None,
    outcome: Outcome | None = None,
    reason: Reason | None = None,
    list_id: Annotated[str | None, Query(max_length=300)] = None,
    text: Annotated[str, Query(max_length=200, description="A part of the number.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    after: Annotated[str | None, Query(max_length=300, description="`next` of the page before.")] = None,
) -> OrdersOut:
    """Orders by state, outcome, reason, list and text, page by page."""
    query = OrderQuery(
        status=None if state is None else _STATES[state],
        outcome=outcome,
        reason=reason,
        list_id=None if list_id is None else BatchId(list_id),
        text=text,
        after=None if after is None else TaskId(after),
        limit=limit,
    )
    return OrdersOut.of(await daemon.orders(query), limit)


@router.post("/orders/cancel")
async def cancel(which: Which, daemon: AskedDaemon) -> Count:
    """Cancel queued orders; orders in progress are finished."""
    return Count(count=await daemon.cancel(_query(which), ids_of(which)))


@router.post("/orders/retry")
async def retry(which: Which, daemon: AskedDaemon) -> Count:
    """Run finished orders again: by id, or all of a list, an outcome or a reason."""
    return Count(count=await daemon.retry(_query(which), ids_of(which)))


@router.get("/failures")
async def failures(daemon: AskedDaemon) -> list[FailureOut]:
    """Return failures grouped by reason, the most frequent first."""
    return [FailureOut.of(found) for found in await daemon.failures()]


@router.get("/orders/{task_id:path}/evidence/{name}", response_class=FileResponse)
async def evidence(task_id: str, name: str, daemon: AskedDaemon) -> FileResponse:
    """A picture of the page on which an order failed, or the page's source as text."""
    path = await daemon.evidence(TaskId(task_id), name)
    is_picture = path.suffix == ".png"
    kind, place = ("image/png", "inline") if is_picture else (_AS_TEXT, "attachment")
    return FileResponse(path, media_type=kind, filename=path.name, content_disposition_type=place)


@router.get("/orders/{task_id:path}", responses={HTTPStatus.NOT_FOUND: {}})
async def order(task_id: str, daemon: AskedDaemon) -> OrderOut:
    """Return one order and, once it is finished, its outcome."""
    return OrderOut.of(await daemon.order(TaskId(task_id)))


def _query(which: Which) -> OrderQuery:
    return OrderQuery(list_id=list_of(which), outcome=which.outcome, reason=which.reason)
