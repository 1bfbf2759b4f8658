"""The HTML pages of the demo portal except the order page, filled from escaped templates.

Pure functions. The texts are constants, since the portal pack searches for them.
"""

from __future__ import annotations

import functools
import html
from importlib import resources
from string import Template

from poolwright.demo.catalogue.order import Attachment, Order


class Markup(str):
    """HTML that is inserted into a template without escaping."""

    __slots__ = ()


def render_template(name: str, **values: str) -> Markup:
    """Fill ``templates/<name>.html``; every value that is not ``Markup`` is escaped.

    Raises:
        KeyError: The template names a value that was not given.
    """
    return Markup(_template(name).substitute({key: escape(value) for key, value in values.items()}))


def escape(text: str) -> str:
    """Return the text escaped for HTML; ``Markup`` is returned unchanged."""
    return text if isinstance(text, Markup) else html.escape(text)


def join_markup(pieces: list[Markup]) -> Markup:
    """Join pieces with line breaks."""
    return Markup("\n".join(pieces))


def read_static(name: str) -> str:
    """Return the text of a file in ``static/``."""
    return resources.files("poolwright.demo").joinpath("static", name).read_text(encoding="utf-8")


@functools.cache
def _template(name: str) -> Template:
    return Template(
        resources.files("poolwright.demo").joinpath("templates", f"{name}.html").read_text(encoding="utf-8")
    )


OOPS = "Oops! We couldn't find what you wanted"
"""Shown for an order that does not exist, and on the login page after a redirect, which makes them easy to confuse."""

NOT_AUTHORIZED = "You are not authorized to view this page"
WRONG_PASSWORD = "Invalid user name or password"  # noqa: S105 - a message
WRONG_CODE = "The code is not valid"
STALE_FORM = "The form has expired, please try again"
MAINTENANCE = "The portal is down for scheduled maintenance"


NO_MARKUP = Markup()


def layout(title: str, main: Markup, *, user: str | None = None, head: Markup = NO_MARKUP) -> str:
    """Return a complete page, with the menu of a logged-in user if ``user`` is given."""
    navigation = render_template("navigation", user=user) if user else NO_MARKUP
    return render_template("layout", title=f"{title} - Alder Procurement", head=head, navigation=navigation, main=main)


def flash_error(text: str) -> Markup:
    """Return the red error bar of a page; empty without a text."""
    return Markup(f'<div class="flash_error">{escape(text)}</div>') if text else NO_MARKUP


def login_page(*, token: str, return_to: str, error: str = "") -> str:
    """Return the page with the login form."""
    main = render_template("login", flash=flash_error(error), token=token, return_to=return_to)
    return layout("Sign in", main)


def second_factor_page(return_to: str = "", error: str = "") -> str:
    """Return the page that asks for a one-time code."""
    return layout(
        "Two-step verification", render_template("second_factor", flash=flash_error(error), return_to=return_to)
    )


def dashboard_page(user: str, orders: list[Order]) -> str:
    """Return the dashboard, the first page after a login."""
    return layout("Dashboard", render_template("dashboard", orders=_order_table(orders)), user=user)


def order_list_page(user: str, orders: list[Order]) -> str:
    """Return the page with the list of orders."""
    main = Markup('<h1 id="order_list_title">Orders</h1>\n' + _order_table(orders))
    return layout("Orders", main, user=user)


def refusal_page(user: str, text: str) -> str:
    """Return the page for an order that does not exist or that this user must not see."""
    main = Markup(flash_error(text) + '\n<p><a href="/order_headers">Back to the list</a></p>')
    return layout("Orders", main, user=user)


def error_page(status: int) -> str:
    """Return the error page for an HTTP status."""
    texts = {429: "Too many requests", 503: "Service temporarily unavailable"}
    text = texts.get(status, "We're sorry, but something went wrong")
    return layout("Error", Markup(f'<h1 id="error_title">{escape(text)}</h1>'))


def maintenance_page() -> str:
    """Return the page of a scheduled maintenance."""
    return layout("Maintenance", Markup(f'<h1 id="maintenance_title">{escape(MAINTENANCE)}</h1>'))


def frame_page(file: Attachment) -> str:
    """Return the content of an attachment's iframe."""
    link = f'<a class="attachment_link" href="/attachment/{file.attachment_id}/download" title="{escape(file.name)}">'
    style = '<link rel="stylesheet" href="/assets/portal.css">'
    name = escape(shorten(file.name))
    return f"<!DOCTYPE html>\n<title>Attachment</title>\n{style}\n{link}{name}</a>\n"


def shorten(name: str) -> str:
    """Return a file name shortened for pages; the title of the link has the full name."""
    return name if len(name) <= 60 else name[:57] + "..."  # noqa: PLR2004 - the same 60 as in portal.js


def format_money(cents: int) -> str:
    """Format an amount as the portal does: ``1,234.50``."""
    return f"{cents / 100:,.2f}"


def _order_table(orders: list[Order]) -> Markup:
    rows = [
        Markup(
            f'<tr class="order_row"><td><a href="/order_headers/{order.number}">{order.number}</a></td>'
            f"<td>{escape(order.supplier.shown)}</td><td>{escape(order.status)}</td>"
            f'<td class="number">{format_money(order.total_cents)} {order.currency}</td></tr>'
        )
        for order in orders
    ]
    header = "<thead><tr><th>Order</th><th>Supplier</th><th>Status</th><th>Total</th></tr></thead>"
    return Markup(f'<table id="order_list" class="grid">{header}<tbody>\n{join_markup(rows)}\n</tbody></table>')
