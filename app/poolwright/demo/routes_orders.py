"""The routes of the demo portal for order pages, attachment lists and downloads."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poolwright.demo.catalogue.order import Attachment, Defect, Order, OrderAnswer
from poolwright.demo.faults import FaultScope, PageFault
from poolwright.demo.order_page import attachment_rows, ticket
from poolwright.demo.order_page import order_page as page_of
from poolwright.demo.pages import NOT_AUTHORIZED, OOPS, frame_page, refusal_page
from poolwright.demo.request_filters import (
    FAULT_PARAMETER,
    answer_with_faults,
    login_required,
    order_page_login_required,
    script_login_required,
)
from poolwright.demo.responses import PiecewiseResponse, TruncatedResponse, content_disposition, page_response
from poolwright.demo.routes_user import not_found
from poolwright.demo.site import DemoSite, get_site

LIST_FAULT_PARAMETER = "__list_fault"
"""Query parameter of an order page that requests a fault for its attachment list."""

_REFUSALS = {
    OrderAnswer.MISSING_404: (OOPS, 404),
    OrderAnswer.MISSING_200: (OOPS, 200),
    OrderAnswer.FORBIDDEN_403: (NOT_AUTHORIZED, 403),
    OrderAnswer.FORBIDDEN_200: (NOT_AUTHORIZED, 200),
}


@order_page_login_required
async def order_page(request: Request) -> Response:
    """Return the page of one order, or the page that refuses it; no redirect."""
    site = get_site(request)
    number: str = request.path_params["number"]
    site.counters.count_order_page(number)
    faults = [(FAULT_PARAMETER, text) for text in request.query_params.getlist(LIST_FAULT_PARAMETER)]
    list_query = f"?{urlencode(faults)}" if faults else ""
    return await answer_with_faults(request, FaultScope.ORDER_PAGE, number, _page_answer(site, number, list_query))


@script_login_required
async def attachment_list(request: Request) -> Response:
    """Return the attachments of one order as JSON for the page's script."""
    site = get_site(request)
    number: str = request.path_params["number"]
    site.counters.count_attachment_list(number)
    order = _visible_order(site, number)
    if order is None:
        return JSONResponse({"error": "No such order."}, 404)
    rows = attachment_rows(order, site.catalogue.seed)
    return await answer_with_faults(
        request, FaultScope.ATTACHMENT_LIST, number, lambda _: JSONResponse({"order": number, "attachments": rows})
    )


@login_required
async def attachment_frame(request: Request) -> Response:
    """Return the content of an iframe: one link."""
    site = get_site(request)
    file = site.catalogue.attachment(request.path_params["attachment_id"])
    if file is None or file.order_number != request.path_params["number"]:
        return not_found()
    return page_response(frame_page(file))


def _page_answer(site: DemoSite, number: str, list_query: str) -> Callable[[PageFault | None], Response]:
    order = site.catalogue.order(number)
    user = site.account.user
    answer = order.answer if order else OrderAnswer.MISSING_404
    if order is None or answer is not OrderAnswer.SHOWN:
        text, status = _REFUSALS[answer]
        return lambda _: page_response(refusal_page(user, text), status)
    return lambda fault: page_response(page_of(order, user=user, list_query=list_query, fault=fault))


def _visible_order(site: DemoSite, number: str) -> Order | None:
    order = site.catalogue.order(number)
    return order if order is not None and order.answer is OrderAnswer.SHOWN else None


ORDER_ROUTES = (
    Route("/order_headers/{number}", order_page),
    Route("/order_headers/{number}/attachments.json", attachment_list),
    Route("/order_headers/{number}/attachments/{attachment_id:int}/frame", attachment_frame),
)


@login_required
async def download(request: Request) -> Response:
    """Return one file, if the user may see its order."""
    site = get_site(request)
    file = site.catalogue.attachment(request.path_params["attachment_id"])
    if file is None or not _may_download(request, site, file):
        return not_found()
    if request.method == "GET":
        site.counters.count_download(file.attachment_id)
    return await answer_with_faults(
        request, FaultScope.DOWNLOAD, file.order_number, lambda _: _file_response(site, file)
    )


def _may_download(request: Request, site: DemoSite, file: Attachment) -> bool:
    order = site.catalogue.order(file.order_number)
    if order is None or order.answer is not OrderAnswer.SHOWN:
        return False
    if not file.needs_ticket:
        return True
    given = request.query_params.get("ticket", "")
    return secrets.compare_digest(given.encode(), ticket(site.catalogue.seed, file.attachment_id).encode())


def _file_response(site: DemoSite, file: Attachment) -> Response:
    if file.defect is Defect.MISSING:
        return not_found()
    content = site.file_store.content(file)
    headers = [(b"content-type", file.kind.media_type.encode()), (b"cache-control", b"private, no-store")]
    disposition = content_disposition(file.naming, file.name)
    if disposition is not None:
        headers.append((b"content-disposition", disposition))
    response = PiecewiseResponse(content, headers=headers, is_chunked=file.is_chunked)
    return TruncatedResponse(response, len(content) // 2) if file.defect is Defect.TRUNCATED else response


DOWNLOAD_ROUTES = (
    Route("/attachment/{attachment_id:int}/download", download),
    Route("/documents/{attachment_id:int}", download),
)
