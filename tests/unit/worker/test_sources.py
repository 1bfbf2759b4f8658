"""When further pages of an order are read, and which results of a search are the order."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.tasks import MissedFile
from poolwright.portal.step_schema import FurtherSource, RowText, SearchRules, SourceTrigger
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.processors.further_sources import is_wanted, too_many_or_none
from poolwright.worker.processors.order_visit import exact_hits
from tests.support.sessions import task_for


def file(media_type: str) -> DownloadedFile:
    """A file that came."""
    return DownloadedFile(path=Path("a"), label="a", size_bytes=1, sha256="", media_type=media_type, source_url="")


MISSED = MissedFile(label="A.PDF", source_url="", problem="", is_retryable=True)


@pytest.mark.parametrize(
    ("files", "none", "no_pdf"),
    [
        ([], True, True),
        ([file("text/plain")], False, True),
        ([file("text/plain"), file("application/pdf")], False, False),
        ([MISSED], False, False),
    ],
)
def test_a_source_is_read_by_what_was_found_before(
    files: list[DownloadedFile | MissedFile], *, none: bool, no_pdf: bool
) -> None:
    assert is_wanted(SourceTrigger.ALWAYS, files)
    assert is_wanted(SourceTrigger.NONE, files) == none
    assert is_wanted(SourceTrigger.NO_PDF, files) == no_pdf


@pytest.mark.parametrize(
    ("addresses", "is_required", "told"),
    [
        ([], False, ""),
        ([], True, "no link to it ('a.req')"),
        (["/1", "/2"], True, ""),
        (["/1", "/2", "/3"], False, "3 links to it; at most 2 are followed (max)"),
    ],
)
def test_links_that_are_missing_or_too_many_are_told(addresses: list[str], told: str, *, is_required: bool) -> None:
    source = FurtherSource(name="requisition", follow="a.req", required=is_required, max=2)

    missed = too_many_or_none(source, addresses)

    assert [(one.label, one.is_retryable) for one in missed] == ([("requisition", False)] if told else [])
    assert all(told in one.problem for one in missed)


def hit(text: str, address: str = "", *, route: str = "", row: str = "", index: int = 0) -> PageLink:
    """A result of a search."""
    return PageLink(address=address, route=route, row=row, selector="a", index=index, names={"text": text})


def test_a_result_is_exactly_the_number_with_or_without_its_prefix() -> None:
    rules = SearchRules(page="/s?q={number}", links=("a",), text=("{number}", "Order {number}"))
    hits = [
        hit("12", "/a"),
        hit(" PO12\n", "/b"),
        hit("Icon\norder  12", "/c"),
        hit("112", "/d"),
        hit("12 3", "/e"),
        hit("", "/f"),
    ]

    assert [one.address for one in exact_hits(rules, hits, task_for("12"))] == ["/a", "/b", "/c"]


def test_results_with_one_address_are_one() -> None:
    rules = SearchRules(page="/s?q={number}", links=("a",))
    hits = [hit("12", "/a"), hit("PO12", "/a"), hit("12", route="/#/1"), hit("12", route="/#/1", index=3), hit("12")]

    assert len(exact_hits(rules, hits, task_for("12"))) == 3


def test_a_row_says_the_number_in_place_of_its_link() -> None:
    rules = SearchRules(page="/s?q={number}", links=("a",), row=RowText(closest="tr", selector="td"))
    hits = [hit("12", "/a", row="11"), hit("Open", "/b", row="12")]

    assert [one.address for one in exact_hits(rules, hits, task_for("12"))] == ["/b"]
