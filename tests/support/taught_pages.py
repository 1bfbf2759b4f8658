"""Saved pages of a made-up portal with their observations, as a person would collect them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from poolwright.learn.observations import Observations, ObservedPage
from tests.support.searched_portals import searched_source
from tests.support.taught_portals import TaughtPortal


def shown_pages(portal: TaughtPortal) -> list[dict[str, Any]]:
    """What a person shows: login, home, two orders with attachments, one without, a missing and a forbidden one."""
    first, second, without, forbidden = list(portal.orders.values())[:4]
    path = portal.password_path
    asked = {"challenge": "basic"} if portal.is_basic else {}
    following = {"next": portal.next_button} if portal.next_button else {}
    more = [_page(portal, "password.html", path, is_logged_in=False, kind="login")] if path else []
    return [
        _page(portal, "login.html", portal.path_of(first.number), is_logged_in=False, kind="login", **asked),
        *more,
        _page(portal, "home.html", portal.home_path, kind="home"),
        _order(
            portal,
            "order-1.html",
            first.number,
            attachments=list(first.files[:1]),
            supplier=first.supplier,
            **following,
        ),
        _order(portal, "order-2.html", second.number, attachments=list(second.files), supplier=second.supplier),
        _order(portal, "order-3.html", without.number),
        *(_searched(portal, first.number) if portal.search_path else ()),
        *([] if portal.search_path else [_order(portal, "missing.html", portal.missing, kind="not_found")]),
        _order(portal, "forbidden.html", forbidden.number, kind="forbidden"),
    ]


def _searched(portal: TaughtPortal, number: str) -> Iterator[dict[str, Any]]:
    """The page of a search before it, with results, and with none."""
    address = f"{portal.url}{portal.search_path}"
    calls = {"calls": [{**call, "address": f"{portal.url}{call['address']}"} for call in portal.search_calls]}
    more = {name: value for name, value in calls.items() if value}
    told: dict[str, dict[str, Any]] = {
        "search": {"button": portal.search_button},
        "results": {"number": number, **more},
        "not_found": {"number": portal.missing, **more},
    }
    for kind, keys in told.items():
        source = searched_source(portal, "" if kind == "search" else str(keys["number"]))
        yield {"file": f"{kind}.html", "kind": kind, "source": source, "address": address, "status": 200, **keys}


def _order(portal: TaughtPortal, file: str, number: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of a page
    kind = more.pop("kind", "order")
    return _page(portal, file, portal.path_of(number), kind=kind, number=number, **more)


def _page(portal: TaughtPortal, file: str, path: str, *, is_logged_in: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of a page
    source, address, status = portal.saved(path, is_logged_in=is_logged_in)
    if portal.calls and is_logged_in:
        more["calls"] = [{**call, "address": f"{portal.url}{call['address']}"} for call in portal.calls]
    return {"file": file, "source": source, "address": address, "status": status, **more}


def observed(pages: list[dict[str, Any]], *, is_whole: bool = True) -> tuple[Observations, dict[str, str]]:
    """Observations and the sources of their files; without the check that all kinds of pages are there if not whole."""
    tables = [{name: value for name, value in page.items() if name != "source"} for page in pages]
    sources = {page["file"]: page["source"] for page in pages}
    if is_whole:
        return Observations.model_validate({"title": "Made-up portal", "pages": tables}), sources
    return Observations.model_construct(title="x", pages=tuple(map(ObservedPage.model_validate, tables))), sources
