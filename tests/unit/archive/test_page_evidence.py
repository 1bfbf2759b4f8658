"""The page of an order in its folder: beside the files, in the manifest, proved by the audit, replaced by the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive.manifest import Manifest
from poolwright.archive.output_tree import OutputTree
from poolwright.archive.tree_audit import FindingKind, TreeAudit
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Filed
from poolwright.domain.tasks import Report
from tests.support.archive_orders import StoppedClock, contents, fetched, report_for, stage, task_for

PAGE, NAME = b"the page", "order page.png"


class Desk:
    """Files attempts at one order, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.tree = OutputTree(self.out, clock=StoppedClock())
        self._folder = folder
        self._count = 0

    def file(
        self, files: Mapping[str, bytes], page: Mapping[str, bytes] | None = None, reason: Reason | None = None
    ) -> Filed:
        self._count += 1
        report = report_for(files, reason=reason)
        for name, content in (page or {}).items():
            report = replace(report, page_evidence=fetched(name, content))
        staged = stage(self._folder / f"staged-{self._count}", {**files, **(page or {})})
        return self.tree.file(task_for("PO1", attempt=self._count), report, staged)

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.out / "Acme/PO1")

    @property
    def content(self) -> dict[str, bytes]:
        return contents(self.out / "Acme/PO1")

    @property
    def found(self) -> list[tuple[FindingKind, str]]:
        audit = TreeAudit(self.out, None, private_name=".poolwright", reports_name="reports")
        return [(finding.kind, finding.file) for finding in audit.findings()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_page_is_beside_the_files_and_in_the_manifest_apart_from_them(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"}, {NAME: PAGE})

    assert desk.content == {"a.pdf": b"first", NAME: PAGE}
    assert [file.name for file in desk.manifest.files] == ["a.pdf"]
    page = desk.manifest.page_evidence
    assert page is not None
    assert (page.name, page.sha256, page.size_bytes) == (NAME, fetched(NAME, PAGE).sha256, len(PAGE))
    assert desk.manifest.links_found_count == 1
    assert desk.found == []


def test_a_manifest_without_a_page_says_nothing_of_one(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"})

    assert "page_evidence" not in desk.manifest.text()
    assert not desk.manifest.is_page_only


@pytest.mark.parametrize("reason", [Reason.NONE_LISTED, Reason.PORTAL_SAYS_MISSING])
def test_an_order_without_files_gets_a_folder_for_its_page(desk: Desk, reason: Reason) -> None:
    filed = desk.file({}, {NAME: PAGE}, reason)

    assert (filed.folder, filed.notices) == ("Acme/PO1", ())
    assert desk.content == {NAME: PAGE}
    assert (desk.manifest.reason, desk.manifest.files, desk.manifest.is_page_only) == (reason, (), True)
    assert desk.found == []


def test_a_changed_page_and_a_missing_one_are_found(desk: Desk) -> None:
    filed = desk.file({"a.pdf": b"first"}, {NAME: PAGE})
    page = desk.out / filed.folder / NAME

    page.write_bytes(b"the Page")
    changed = desk.found
    problems = desk.tree.verify(filed.folder)
    page.unlink()

    assert changed == [(FindingKind.CHANGED, NAME)]
    assert problems == [f"{NAME} was changed: its SHA-256 differs."]
    assert desk.found == [(FindingKind.MISSING, NAME)]


def test_the_page_counts_among_the_files_that_are_checked(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"}, {NAME: PAGE})
    audit = TreeAudit(desk.out, None, private_name=".poolwright", reports_name="reports")

    list(audit.findings())

    assert audit.counts.file_count == 2


def test_the_page_of_a_later_filing_replaces_the_earlier_one(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"}, {NAME: PAGE})

    filed = desk.file({"a.pdf": b"first", "b.pdf": b"second"}, {NAME: b"the page later"})

    assert filed.notices == ()
    assert desk.content == {"a.pdf": b"first", "b.pdf": b"second", NAME: b"the page later"}
    assert desk.found == []


def test_a_page_is_gone_when_the_next_filing_has_none(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"}, {NAME: PAGE})

    desk.file({"a.pdf": b"other"})

    assert NAME not in desk.content
    assert not any(name.endswith(NAME) for name in desk.content)


def test_a_page_that_someone_changed_is_kept_as_a_note(desk: Desk) -> None:
    filed = desk.file({"a.pdf": b"first"}, {NAME: PAGE})
    (desk.out / filed.folder / NAME).write_bytes(b"with remarks")

    desk.file({"a.pdf": b"first"}, {NAME: PAGE})

    assert desk.content == {"a.pdf": b"first", NAME: PAGE, "order page (2).png": b"with remarks"}


def test_an_attachment_with_the_name_of_the_page_is_no_page(desk: Desk) -> None:
    desk.file({NAME: b"attached"}, {"order page (2).png": PAGE})

    desk.file({"b.pdf": b"second"}, {"order page.png": PAGE})

    [superseded] = [name for name in desk.content if name.startswith("superseded/")]
    assert superseded.endswith(f"/{NAME}")
    assert desk.content[superseded] == b"attached"
    assert desk.found == []


def test_files_of_an_earlier_attempt_stay_and_no_page_takes_their_place(desk: Desk) -> None:
    desk.file({"a.pdf": b"first"})

    filed = desk.file({}, {NAME: PAGE}, Reason.PORTAL_SAYS_MISSING)

    assert (filed.folder, desk.content) == ("", {"a.pdf": b"first"})
    assert "1 file" in filed.notices[0]
    assert "remain in Acme/PO1" in filed.notices[0]


def test_the_page_of_an_order_without_files_is_replaced_by_its_files(desk: Desk) -> None:
    desk.file({}, {NAME: PAGE})

    desk.file({"a.pdf": b"first"})

    assert desk.content == {"a.pdf": b"first"}
    assert not desk.manifest.is_page_only


def test_a_page_stays_if_nothing_is_filed_later_and_that_is_said(desk: Desk) -> None:
    desk.file({}, {NAME: PAGE})

    filed = desk.file({}, reason=Reason.NO_PERMISSION)

    assert (filed.folder, desk.content) == ("", {NAME: PAGE})
    assert filed.notices == ("The page of the order, as it was on 2026-11-23, remains in Acme/PO1.",)


def test_a_filing_that_is_repeated_after_it_succeeded_is_known_by_its_page(desk: Desk, tmp_path: Path) -> None:
    report = replace(Report(reason=Reason.NONE_LISTED, fields={"supplier": "Acme"}), page_evidence=fetched(NAME, PAGE))
    staged = stage(tmp_path / "staged", {NAME: PAGE})
    first = desk.tree.file(task_for("PO1"), report, staged)

    again = desk.tree.file(task_for("PO1"), report, staged)

    assert again.folder == first.folder == "Acme/PO1"
    other = replace(report, page_evidence=fetched(NAME, b"another"))
    with pytest.raises(FileNotFoundError):
        desk.tree.file(task_for("PO1"), other, staged)


def test_a_staged_page_that_is_cut_short_is_not_filed(desk: Desk, tmp_path: Path) -> None:
    report = replace(report_for({"a.pdf": b"first"}), page_evidence=fetched(NAME, PAGE))
    staged = stage(tmp_path / "staged", {"a.pdf": b"first", NAME: PAGE[:3]})

    with pytest.raises(OSError, match="The staged file has 3 bytes"):
        desk.tree.file(task_for("PO1"), report, staged)
