"""A finished order that is looked at again: what did not change stays the same file on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Filed
from poolwright.domain.tasks import FetchedFile, Report
from tests.support.archive_orders import (
    StoppedClock,
    contents,
    fetched,
    left_behind,
    report_for,
    stage,
    superseded,
    task_for,
)

FILES = {"a.pdf": b"a", "b.pdf": b"b", "c.pdf": b"c"}
KNOWN = tuple(fetched(name, content) for name, content in FILES.items())
LONG_AGO_S = 1_000_000_000


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def tree(out: Path, tmp_path: Path) -> OutputTree:
    """A tree with one order, filed long ago."""
    tree = OutputTree(out, clock=StoppedClock())
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "first", FILES))
    for path in (out / "Acme/PO1").iterdir():
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return tree


def identities(folder: Path) -> dict[str, tuple[int, float]]:
    """Inode and time of each file."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime) for path in folder.iterdir()}


def refresh(
    tree: OutputTree,
    folder: Path,
    files: Mapping[str, bytes],
    *,
    report: Report | None = None,
    known: tuple[FetchedFile, ...] = KNOWN,
) -> Filed:
    task = replace(task_for("PO1"), known_files=known)
    return tree.file(task, report or report_for(files), stage(folder, files))


def test_nothing_is_touched_if_nothing_changed(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    before = identities(out / "Acme/PO1")
    inode = (out / "Acme/PO1").stat().st_ino

    filed = refresh(tree, tmp_path / "again", FILES)

    assert filed == Filed(folder="Acme/PO1")
    assert identities(out / "Acme/PO1") == before
    assert (out / "Acme/PO1").stat().st_ino == inode
    assert tree.verify("Acme/PO1") == []


def test_what_did_not_change_stays_the_same_file_and_the_rest_is_superseded(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    before = identities(out / "Acme/PO1")
    newer = {"a.pdf": b"a", "b.pdf": b"b, corrected", "d.pdf": b"d"}

    filed = refresh(tree, tmp_path / "again", newer)

    after = identities(out / "Acme/PO1")
    assert contents(out / "Acme/PO1") == {**newer, **superseded({"b.pdf": b"b", "c.pdf": b"c"})}
    assert after["a.pdf"] == before["a.pdf"]
    assert after["b.pdf"] != before["b.pdf"]
    [notice] = filed.notices
    assert notice.endswith("in superseded: b.pdf (changed, 2026-11-23), c.pdf (withdrawn, 2026-11-23).")
    assert tree.verify("Acme/PO1") == []
    assert left_behind(out) == []
    assert (out / "Acme/PO1/a.pdf").stat().st_nlink == 1


def test_a_file_with_another_name_stays_the_same_file(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    before = identities(out / "Acme/PO1")

    refresh(tree, tmp_path / "again", {"a.pdf": b"a", "b.pdf": b"b", "z.pdf": b"c"})

    assert identities(out / "Acme/PO1")["z.pdf"] == before["c.pdf"]
    assert contents(out / "Acme/PO1") == {"a.pdf": b"a", "b.pdf": b"b", "z.pdf": b"c"}


@pytest.mark.parametrize(
    "report",
    [
        Report(reason=Reason.PORTAL_SAYS_MISSING),
        report_for({"a.pdf": b"changed"}, missed=("b.pdf",)),
    ],
    ids=["not found", "a part"],
)
def test_a_refresh_without_success_touches_nothing(tree: OutputTree, out: Path, tmp_path: Path, report: Report) -> None:
    before = identities(out / "Acme/PO1")

    filed = refresh(tree, tmp_path / "again", {file.name: b"changed" for file in report.files}, report=report)

    assert filed == Filed(folder="Acme/PO1")
    assert identities(out / "Acme/PO1") == before


def test_an_order_whose_files_are_all_withdrawn_keeps_its_folder_and_says_so(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    before = identities(out / "Acme/PO1")

    filed = refresh(tree, tmp_path / "again", {})

    assert filed.notices == ("The files downloaded on 2026-11-23 (3 files) remain in Acme/PO1.",)
    assert identities(out / "Acme/PO1") == before


def test_an_order_that_had_no_files_gets_its_first(out: Path, tmp_path: Path) -> None:
    tree = OutputTree(out, clock=StoppedClock())

    assert refresh(tree, tmp_path / "none", {}, known=()) == Filed(folder="")
    filed = refresh(tree, tmp_path / "again", FILES, known=())

    assert contents(out / filed.folder) == FILES


def test_a_file_that_was_changed_on_the_disk_is_replaced_by_the_right_one(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    (out / "Acme/PO1/a.pdf").write_bytes(b"stamped")
    newer = {**FILES, "d.pdf": b"d"}

    refresh(tree, tmp_path / "again", newer)

    assert contents(out / "Acme/PO1") == {**newer, "a (2).pdf": b"stamped"}
    assert tree.verify("Acme/PO1") == []


def test_a_disk_without_links_gets_the_new_copies(
    tree: OutputTree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _: Path) -> None:
        raise OSError(95, "Operation not supported", str(path))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    newer = {**FILES, "d.pdf": b"d"}

    refresh(tree, tmp_path / "again", newer)

    assert contents(out / "Acme/PO1") == newer
    assert tree.verify("Acme/PO1") == []


def test_a_refresh_that_was_cut_off_before_its_end_is_repeated(
    tree: OutputTree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identities(out / "Acme/PO1")
    newer = {"a.pdf": b"a", "b.pdf": b"b, corrected"}
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output error"):
        refresh(tree, tmp_path / "again", newer)
    monkeypatch.setattr(Path, "rename", rename)
    assert contents(out / "Acme/PO1") == FILES

    task = replace(task_for("PO1"), known_files=KNOWN)
    tree.file(task, report_for(newer), tmp_path / "again")

    assert identities(out / "Acme/PO1")["a.pdf"] == before["a.pdf"]
    assert contents(out / "Acme/PO1") == {**newer, **superseded({"b.pdf": b"b", "c.pdf": b"c"})}


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_was_not_downloaded_again_is_filed_from_the_disk(
    tree: OutputTree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    def refuse(path: Path, _: Path) -> None:
        raise OSError(95, "Operation not supported", str(path))

    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    before = identities(out / "Acme/PO1")
    newer = {"a.pdf": b"a", "b.pdf": b"b", "d.pdf": b"d"}
    task = replace(task_for("PO1"), known_files=KNOWN)

    filed = tree.file(task, report_for(newer), stage(tmp_path / "again", {"d.pdf": b"d"}))

    after = identities(out / filed.folder)
    assert contents(out / filed.folder) == {**newer, **superseded({"c.pdf": b"c"})}
    assert [after[name][1] for name in ("a.pdf", "b.pdf")] == [LONG_AGO_S, LONG_AGO_S]
    assert (after["a.pdf"] == before["a.pdf"]) is has_links
    assert tree.verify(filed.folder) == []


def test_a_file_that_is_neither_here_nor_there_is_never_filed(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    (out / "Acme/PO1/a.pdf").unlink()
    task = replace(task_for("PO1"), known_files=KNOWN)

    with pytest.raises(FileNotFoundError):
        tree.file(task, report_for({"a.pdf": b"a", "d.pdf": b"d"}), stage(tmp_path / "again", {"d.pdf": b"d"}))

    assert contents(out / "Acme/PO1") == {"b.pdf": b"b", "c.pdf": b"c"}
