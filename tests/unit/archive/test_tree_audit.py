"""The audit of a tree: what is whole is called whole, and each defect is named by its kind, folder and file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive import tree_audit
from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.archive.tree_audit import FiledOrders, FindingKind, TreeAudit
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.files.disk import sha256_of
from tests.support.archive_orders import report_for, superseded, task_for
from tests.support.filed_trees import file_orders

ORDERS = {"PO1": {"a.pdf": b"first", "b.pdf": b"second"}, "PO2": {"c.pdf": b"third"}}
Found = tuple[FindingKind, str, str]


class ListedOrders:
    """The journal, as far as the audit asks it."""

    def __init__(self, records: list[TaskRecord]) -> None:
        self.records = records

    def find(self, task_id: TaskId, /) -> TaskRecord | None:
        return next((record for record in self.records if record.task.task_id == task_id), None)

    def folders(self) -> Iterator[tuple[TaskId, str]]:
        return ((record.task.task_id, record.folder) for record in self.records if record.folder)


def record(number: str, report: Report, folder: str, *, status: str = "DONE") -> TaskRecord:
    return TaskRecord(task=task_for(number), status=status, attempt_count=1, report=report, folder=folder)


RECORDS = [record(number, report_for(files), f"Acme/{number}") for number, files in ORDERS.items()]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    file_orders(out, ORDERS)
    return out


def audit_of(out: Path, orders: FiledOrders | None = None) -> TreeAudit:
    return TreeAudit(out, orders, private_name=".poolwright", reports_name="reports")


def found(out: Path, records: list[TaskRecord] | None = RECORDS) -> list[Found]:
    findings = audit_of(out, None if records is None else ListedOrders(records)).findings()
    return [(finding.kind, finding.folder, finding.file) for finding in findings]


def sentence(out: Path, records: list[TaskRecord] | None = RECORDS) -> str:
    [finding] = audit_of(out, None if records is None else ListedOrders(records)).findings()
    return finding.text


def test_what_was_filed_is_whole_and_counted(out: Path) -> None:
    audit = audit_of(out, ListedOrders(RECORDS))

    assert list(audit.findings()) == []
    assert (audit.counts.order_count, audit.counts.file_count, audit.counts.size_bytes) == (2, 3, 16)


def test_progress_is_told_for_every_folder(out: Path) -> None:
    seen: list[int] = []
    audit = TreeAudit(out, None, private_name=".poolwright", reports_name="reports", on_progress=lambda: seen.append(1))

    list(audit.findings())

    assert len(seen) >= len(("out", "Acme", "PO1", "PO2", "a.pdf", "b.pdf", "c.pdf"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def link(path: Path) -> None:
    other = path.with_name("other")
    shutil.move(path, other)
    path.symlink_to(other)


HARMS: list[tuple[str, Callable[[Path], object], list[Found], str]] = [
    ("Acme/PO1/a.pdf", flip, [(FindingKind.CHANGED, "Acme/PO1", "a.pdf")], "was changed: its SHA-256 differs."),
    ("Acme/PO1/a.pdf", Path.unlink, [(FindingKind.MISSING, "Acme/PO1", "a.pdf")], "Acme/PO1/a.pdf is missing."),
    (
        "Acme/PO1/a.pdf",
        lambda path: path.write_bytes(b"longer than before"),
        [(FindingKind.CHANGED, "Acme/PO1", "a.pdf")],
        "has 18 bytes instead of 5.",
    ),
    (
        "Acme/PO1/notes/mine.txt",
        lambda path: (path.parent.mkdir(), path.write_bytes(b"")),
        [(FindingKind.ADDED, "Acme/PO1", "notes/mine.txt")],
        "Acme/PO1/notes/mine.txt is not in the manifest.",
    ),
    (
        "Acme/mine.txt",
        lambda path: path.write_bytes(b""),
        [(FindingKind.ADDED, "Acme", "mine.txt")],
        "Acme/mine.txt belongs to no order.",
    ),
    ("mine.txt", lambda path: path.write_bytes(b""), [(FindingKind.ADDED, "", "mine.txt")], "mine.txt belongs to no"),
    (
        "Acme/PO1/manifest.json",
        Path.unlink,
        [(FindingKind.NO_MANIFEST, "Acme/PO1", "")],
        "Acme/PO1 has 2 files and no manifest.json.",
    ),
    (
        "Acme/PO2/manifest.json",
        Path.unlink,
        [(FindingKind.NO_MANIFEST, "Acme/PO2", "")],
        "Acme/PO2 has 1 file and no manifest.json.",
    ),
    (
        "Acme/PO1/manifest.json",
        cut,
        [(FindingKind.DAMAGED_MANIFEST, "Acme/PO1", MANIFEST_NAME)],
        "Acme/PO1/manifest.json is cut short.",
    ),
    (
        "Acme/PO1/manifest.json",
        lambda path: path.write_text('{"schema": 1, "files": []}'),
        [(FindingKind.DAMAGED_MANIFEST, "Acme/PO1", MANIFEST_NAME)],
        "Acme/PO1/manifest.json is damaged or was edited.",
    ),
    (
        "Acme/PO1/manifest.json",
        lambda path: path.write_text(path.read_text().replace('"schema": 1', '"schema": 2')),
        [(FindingKind.NEWER_MANIFEST, "Acme/PO1", "")],
        "Acme/PO1 was filed by a newer version of Poolwright, which has to verify it.",
    ),
    (
        "Acme/PO2",
        shutil.rmtree,
        [(FindingKind.MISSING, "Acme/PO2", "")],
        "Acme/PO2 is missing; the journal has it for PO2.",
    ),
    (
        "Acme/PO2/c.pdf",
        lambda path: (path.unlink(), path.mkdir()),
        [(FindingKind.CHANGED, "Acme/PO2", "c.pdf")],
        "Acme/PO2/c.pdf is no longer a plain file.",
    ),
    (
        "copies",
        lambda path: shutil.copytree(path.parent / "Acme" / "PO1", path / "PO1"),
        [(FindingKind.ADDED, "copies/PO1", "")],
        "copies/PO1 has the files of PO1, which the journal has in Acme/PO1.",
    ),
]


@pytest.mark.parametrize(("path", "harm", "expected", "text"), HARMS)
def test_each_harm_is_named(
    out: Path, path: str, harm: Callable[[Path], object], expected: list[Found], text: str
) -> None:
    harm(out / path)

    assert found(out) == expected
    assert text in sentence(out)


def test_a_link_in_place_of_a_file_is_a_change(out: Path) -> None:
    link(out / "Acme/PO2/c.pdf")

    assert found(out) == [
        (FindingKind.CHANGED, "Acme/PO2", "c.pdf"),
        (FindingKind.ADDED, "Acme/PO2", "other"),
    ]


def test_all_defects_of_all_orders_are_named(out: Path) -> None:
    flip(out / "Acme/PO1/a.pdf")
    (out / "Acme/PO1/b.pdf").unlink()
    shutil.rmtree(out / "Acme/PO2")

    assert found(out) == [
        (FindingKind.CHANGED, "Acme/PO1", "a.pdf"),
        (FindingKind.MISSING, "Acme/PO1", "b.pdf"),
        (FindingKind.MISSING, "Acme/PO2", ""),
    ]


def test_files_that_the_portal_withdrew_are_checked_too(out: Path) -> None:
    file_orders(out, {"PO1": {"a.pdf": b"corrected"}})
    records = [record("PO1", report_for({"a.pdf": b"corrected"}), "Acme/PO1"), RECORDS[1]]
    [earlier, _] = sorted(superseded({"a.pdf": b"first", "b.pdf": b"second"}))
    assert found(out, records) == []

    flip(out / "Acme/PO1" / earlier)

    assert found(out, records) == [(FindingKind.CHANGED, "Acme/PO1", earlier)]


def test_superseded_files_of_a_folder_without_a_manifest_are_part_of_it(out: Path) -> None:
    file_orders(out, {"PO1": {"a.pdf": b"corrected"}})
    (out / "Acme/PO1" / MANIFEST_NAME).unlink()

    assert found(out) == [(FindingKind.NO_MANIFEST, "Acme/PO1", "")]


def test_reports_and_the_private_folder_belong_to_no_order(out: Path) -> None:
    (out / "reports").mkdir()
    (out / "reports" / "orders-report.csv").write_bytes(b"")
    (out / "reports" / "old").mkdir()
    (out / "reports" / "old" / "orders-report.csv").write_bytes(b"")

    assert found(out) == []


def test_orders_of_a_supplier_called_reports_are_checked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file_orders(out, {"PO1": {"a.pdf": b"first"}}, reports={"PO1": report_for({"a.pdf": b"first"}, supplier="reports")})
    flip(out / "reports/PO1/a.pdf")

    assert found(out, None) == [(FindingKind.CHANGED, "reports/PO1", "a.pdf")]


def test_empty_folders_are_no_defect(out: Path) -> None:
    (out / "Acme/PO1/empty").mkdir()
    (out / "Other/empty").mkdir(parents=True)

    assert found(out) == []


def test_an_emptied_folder_is_missing(out: Path) -> None:
    shutil.rmtree(out / "Acme/PO2")
    (out / "Acme/PO2").mkdir()

    assert found(out) == [(FindingKind.MISSING, "Acme/PO2", "")]


def test_a_name_with_another_composition_of_letters_is_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file_orders(out, {"PO1": {"Größe.pdf": b"x"}})
    folder = out / "Acme/PO1"
    text = (folder / MANIFEST_NAME).read_text(encoding="utf-8")
    # as a disk that splits letters returns it: the file has one form, the manifest the other
    (folder / "Größe.pdf").rename(folder / "Gro\u0308ße.pdf")

    kinds = [kind for kind, _, _ in found(out, None)]

    assert "Größe.pdf" in text
    assert FindingKind.ADDED not in kinds


def test_a_single_order_can_be_checked(out: Path) -> None:
    assert found(out / "Acme/PO1", None) == []
    flip(out / "Acme/PO1/b.pdf")

    assert found(out / "Acme/PO1", None) == [(FindingKind.CHANGED, "", "b.pdf")]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([RECORDS[0]], [(FindingKind.ADDED, "Acme/PO2", "")]),
        (
            [RECORDS[0], record("PO2", report_for({"c.pdf": b"other"}), "Acme/PO2")],
            [(FindingKind.JOURNAL_DIFFERS, "Acme/PO2", "")],
        ),
        (
            [RECORDS[0], record("PO2", report_for(ORDERS["PO2"], reason=Reason.SOME_FILES_FAILED), "Acme/PO2")],
            [(FindingKind.JOURNAL_DIFFERS, "Acme/PO2", "")],
        ),
        ([RECORDS[0], record("PO2", report_for({}), "")], []),
        ([RECORDS[0], record("PO2", report_for({"c.pdf": b"other"}), "Acme/PO2", status="QUEUED")], []),
        ([RECORDS[0], replace(record("PO2", report_for({}), ""), report=None, status="RUNNING")], []),
    ],
    ids=["unknown", "other file", "other outcome", "last attempt without files", "is running", "is new"],
)
def test_the_journal_is_asked_about_each_folder(out: Path, records: list[TaskRecord], expected: list[Found]) -> None:
    records = [record for record in records if record.is_over] + [r for r in records if not r.is_over]
    journal = ListedOrders(records)
    journal.folders = lambda: (
        (record.task.task_id, record.folder) for record in records if record.folder and record.is_over
    )

    findings = list(audit_of(out, journal).findings())

    assert [(finding.kind, finding.folder, finding.file) for finding in findings] == expected


def test_a_folder_with_the_files_of_another_order_is_told(out: Path) -> None:
    shutil.rmtree(out / "Acme/PO2")
    (out / "Acme/PO1").rename(out / "Acme/PO2")

    assert found(out) == [
        (FindingKind.ADDED, "Acme/PO2", ""),
        (FindingKind.MISSING, "Acme/PO1", ""),
    ]


def test_an_order_that_is_filed_anew_meanwhile_is_looked_at_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def replaced_under_way(path: Path, check: Callable[[], None]) -> str:
        if not hashed:
            file_orders(out, {"PO1": {"a.pdf": b"later", "b.pdf": b"second"}})
        hashed.append(path.name)
        return sha256_of(path, check)

    monkeypatch.setattr(tree_audit, "sha256_of", replaced_under_way)
    records = [record("PO1", report_for({"a.pdf": b"later", "b.pdf": b"second"}), "Acme/PO1"), RECORDS[1]]

    audit = audit_of(out, ListedOrders(records))

    assert list(audit.findings()) == []
    assert hashed.count("a.pdf") > 1
    assert audit.counts.order_count == 2


def test_a_tree_that_nests_too_deep_is_told_and_not_searched(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_audit, "DEPTH_MAX", 2)
    (out / "a/b/c/d").mkdir(parents=True)

    assert found(out) == [(FindingKind.UNREADABLE, "a/b/c", "")]


@pytest.mark.parametrize(
    ("forbidden", "expected"),
    [
        ("Acme", (FindingKind.UNREADABLE, "Acme", "")),
        ("Acme/PO1", (FindingKind.UNREADABLE, "Acme/PO1", "")),
        ("Acme/PO1/notes", (FindingKind.UNREADABLE, "Acme/PO1", "")),
        ("Acme/PO1/manifest.json", (FindingKind.UNREADABLE, "Acme/PO1", MANIFEST_NAME)),
    ],
)
def test_what_cannot_be_read_is_told(
    out: Path, monkeypatch: pytest.MonkeyPatch, forbidden: str, expected: Found
) -> None:
    (out / "Acme/PO1/notes").mkdir()
    scan, read = os.scandir, Path.read_bytes

    def refuse(path: Path) -> None:
        if path == out / forbidden:
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", lambda path: refuse(Path(path)) or scan(path))
    monkeypatch.setattr(Path, "read_bytes", lambda path: refuse(path) or read(path))

    assert found(out, None) == [expected]


def test_a_disk_that_fails_in_the_middle_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, _: Callable[[], None]) -> str:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(tree_audit, "sha256_of", fail)

    assert found(out / "Acme/PO2", None) == [(FindingKind.UNREADABLE, "", "c.pdf")]
