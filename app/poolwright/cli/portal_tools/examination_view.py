"""Shows what was found on a page of a portal: the verdict and why, the files, the signs, and every selector."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from poolwright.cli.terminal import FittingTable, format_count
from poolwright.portal.examination.page_examination import LinkFinding, ListSigns, PageExamination, SelectorFinding
from poolwright.portal.examination.saved_page import SCREENSHOT_NAME
from poolwright.service.examination.examination_run import ExaminedPage

#: Keys of selectors that belong to the login page, and match nothing elsewhere.
_LOGIN_KEYS = "login."
_CLICK = "a click"


def title_of(number: str) -> str:
    """Return the name of a page for people."""
    return f"Order {number}" if number else "Login check (site.probe)"


def show_page(screen: Console, page: ExaminedPage) -> None:
    """Print all findings about a page."""
    screen.print(Text(title_of(page.number), "bold"), soft_wrap=True)
    if page.saved is None:
        screen.print(Text(f"  {page.problem}", "red"), soft_wrap=True)
        return
    examination = page.saved.examination
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _lines(examination):
        grid.add_row(f"  {name}", text)
    screen.print(grid, soft_wrap=True)
    if examination.signs is not None:
        _show_links(screen, examination.links)
    _show_selectors(screen, examination.selectors, is_login_shown=not page.number)
    has_picture = (page.folder / SCREENSHOT_NAME).is_file()
    screen.print(
        Text(f"  Saved in {page.folder}{f', with {SCREENSHOT_NAME}' if has_picture else ''}.", "dim"), soft_wrap=True
    )


def verdict_text(examination: PageExamination) -> Text:
    """Return the verdict in its colour."""
    return Text(examination.verdict.value, "bold green" if examination.is_good else "bold yellow")


def _lines(examination: PageExamination) -> Iterator[tuple[str, Text]]:
    yield from _steps(examination)
    yield "verdict", Text.assemble(verdict_text(examination), f": {examination.reason}")
    for mark in examination.marks:
        yield "mark", Text(f"{mark.key} {mark.mark!r} ({mark.place})")
    if examination.problem:
        yield "problem", Text(examination.problem, "red")
    if examination.signs is not None:
        yield "list", Text(_describe_signs(examination.signs))
    if examination.doubt:
        yield "doubt", Text(examination.doubt, "yellow")
    for name, value in examination.fields.items():
        yield f"field {name}", Text(value or "(empty)")
    for request in examination.blocked:
        yield "blocked", Text(request, "yellow")
    for address in examination.strayed:
        yield "blocked", Text(f"navigation to {address}", "yellow")


def _steps(examination: PageExamination) -> Iterator[tuple[str, Text]]:
    """Yield the addresses from the first to the last, and what the portal answered."""
    yield "opened", Text(examination.opened)
    ends = {examination.opened, examination.url}
    yield from (("passed", Text(address)) for address in dict.fromkeys(examination.passed) if address not in ends)
    yield "address", Text(examination.url)
    status = str(examination.status) if examination.status else "none"
    yield "status", Text(f"{status}; reading {examination.end}")


def _describe_signs(signs: ListSigns) -> str:
    """Return the signs by which the list was judged, in one line."""
    parts = [
        format_count(signs.link_count, "link"),
        "no count on the page" if signs.count is None else f"the page announces {signs.count}",
        f"settled: {_yes(is_so=signs.is_settled)}",
        f"answered: {_yes(is_so=signs.is_answered)}",
        f"empty: {_yes(is_so=signs.is_declared_empty)}",
        f"in time: {_yes(is_so=signs.is_in_time)}",
        f"quiet: {_yes(is_so=signs.is_calm)}",
    ]
    if signs.unread:
        parts.append(f"frames that are not read: {', '.join(signs.unread)}")
    if signs.documents:
        parts.append(f"documents in viewers: {len(signs.documents)}")
    return "; ".join(parts)


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def _show_links(screen: Console, links: tuple[LinkFinding, ...]) -> None:
    if not links:
        screen.print("  No file was found.", soft_wrap=True)
        return
    table = Table("file", "name from", "found by", "address", box=None, header_style="dim", padding=(0, 1))
    for link in links:
        parts = urlsplit(link.address)
        address = f"{parts.path}{f'?{parts.query}' if parts.query else ''}" if link.address else _CLICK
        table.add_row(Text(link.name), Text(link.source or "nothing"), Text(link.selector), Text(address))
    screen.print(FittingTable(table), soft_wrap=True)


def _show_selectors(screen: Console, selectors: tuple[SelectorFinding, ...], *, is_login_shown: bool) -> None:
    shown = [one for one in selectors if is_login_shown or one.count or not one.key.startswith(_LOGIN_KEYS)]
    if not shown:
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text("  matches", "dim"), Text("selector (visible, of all that match)", "dim"))
    for one in shown:
        grid.add_row(Text(f"{one.shown_count} of {one.count}", "" if one.count else "dim"), _describe_selector(one))
    screen.print(grid, soft_wrap=True)


def _describe_selector(one: SelectorFinding) -> Text:
    if one.problem:
        return Text.assemble(f"{one.key} {one.selector}: ", (one.problem, "red"))
    texts = " | ".join(filter(None, one.texts))
    return Text(f"{one.key} {one.selector}{f': {texts}' if texts else ''}", "" if one.count else "dim")
