"""The order page of the demo portal, as large as a real one, and the attachment list for its script. Pure functions."""

from __future__ import annotations

from poolwright.demo.catalogue.order import Attachment, LinkForm, Order
from poolwright.demo.catalogue.seeded_random import SeededRandom
from poolwright.demo.faults import ChangedPage, CrashPage, FatPage, PageFault
from poolwright.demo.pages import NO_MARKUP, Markup, escape, format_money, join_markup, layout, render_template

WEIGHT_BYTES = 56_000
"""Size of an order page of real portals, most of which are options of select boxes."""

PHOTOS = tuple(f"photo-{number}.png" for number in range(1, 6))

_AUTHORS = ("Ana Souza", "Supplier user", "Emi Tanaka")


def order_page(order: Order, *, user: str, list_query: str, fault: PageFault | None) -> str:
    """Return the page of one order; its script loads the attachments from ``list_address``."""
    title = f"Purchase Order #{order.number}"
    match fault:
        case ChangedPage():
            return layout("Order", _changed(order), user=user)
        case FatPage():
            head = Markup(f'<script src="/assets/ballast.js" data-size-mb="{fault.size_mb}" defer></script>')
        case CrashPage():
            head = Markup('<script src="/assets/abyss.js" defer></script>')
        case None:
            head = NO_MARKUP
    source = list_address(order.number) + list_query
    bare_bytes = len(layout(title, _order(order, source, NO_MARKUP), user=user, head=head).encode())
    main = _order(order, source, _options(WEIGHT_BYTES - bare_bytes))
    return layout(title, main, user=user, head=head)


def list_address(number: str) -> str:
    """Return the path of an order's attachment list."""
    return f"/order_headers/{number}/attachments.json"


def ticket(seed: int, attachment_id: int) -> str:
    """Return the value that the script of a click-only file adds to its address; without it the file is not found."""
    return f"{SeededRandom(seed, 'ticket').randbelow(1 << 48, attachment_id):012x}"


def attachment_rows(order: Order, seed: int) -> list[dict[str, str | int]]:
    """Return the attachment list for the page's script."""
    return [_attachment_row(file, seed) for file in order.attachments]


def _attachment_row(file: Attachment, seed: int) -> dict[str, str | int]:
    row: dict[str, str | int] = {
        "id": file.attachment_id,
        "name": file.name,
        "form": file.link_form.value,
        "size_bytes": file.size_bytes,
        "size_text": f"{file.size_bytes / 1000:,.1f} KB",
        "author": SeededRandom(seed, "author").choice(_AUTHORS, file.attachment_id),
    }
    if file.needs_ticket:
        return {**row, "ticket": ticket(seed, file.attachment_id)}
    return {**row, "url": _address(file)}


def _address(file: Attachment) -> str:
    match file.link_form:
        case LinkForm.DOWNLOAD_ANCHOR:
            return f"/documents/{file.attachment_id}"
        case LinkForm.FRAME:
            return f"/order_headers/{file.order_number}/attachments/{file.attachment_id}/frame"
        case _:
            return f"/attachment/{file.attachment_id}/download"


def _order(order: Order, source: str, options: Markup) -> Markup:
    photos = [Markup(f'<img class="photo" src="/assets/{name}" alt="" width="96" height="96">') for name in PHOTOS]
    return render_template(
        "order",
        number=order.number,
        status=order.status,
        date=order.ordered_on.isoformat(),
        requester=order.requester,
        department=order.department,
        payment_term=order.payment_term,
        supplier=order.supplier.shown,
        company_code=order.company_code,
        company=order.company,
        lines=_lines(order),
        total=format_money(order.total_cents),
        currency=order.currency,
        photos=join_markup(photos),
        source=source,
        options=options,
    )


def _changed(order: Order) -> Markup:
    return render_template(
        "changed",
        number=order.number,
        status=order.status,
        supplier=order.supplier.shown,
        requester=order.requester,
        total=format_money(order.total_cents),
        currency=order.currency,
        file_count=str(len(order.attachments)),
    )


def _lines(order: Order) -> Markup:
    rows = [
        Markup(
            f'<tr class="order_line"><td>{line_no}</td><td class="line_item">{escape(line.goods)}</td>'
            f'<td class="line_commodity">{line.commodity}</td><td class="line_account">{line.account}</td>'
            f'<td class="number line_quantity">{line.quantity}</td>'
            f'<td class="number line_price">{format_money(line.price_cents)} {order.currency}</td>'
            f'<td class="number line_total">{format_money(line.total_cents)} {order.currency}</td></tr>'
        )
        for line_no, line in enumerate(order.lines, start=1)
    ]
    return join_markup(rows)


def _options(size_bytes: int) -> Markup:
    """Return as many options of a select box as fit into this size."""
    option = '<option value="{0:08d}">{0:08d} Commodity group of the purchasing department</option>\n'
    count = max(0, size_bytes // len(option.format(0)))
    return Markup("".join(option.format(10_000_000 + number * 137) for number in range(count)))
