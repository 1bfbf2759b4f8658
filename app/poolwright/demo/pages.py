"""The HTML pages of the demo portal except the order page, filled from escaped templates.

Pure: values in, HTML out. The texts are constants, for they are what a portal pack looks for.
"""

from __future__ import annotations

import functools
import html
from importlib import resources
from string import Template

from poolwright.demo.catalogue.order import Attachment, Order


class Markup(str):
    """HTML that is ready: it goes into a template as it is."""

    __slots__ = ()


def render_template(name: str, **values: str) -> Markup:
    """Fill ``templates/<name>.html``; every value that is not ``Markup`` is escaped.

    Raises:
        KeyError: The template names a value that was not given.
    """
    return Markup(_template(name).substitute({key: escape(value) for key, value in values.items()}))


def escape(text: str) -> str:
    """The text as HTML shows it."""
    return text if isinstance(text, Markup) else html.escape(text)


def join_markup(pieces: list[Markup]) -> Markup:
    """Pieces under each other."""
    return Markup("\n".join(pieces))


def read_static(name: str) -> str:
    """The text of a file that ships in ``static/``."""
    return resources.files("poolwright.demo").joinpath("static", name).read_text(encoding="utf-8")


@functools.cache
def _template(name: str) -> Template:
    return Template(
        resources.files("poolwright.demo").joinpath("templates", f"{name}.html").read_text(encoding="utf-8")
    )


OOPS = "Oops! We couldn't find what you wanted"
"""Shown for an order that does not exist, and by the login page after a redirect: the trap of such portals."""

NOT_AUTHORIZED = "You are not authorized to view this page"
WRONG_PASSWORD = "Invalid user name or password"  # noqa: S105 - a message
WRONG_CODE = "The code is not valid"
STALE_FORM = "The form has expired, please try again"
MAINTENANCE = "The portal is down for scheduled maintenance"


NO_MARKUP = Markup()


def layout(title: str, main: Markup, *, user: str | None = None, head: Markup = NO_MARKUP) -> str:
    """A whole page; with a user it has the menu of somebody who is logged in."""
    navigation = render_template("navigation", user=user) if user else NO_MARKUP
    return render_template("layout", title=f"{title} - Alder Procurement", head=head, navigation=navigation, main=main)


def flash_error(text: str) -> Markup:
    """The red bar on top of a page."""
    return Markup(f'<div class="flash_error">{escape(text)}</div>') if text else NO_MARKUP


def login_page(*, token: str, return_to: str, error: str = "") -> str:
    """The login form; after a redirect it says the same as an order that does not exist."""
    main = render_template("login", flash=flash_error(error), token=token, return_to=return_to)
    return layout("Sign in", main)


def second_factor_page(return_to: str = "", error: str = "") -> str:
    """The page that asks for a code."""
    return layout(
        "Two-step verification", render_template("second_factor", flash=flash_error(error), return_to=return_to)
    )


def dashboard_page(user: str, orders: list[Order]) -> str:
    """Where a login ends."""
    return layout("Dashboard", render_template("dashboard", orders=_order_table(orders)), user=user)


def order_list_page(user: str, orders: list[Order]) -> str:
    """The list of orders."""
    main = Markup('<h1 id="order_list_title">Orders</h1>\n' + _order_table(orders))
    return layout("Orders", main, user=user)


def refusal_page(user: str, text: str) -> str:
    """An order that does not exist, or that is not for this user."""
    main = Markup(flash_error(text) + '\n<p><a href="/order_headers">Back to the list</a></p>')
    return layout("Orders", main, user=user)


def error_page(status: int) -> str:
    """What a failing portal shows."""
    texts = {429: "Too many requests", 503: "Service temporarily unavailable"}
    text = texts.get(status, "We're sorry, but something went wrong")
    return layout("Error", Markup(f'<h1 id="error_title">{escape(text)}</h1>'))


def maintenance_page() -> str:
    """What a portal shows on a Sunday night."""
    return layout("Maintenance", Markup(f'<h1 id="maintenance_title">{escape(MAINTENANCE)}</h1>'))


def frame_page(file: Attachment) -> str:
    """The inside of an attachment's iframe."""
    link = f'<a class="attachment_link" href="/attachment/{file.attachment_id}/download" title="{escape(file.name)}">'
    style = '<link rel="stylesheet" href="/assets/portal.css">'
    name = escape(shorten(file.name))
    return f"<!DOCTYPE html>\n<title>Attachment</title>\n{style}\n{link}{name}</a>\n"


def shorten(name: str) -> str:
    """A file name as pages show it; the whole one is in the link's title."""
    return name if len(name) <= 60 else name[:57] + "..."  # noqa: PLR2004 - the same 60 as in portal.js


def format_money(cents: int) -> str:
    """An amount in the way of the portal: ``1,234.50``."""
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
