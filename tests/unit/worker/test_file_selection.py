"""Which files of an order are wanted, and which of them come once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.tasks import MissedFile
from poolwright.portal.pack import PackError, parse_toml
from poolwright.portal.pack_schema import AttachmentRules
from poolwright.worker.download.file_selection import (
    FileSelection,
    LinkSelection,
    count_problem,
    describe_left_out,
    select_files,
    select_links,
)
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.page.page_content import PageLink
from tests.unit.portal.authoring import written

BUYER = {"closest": "tr", "selector": "td.by", "pattern": "^buyer"}


def rules(only: dict[str, Any] | None = None, **keys: str) -> AttachmentRules:
    changes = {f"attachments.{key}": value for key, value in keys.items()}
    return parse_toml(written({**changes, **({"attachments.only": only} if only else {})}), "acme.toml").attachments


def linked(name: str, *conditions: str) -> PageLink:
    return PageLink(address="", selector="a", index=0, names={"text": name}, conditions=list(conditions))


def came(label: str, media_type: str = "application/pdf", sha256: str = "1") -> DownloadedFile:
    return DownloadedFile(
        path=Path(label), label=label, size_bytes=1, sha256=sha256, media_type=media_type, source_url=""
    )


def missed(label: str) -> MissedFile:
    return MissedFile(label=label, source_url="", problem="it is gone", is_retryable=True)


def names_wanted(only: dict[str, Any], *links: PageLink, **keys: str) -> list[str]:
    return [link.names["text"] for link in select_links(rules(only, **keys), links).wanted]


def test_a_page_tells_by_endings_which_links_are_not_asked_for() -> None:
    links = [linked("a.pdf"), linked("b.PDF"), linked("c.xlsx"), linked("Offer")]

    assert names_wanted({"endings": ["pdf"]}, *links) == ["a.pdf", "b.PDF", "Offer"]
    assert select_links(rules({"endings": ["PDF"]}), links).left_out == ["c.xlsx"]
    assert select_links(rules(), links) == LinkSelection(wanted=links, left_out=[])


def test_kinds_of_content_are_known_only_after_the_download() -> None:
    links = [linked("a.pdf"), linked("c.xlsx")]

    assert names_wanted({"types": ["application/pdf"]}, *links) == ["a.pdf", "c.xlsx"]
    assert names_wanted({"endings": ["pdf"]}, linked("all.zip"), archive="unpack") == ["all.zip"]
    assert names_wanted({"endings": ["pdf"]}, linked("all.zip"), archive="beside") == []


def test_a_place_of_the_page_tells_which_links_are_wanted() -> None:
    links = [linked("a.pdf", "Buyer: Ann"), linked("b.pdf", "Supplier"), linked("c.pdf", " ")]

    assert names_wanted({"where": [BUYER]}, *links) == ["a.pdf", "c.pdf"], "a text that is missing excludes nothing"
    assert names_wanted({"where": [BUYER, BUYER]}, linked("a.pdf", "buyer", "supplier")) == []


def test_files_of_another_kind_are_left_out() -> None:
    files = [came("a.pdf"), came("b.bin"), came("c.msg", "application/vnd.ms-outlook"), came("d", "image/png")]

    chosen = select_files(rules({"endings": ["msg"], "types": ["image/*"]}), [*files, missed("e.pdf")])

    assert chosen.fetched == [files[2], files[3], missed("e.pdf")]
    assert chosen.left_out == files[:2]
    assert select_files(rules({"where": [BUYER]}), files).fetched == files


def test_an_archive_that_was_not_unpacked_is_never_left_out() -> None:
    archive = came("all.zip", "application/zip")

    assert select_files(rules({"endings": ["pdf"]}, archive="unpack"), [archive]).fetched == [archive]
    assert select_files(rules({"endings": ["pdf"]}), [archive]).fetched == []
    assert select_files(rules({"endings": ["pdf"]}, archive="beside"), [archive]).fetched == []


def test_the_same_content_under_the_same_name_is_filed_once_and_told() -> None:
    files = [came("a.pdf"), came("a.pdf"), came("b.pdf"), came("a.pdf", sha256="2")]

    chosen = select_files(rules(), files)

    assert [(file.label, len(file.notes)) for file in chosen.fetched if isinstance(file, DownloadedFile)] == [
        ("a.pdf", 1),
        ("b.pdf", 0),
        ("a.pdf", 0),
    ]
    assert chosen.repeated == [files[1]]
    first = chosen.fetched[0]
    assert isinstance(first, DownloadedFile)
    assert first.notes == ("a.pdf came 2 times with the same content and is filed once.",)


def test_what_was_left_out_is_told() -> None:
    assert describe_left_out([]) == ""
    assert describe_left_out(["a"]) == "1 file is not wanted by the portal pack (attachments.only): a"
    assert describe_left_out(list("abcdefg")).startswith("7 files are not wanted by the portal pack")
    assert describe_left_out(list("abcdefg")).endswith(": a, b, c, d, e and 2 more")


def test_unpacked_files_are_compared_with_the_count_of_the_page() -> None:
    left_out = ["x"]
    chosen = FileSelection(fetched=[came("a"), came("b")], left_out=[came("c")], repeated=[came("a")])

    problems = {count: count_problem(rules(archive="unpack"), count, left_out, chosen) for count in (3, 4, 5, 6)}

    assert problems == {
        3: "the page announces 3 attachments, but 4 came",
        4: "",
        5: "",
        6: "the page announces 6 attachments, but 4 came",
    }
    assert count_problem(rules(), 9, left_out, chosen) == ""
    assert count_problem(rules(archive="unpack"), None, left_out, chosen) == ""
    assert count_problem(rules(archive="beside"), 9, left_out, chosen) == ""
    chosen.fetched.append(missed("d"))
    assert count_problem(rules(archive="unpack"), 9, left_out, chosen) == ""


@pytest.mark.parametrize(
    ("only", "problem"),
    [
        ({}, "needs endings, types or where"),
        ({"endings": [".pdf"]}, "an ending without the dot"),
        ({"where": [{"closest": "tr"}]}, "needs a pattern"),
    ],
)
def test_a_limit_that_limits_nothing_is_refused(only: dict[str, Any], problem: str) -> None:
    with pytest.raises(PackError, match=problem):
        parse_toml(written({"attachments.only": only}), "acme.toml")
