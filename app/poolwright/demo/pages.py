"""The portal's pages but the order page: dashboard, login, list, and all the ways to say no.

Pure: values in, HTML out. The texts are constants, for they are what a portal pack looks for.
"""

from __future__ import annotations

from poolwright.demo.catalogue.order import Attachment, Order
from poolwright.demo.markup import Markup, escaped, fill, joined

OOPS = "Oops! We couldn't find what you wanted"
"""Shown for an order that does not exist, and by the login page after a redirect: the trap of such portals."""

NOT_AUTHORIZED = "You are not authorized to view this page"
WRONG_PASSWORD = "Invalid user name or password"  # noqa: S105 - a message
WRONG_CODE = "The code is not valid"
STALE_FORM = "The form has expired, please try again"
MAINTENANCE = "The portal is down for scheduled maintenance"


NOTHING = Markup()


def layout(title: str, main: Markup, *, user: str | None = None, head: Markup = NOTHING) -> str:
    """A whole page; with a user it has the menu of somebody who is logged in."""
    navigation = fill("navigation", user=user) if user else NOTHING
    return fill("layout", title=f"{title} - Alder Procurement", head=head, navigation=navigation, main=main)


def flash_error(text: str) -> Markup:
    """The red bar on top of a page."""
    return Markup(f'<div class="flash_error">{escaped(text)}</div>') if text else NOTHING


def login_page(*, token: str, return_to: str, error: str = "") -> str:
    """The login form; after a redirect it says the same as an order that does not exist."""
    main = fill("login", flash=flash_error(error), token=token, return_to=return_to)
    return layout("Sign in", main)


def second_factor_page(return_to: str = "", error: str = "") -> str:
    """The page that asks for a code."""
    return layout("Two-step verification", fill("second_factor", flash=flash_error(error), return_to=return_to))


def dashboard_page(user: str, orders: list[Order]) -> str:
    """Where a login ends."""
    return layout("Dashboard", fill("dashboard", orders=_order_table(orders)), user=user)


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
    return layout("Error", Markup(f'<h1 id="error_title">{escaped(text)}</h1>'))


def maintenance_page() -> str:
    """What a portal shows on a Sunday night."""
    return layout("Maintenance", Markup(f'<h1 id="maintenance_title">{escaped(MAINTENANCE)}</h1>'))


def frame_page(file: Attachment) -> str:
    """The inside of an attachment's iframe."""
    link = f'<a class="attachment_link" href="/attachment/{file.attachment_id}/download" title="{escaped(file.name)}">'
    style = '<link rel="stylesheet" href="/assets/portal.css">'
    name = escaped(shortened(file.name))
    return f"<!DOCTYPE html>\n<title>Attachment</title>\n{style}\n{link}{name}</a>\n"


def shortened(name: str) -> str:
    """A file name as pages show it; the whole one is in the link's title."""
    return name if len(name) <= 60 else name[:57] + "..."  # noqa: PLR2004 - the same 60 as in portal.js


def money(cents: int) -> str:
    """An amount in the way of the portal: ``1,234.50``."""
    return f"{cents / 100:,.2f}"


def _order_table(orders: list[Order]) -> Markup:
    rows = [
        Markup(
            f'<tr class="order_row"><td><a href="/order_headers/{order.number}">{order.number}</a></td>'
            f"<td>{escaped(order.supplier.shown)}</td><td>{escaped(order.status)}</td>"
            f'<td class="number">{money(order.total_cents)} {order.currency}</td></tr>'
        )
        for order in orders
    ]
    header = "<thead><tr><th>Order</th><th>Supplier</th><th>Status</th><th>Total</th></tr></thead>"
    return Markup(f'<table id="order_list" class="grid">{header}<tbody>\n{joined(rows)}\n</tbody></table>')
