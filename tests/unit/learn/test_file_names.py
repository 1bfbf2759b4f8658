"""Where the names of files are if their links have none."""

from __future__ import annotations

import pytest

from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors
from poolwright.learn.file_names import NameCell, name_cell
from poolwright.learn.observations import ObservedPage
from poolwright.learn.page_tree import PageTree

GET = '<a class="get" href="/f/{n}">{text}</a>'


def page_of(*rows: str) -> SeenPage:
    page = ObservedPage.model_validate({"file": "x.html", "kind": "order", "number": "1", "attachments": ["x"]})
    return SeenPage(page=page, tree=PageTree(f"<ul>{''.join(rows)}</ul>", "https://portal.test/1"))


def row(n: int, name: str, text: str = "Download", more: str = "") -> str:
    return f'<li><i class="kind">v1.2</i>{more}<b class="name">{name}</b>{GET.format(n=n, text=text)}</li>'


def cell_of(*pages: SeenPage) -> NameCell:
    return name_cell(pages, FileSelectors(links=("a.get",)))


def test_the_cell_that_has_a_name_in_every_row_is_taken() -> None:
    found = cell_of(page_of(row(1, "a.pdf"), row(2, "b.docx")), page_of(row(3, "c.xlsx")))

    assert found == NameCell(closest="li", selector="b.name")
    assert found.is_needed


@pytest.mark.parametrize(
    "page",
    [
        page_of(),
        page_of(row(1, "a.pdf"), row(2, "Drawing"), row(3, "Plan")),
        page_of(row(1, "a.pdf"), row(2, "")),
        page_of(row(1, "a.pdf"), row(2, "b.pdf", text="b.pdf")),
        page_of(row(1, "a.pdf"), row(2, "b.pdf", more='<b class="name">Anna</b>')),
        page_of(row(1, '<span style="display:none">a.pdf</span>')),
        page_of(row(1, "a.pdf"), f"<p>b.pdf {GET.format(n=2, text='Download')}</p>"),
        page_of('<li><b class="name">a.pdf</b><a class="get" href="/f/1" title="Real.pdf">Download</a></li>'),
    ],
    ids=[
        "no file",
        "more words",
        "no text",
        "own name",
        "another text first",
        "hidden",
        "no row",
        "a title",
    ],
)
def test_otherwise_there_is_none(page: SeenPage) -> None:
    assert not cell_of(page).is_needed


def test_a_name_may_have_no_ending_and_is_told() -> None:
    found = cell_of(page_of(row(1, "Read me"), row(2, "a.pdf")))

    assert (found.closest, found.selector) == ("li", "b.name")
    [doubt] = found.doubts
    assert "without an ending ('Read me')" in doubt


def test_a_cell_that_says_the_same_for_most_files_is_none_of_names() -> None:
    assert not cell_of(page_of(row(1, "Anna"), row(2, "Anna"), row(3, "a.pdf"), row(4, "b.pdf"))).is_needed
    assert not cell_of(page_of(row(1, "Anna"), row(2, "Anna"), row(3, "a.pdf"), row(4, "a.pdf"))).is_needed
    assert cell_of(page_of(row(1, "a.pdf"), row(2, "a.pdf"))).is_needed


def test_a_row_by_its_role_is_a_row() -> None:
    source = f'<div role="row"><b class="name">a.pdf</b>{GET.format(n=1, text="Get")}</div>'

    assert cell_of(page_of(source)) == NameCell(closest="[role='row']", selector="b.name")
