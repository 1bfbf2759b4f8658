"""The routes of the demo portal for its user: login, logout, dashboard, order list and assets."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poolwright.demo.faults import FaultScope
from poolwright.demo.pages import (
    OOPS,
    STALE_FORM,
    WRONG_CODE,
    WRONG_PASSWORD,
    dashboard_page,
    flash_error,
    layout,
    login_page,
    order_list_page,
    second_factor_page,
)
from poolwright.demo.request_filters import (
    PENDING_LOGIN_COOKIE,
    SESSION_COOKIE,
    USER_COOKIE,
    VISIT_COOKIE,
    answer_with_faults,
    is_logged_in,
    login_required,
)
from poolwright.demo.responses import page_response, redirect
from poolwright.demo.site import DemoSite, get_site

_HOME = "/dashboard"
_RECENT = 5
_PAGE_LENGTH = 25
_DAY_S = 24 * 60 * 60


async def root(request: Request) -> Response:
    """Redirect to the dashboard, or to the login page."""
    return redirect(_HOME if is_logged_in(request) else "/sessions/new")


@login_required
async def dashboard(request: Request) -> Response:
    """Return the dashboard, the first page after a login."""
    site = get_site(request)
    return page_response(dashboard_page(site.account.user, site.catalogue.first_orders(_RECENT)))


@login_required
async def order_list(request: Request) -> Response:
    """Return the page with the first orders; login checks open this page."""
    site = get_site(request)
    return page_response(order_list_page(site.account.user, site.catalogue.first_orders(_PAGE_LENGTH)))


async def login_form(request: Request) -> Response:
    """Return the login form; after a redirect, it shows the "Oops" text of an order that does not exist.

    A logged-in user who was not redirected here goes to the dashboard.
    """
    return_to = request.query_params.get("return_to", "")
    if is_logged_in(request) and not return_to:
        return redirect(_HOME)
    token = get_site(request).sessions.form_token()
    form = login_page(token=token, return_to=return_to, error=OOPS if return_to else "")
    return await answer_with_faults(request, FaultScope.LOGIN, None, lambda _: page_response(form))


async def log_in(request: Request) -> Response:
    """Check the login form; a wrong password shows the form again with status 200, as such portals do."""
    form = await request.form()
    return await answer_with_faults(request, FaultScope.LOGIN, None, lambda _: _log_in(get_site(request), form))


async def log_out(request: Request) -> Response:
    """End this session."""
    get_site(request).sessions.log_out(request.cookies.get(SESSION_COOKIE, ""))
    return redirect("/sessions/new")


async def second_factor(request: Request) -> Response:
    """Return the page that asks for a one-time code; without a pending login, no code is accepted."""
    return page_response(second_factor_page(request.query_params.get("return_to", "")))


async def check_code(request: Request) -> Response:
    """Check the one-time code; a wrong or used code shows the form again."""
    site = get_site(request)
    form, token = await request.form(), request.cookies.get(PENDING_LOGIN_COOKIE, "")
    return_to = _field(form, "return_to")
    code = _field(form, "code")
    is_right = bool(site.sessions.is_login_pending(token) and site.second_factor and site.second_factor.accepts(code))
    site.counters.count_login(accepted=is_right)
    if not is_right:
        return page_response(second_factor_page(return_to, WRONG_CODE))
    site.sessions.complete_login(token)
    return _logged_in(site, return_to)


async def asset(request: Request) -> Response:
    """Return a style sheet, script or image, cacheable for one hour."""
    item = get_site(request).assets.get(request.path_params["name"])
    if item is None:
        return not_found()
    headers = {"ETag": item.etag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("If-None-Match") == item.etag:
        return Response(status_code=304, headers=headers)
    return Response(item.content, media_type=item.media_type, headers=headers)


def not_found() -> Response:
    """Return the page for an unknown address."""
    return page_response(layout("Not found", flash_error("The page you were looking for doesn't exist")), 404)


def _log_in(site: DemoSite, form: FormData) -> Response:
    return_to = _field(form, "return_to")
    if not site.sessions.redeem_form_token(_field(form, "authenticity_token")):
        return page_response(login_page(token=site.sessions.form_token(), return_to=return_to, error=STALE_FORM), 422)
    account = site.account
    is_right = secrets.compare_digest(_field(form, "user[email]").encode(), account.user.encode())
    is_right &= secrets.compare_digest(_field(form, "user[password]").encode(), account.password.encode())
    if is_right and site.second_factor is not None:
        response = redirect(f"/two_factor/new?{urlencode({'return_to': return_to})}")
        response.set_cookie(PENDING_LOGIN_COOKIE, site.sessions.begin_login(), httponly=True, samesite="lax")
        return response
    site.counters.count_login(accepted=is_right)
    if not is_right:
        return page_response(login_page(token=site.sessions.form_token(), return_to=return_to, error=WRONG_PASSWORD))
    return _logged_in(site, return_to)


def _logged_in(site: DemoSite, return_to: str) -> Response:
    token, visit = site.sessions.log_in()
    is_local = return_to.startswith("/") and not return_to.startswith(("//", "/\\"))
    response = redirect(return_to if is_local else _HOME)
    response.set_cookie(SESSION_COOKIE, token, max_age=14 * _DAY_S, httponly=True, samesite="lax")
    response.set_cookie(USER_COOKIE, site.account.user.partition("@")[0], max_age=365 * _DAY_S, samesite="lax")
    response.set_cookie(VISIT_COOKIE, visit, httponly=True, samesite="lax")
    return response


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


USER_ROUTES = (
    Route("/", root),
    Route("/dashboard", dashboard),
    Route("/order_headers", order_list),
    Route("/sessions/new", login_form),
    Route("/sessions", log_in, methods=["POST"]),
    Route("/logout", log_out),
    Route("/two_factor/new", second_factor, methods=["GET"]),
    Route("/two_factor/new", check_code, methods=["POST"]),
    Route("/assets/{name}", asset),
)
