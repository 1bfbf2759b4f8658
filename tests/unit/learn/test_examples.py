"""Which element stands for an attachment that a person clicked, and which ones look like it."""

from __future__ import annotations

import pytest

from poolwright.learn.examples import SeenPage, example_elements, look_alikes, row_of
from poolwright.learn.observations import ObservedPage, ShownKind
from poolwright.learn.page_tree import CLICKED_MARK, HIDDEN_MARK, PageTree


def seen_list(*rows: str, tag: str = "li") -> SeenPage:
    """An order whose files are in such rows."""
    page = ObservedPage(file="order.html", kind=ShownKind.ORDER, number="1", attachments=("a.pdf",))
    body = "".join(f"<{tag}>{row}</{tag}>" for row in rows)
    return SeenPage(page=page, tree=PageTree(f"<ul>{body}</ul>", "https://portal.test/po/1"))


def clicked(address: str, text: str = "a.pdf", more: str = "") -> str:
    """A link that a person clicked in the window."""
    return f"<a {CLICKED_MARK} href='{address}' {more}>{text}</a>"


@pytest.mark.parametrize(
    ("example", "mate"),
    [
        (clicked("/attachments/7"), "<a href='/attachments/download/7/a.pdf' title=Download>a.pdf</a>"),
        (clicked("/view/po/1/a.pdf"), "<a href='/raw-view/po/1/a.pdf' title=Download></a>"),
        (clicked("/view/a%20b.pdf", "See"), "<a href='/get/a b.pdf' download></a>"),
        (clicked("/files/7", "See"), "<a href='/files/7/content' class='icon icon-download'></a>"),
        (clicked("/files/7", "See"), "<a href='/files/7/content'>Herunterladen</a>"),
        (clicked("/files/7", "See"), "<a href='/files/7/content' aria-label='Download file'></a>"),
        (clicked("/files/7", "See"), "<a href='/files/download/7'><i></i></a>"),
    ],
)
@pytest.mark.parametrize("tag", ["li", "dt"])
def test_a_link_that_brings_the_file_goes_before_one_that_shows_it(example: str, mate: str, tag: str) -> None:
    seen = seen_list(f"{example} {mate}", tag=tag)

    assert example_elements(seen) == seen.tree.select(f"a:not([{CLICKED_MARK}])")


@pytest.mark.parametrize(
    "row",
    [
        clicked("/files/7") + "<a href='/files/8' title=Download>b.pdf</a>",  # another file
        clicked("/files/a.pdf", "See") + "<a href='/files/b.pdf' title=Download></a>",
        clicked("/files/show", "See") + "<a href='/files/show' title=Print></a><a href='/show/download'></a>",
        clicked("/files/7/download") + "<a href='/files/7/raw'>a.pdf</a>",  # it brings the file itself
        clicked("/files/7", more="download") + "<a href='/files/7/raw'>a.pdf</a>",
        clicked("/files/7") + "<a href='/files/7/print'>a.pdf</a>",  # nothing says that it brings the file
        clicked("/files/7") + "<a href='/download/7/delete' title=Delete>a.pdf</a>",
        clicked("/files/7") + "<button title=Download>a.pdf</button>",
        clicked("/files/7") + "<a href='/7/download'>a.pdf</a><a href='/7/raw'>a.pdf</a>",  # nobody knows which
    ],
)
def test_another_link_of_the_row_stays_what_it_is(row: str) -> None:
    seen = seen_list(row)

    assert example_elements(seen) == seen.tree.select(f"[{CLICKED_MARK}]")


def test_what_the_window_wrote_does_not_tell_rows_apart() -> None:
    row = "<a href='/files/{0}'{1}>{0}.pdf</a> <a href='/notes/{0}'>Note</a>"
    seen = seen_list(row.format(1, f" {CLICKED_MARK}"), row.format(2, ""), row.format(3, f" {HIDDEN_MARK}"))
    (example,) = example_elements(seen)

    assert look_alikes(seen, example) == seen.tree.select("a[href^='/files/']")


def test_a_term_is_a_row_if_something_in_it_can_be_clicked() -> None:
    tree = PageTree(
        "<dl><dt><a href='/f/1'>a.pdf</a></dt><dt><b>b.pdf</b></dt><dd><i>1 KB</i></dd></dl>", "https://portal.test/"
    )
    link, text, size = tree.select("a, b, i")

    assert (row_of(link), row_of(text), row_of(size)) == (tree.select("dt")[0], None, None)
