"""The admin API of the demo portal: expected results, order lists, statistics, faults and sessions.

Without the token in the header, its routes return the "not found" page, like unknown addresses.
"""

from __future__ import annotations

import secrets
from functools import partial, wraps
from typing import Annotated

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from poolwright.demo.catalogue.catalogue import INVALID_NUMBER, ListedOrder, clean_list, messy_list
from poolwright.demo.catalogue.truth import OrderTruth, invalid_truth, order_truth
from poolwright.demo.faults import FaultRule
from poolwright.demo.request_filters import Endpoint
from poolwright.demo.routes_user import not_found
from poolwright.demo.site import DemoSite, get_site
from poolwright.demo.stats import Stats

PREFIX = "/__demo"
TOKEN_HEADER = "X-Demo-Admin"  # noqa: S105 - the name of a header

#: Build the models at first use, so that the portal starts faster.
_AT_FIRST_USE = ConfigDict(defer_build=True)
TRUTHS: TypeAdapter[dict[str, OrderTruth]] = TypeAdapter(dict[str, OrderTruth], config=_AT_FIRST_USE)
LISTED_ORDERS: TypeAdapter[list[ListedOrder]] = TypeAdapter(list[ListedOrder], config=_AT_FIRST_USE)
STATS: TypeAdapter[Stats] = TypeAdapter(Stats)
FAULTS: TypeAdapter[list[FaultRule]] = TypeAdapter(list[FaultRule], config=_AT_FIRST_USE)
#: Values of the session cookie, each with that of the visit cookie.
VISITORS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str], config=_AT_FIRST_USE)


class SessionExpiry(BaseModel):
    """When all sessions end: at once, or after this many order pages."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    after_pages: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] = 1


class LoginRequirements(BaseModel):
    """Requirements of a login."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    require_visit_cookie: bool


class OrdersQuery(BaseModel):
    """Selects an order list and its length."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    count: Annotated[int, Field(ge=0)] = 40
    variant: Annotated[str, Field(pattern="^(clean|messy)$")] = "clean"


def _for_admin(endpoint: Endpoint) -> Endpoint:
    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        given = request.headers.get(TOKEN_HEADER, "")
        if not secrets.compare_digest(given.encode(), get_site(request).admin_token.encode()):
            return not_found()
        try:
            return await endpoint(request)
        except ValidationError as error:
            return PlainTextResponse(str(error), 422)

    return guarded


@_for_admin
async def truth(request: Request) -> Response:
    """Return the expected results by order number: of the orders in ``?order=``, or of all."""
    numbers = request.query_params.getlist("order")
    truths = await anyio.to_thread.run_sync(partial(_truths, get_site(request), numbers))
    return _json(TRUTHS.dump_json(truths))


@_for_admin
async def orders(request: Request) -> Response:
    """Return the order list of a user."""
    query = OrdersQuery.model_validate(dict(request.query_params))
    make_list = messy_list if query.variant == "messy" else clean_list
    return _json(LISTED_ORDERS.dump_json(make_list(get_site(request).catalogue, query.count)))


@_for_admin
async def stats(request: Request) -> Response:
    """Return the counts; DELETE sets them to zero."""
    counters = get_site(request).counters
    if request.method == "DELETE":
        counters.reset()
        return _no_content()
    return _json(STATS.dump_json(counters.stats()))


@_for_admin
async def faults(request: Request) -> Response:
    """Return the faults; POST adds one, DELETE removes all."""
    registry = get_site(request).faults
    if request.method == "DELETE":
        registry.clear()
        return _no_content()
    if request.method == "POST":
        registry.add(FaultRule.model_validate_json(await request.body()))
        return _no_content()
    return _json(FAULTS.dump_json(registry.rules()))


@_for_admin
async def expire(request: Request) -> Response:
    """End all sessions."""
    expiry = SessionExpiry.model_validate_json(await request.body() or b"{}")
    get_site(request).sessions.expire_all(after_pages=expiry.after_pages, times=expiry.times)
    return _no_content()


@_for_admin
async def sessions(request: Request) -> Response:
    """Return the cookies of all sessions; POST creates sessions without a login."""
    active_sessions = get_site(request).sessions
    if request.method == "POST":
        for session, visit in VISITORS.validate_json(await request.body()).items():
            active_sessions.admit(session, visit)
        return _no_content()
    return _json(VISITORS.dump_json(active_sessions.visitors()))


@_for_admin
async def rules(request: Request) -> Response:
    """Set the requirements of a login."""
    requirements = LoginRequirements.model_validate_json(await request.body())
    get_site(request).sessions.needs_visit_cookie = requirements.require_visit_cookie
    return _no_content()


def _truths(site: DemoSite, requested: list[str]) -> dict[str, OrderTruth]:
    """Return expected results. Call it in a thread: the first digests of thousands of files take seconds."""
    numbers = requested or [*site.catalogue.listed_numbers(), *site.catalogue.odd_numbers(), INVALID_NUMBER]
    truths: dict[str, OrderTruth] = {}
    for number in numbers:
        order = site.catalogue.order(number)
        if order is not None:
            truths[number] = order_truth(order, site.file_store.sha256)
        elif number == INVALID_NUMBER:
            truths[number] = invalid_truth(number)
    return truths


def _no_content() -> Response:
    return Response(status_code=204)


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


ADMIN_ROUTES = (
    Route(f"{PREFIX}/truth", truth),
    Route(f"{PREFIX}/orders", orders),
    Route(f"{PREFIX}/stats", stats, methods=["GET", "DELETE"]),
    Route(f"{PREFIX}/faults", faults, methods=["GET", "POST", "DELETE"]),
    Route(f"{PREFIX}/expire", expire, methods=["POST"]),
    Route(f"{PREFIX}/sessions", sessions, methods=["GET", "POST"]),
    Route(f"{PREFIX}/rules", rules, methods=["POST"]),
)
