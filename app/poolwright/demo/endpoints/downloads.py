"""The files. Two addresses for the same thing, and every way of naming it, or of failing to deliver it."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poolwright.demo.catalogue.order import Answer, Attachment, Defect
from poolwright.demo.endpoints.front import nowhere
from poolwright.demo.faults import Scope
from poolwright.demo.login_wall import for_users
from poolwright.demo.order_page import ticket
from poolwright.demo.responses import BrokenResponse, PortionedResponse, disposition
from poolwright.demo.site import Site, site_of
from poolwright.demo.strike import answered


@for_users
async def download(request: Request) -> Response:
    """One file, for users who may see its order."""
    site = site_of(request)
    file = site.catalogue.attachment(request.path_params["attachment_id"])
    if file is None or not _may_have(request, site, file):
        return nowhere()
    if request.method == "GET":
        site.counters.download(file.attachment_id)
    return await answered(request, Scope.DOWNLOAD, file.order_number, lambda _: _delivered(site, file))


def _may_have(request: Request, site: Site, file: Attachment) -> bool:
    order = site.catalogue.order(file.order_number)
    if order is None or order.answer is not Answer.SHOWN:
        return False
    if not file.needs_ticket:
        return True
    given = request.query_params.get("ticket", "")
    return secrets.compare_digest(given.encode(), ticket(site.catalogue.seed, file.attachment_id).encode())


def _delivered(site: Site, file: Attachment) -> Response:
    if file.defect is Defect.MISSING:
        return nowhere()
    content = site.shelf.content(file)
    headers = [(b"content-type", file.kind.media_type.encode()), (b"cache-control", b"private, no-store")]
    told = disposition(file.naming, file.name)
    if told is not None:
        headers.append((b"content-disposition", told))
    whole = PortionedResponse(content, headers=headers, is_chunked=file.is_chunked)
    return BrokenResponse(whole, len(content) // 2) if file.defect is Defect.TRUNCATED else whole


ROUTES = (
    Route("/attachment/{attachment_id:int}/download", download),
    Route("/documents/{attachment_id:int}", download),
)
