"""Order pages, their attachment lists, and the frames that hold single links."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poolwright.demo.catalogue.order import Answer, Order
from poolwright.demo.endpoints.front import nowhere
from poolwright.demo.faults import PageFault, Scope
from poolwright.demo.login_wall import for_order_pages, for_scripts, for_users
from poolwright.demo.order_page import attachment_rows
from poolwright.demo.order_page import order_page as page_of
from poolwright.demo.pages import NOT_AUTHORIZED, OOPS, frame_page, refusal_page
from poolwright.demo.responses import page
from poolwright.demo.site import Site, site_of
from poolwright.demo.strike import QUERY, answered

LIST_QUERY = "__list_fault"
"""The query parameter of an order page that asks for a fault in its attachment list."""

_REFUSALS = {
    Answer.MISSING_404: (OOPS, 404),
    Answer.MISSING_200: (OOPS, 200),
    Answer.FORBIDDEN_403: (NOT_AUTHORIZED, 403),
    Answer.FORBIDDEN_200: (NOT_AUTHORIZED, 200),
}


@for_order_pages
async def order_page(request: Request) -> Response:
    """One order, or why it is not shown; the address stays what was asked for."""
    site = site_of(request)
    number: str = request.path_params["number"]
    site.counters.order_page(number)
    faults = [(QUERY, text) for text in request.query_params.getlist(LIST_QUERY)]
    list_query = f"?{urlencode(faults)}" if faults else ""
    return await answered(request, Scope.ORDER_PAGE, number, _page_answer(site, number, list_query))


@for_scripts
async def attachment_list(request: Request) -> Response:
    """The attachments of one order for the page's script."""
    site = site_of(request)
    number: str = request.path_params["number"]
    site.counters.attachment_list(number)
    order = _shown(site, number)
    if order is None:
        return JSONResponse({"error": "No such order."}, 404)
    rows = attachment_rows(order, site.catalogue.seed)
    return await answered(
        request, Scope.ATTACHMENT_LIST, number, lambda _: JSONResponse({"order": number, "attachments": rows})
    )


@for_users
async def attachment_frame(request: Request) -> Response:
    """The inside of an iframe: one link."""
    site = site_of(request)
    file = site.catalogue.attachment(request.path_params["attachment_id"])
    if file is None or file.order_number != request.path_params["number"]:
        return nowhere()
    return page(frame_page(file))


def _page_answer(site: Site, number: str, list_query: str) -> Callable[[PageFault | None], Response]:
    order = site.catalogue.order(number)
    user = site.account.user
    answer = order.answer if order else Answer.MISSING_404
    if order is None or answer is not Answer.SHOWN:
        text, status = _REFUSALS[answer]
        return lambda _: page(refusal_page(user, text), status)
    return lambda fault: page(page_of(order, user=user, list_query=list_query, fault=fault))


def _shown(site: Site, number: str) -> Order | None:
    order = site.catalogue.order(number)
    return order if order is not None and order.answer is Answer.SHOWN else None


ROUTES = (
    Route("/order_headers/{number}", order_page),
    Route("/order_headers/{number}/attachments.json", attachment_list),
    Route("/order_headers/{number}/attachments/{attachment_id:int}/frame", attachment_frame),
)
