"""What an order had before, when it is filed anew: nothing that the portal takes back is lost, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.archive.manifest import FileChange, Manifest
from poolwright.archive.output_tree import OutputTree
from poolwright.domain.ports import Filed
from poolwright.files.names import UniqueNames
from tests.support.archive_orders import StoppedClock, contents, fetched, report_for, stage, superseded, task_for

FILES = {"Invoice 1.pdf": b"first", "Größe (2).xlsx": b"second" * 1000}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def tree(out: Path) -> OutputTree:
    return OutputTree(out, clock=StoppedClock())


def test_what_an_earlier_try_fetched_stays_until_the_order_is_complete(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    tries: list[tuple[dict[str, bytes], tuple[str, ...]]] = [
        ({"a.pdf": b"a", "b.pdf": b"b"}, ("c.pdf",)),
        ({"c.pdf": b"c", "a.pdf": b"a, corrected"}, ("b.pdf",)),
        ({"a.pdf": b"a, corrected", "b.pdf": b"b", "c.pdf": b"c"}, ()),
    ]
    seen: list[dict[str, bytes]] = []
    told: list[tuple[str, ...]] = []
    for attempt, (files, missed) in enumerate(tries):
        staged = stage(tmp_path / str(attempt), files)
        filed = tree.file(task_for("PO1", attempt=attempt), report_for(files, missed=missed), staged)
        seen.append(contents(out / filed.folder))
        told.append(filed.notices)

    assert seen[0] == tries[0][0]
    assert seen[1] == {**tries[1][0], "b.pdf": b"b", **superseded({"a.pdf": b"a"})}
    assert seen[2] == {**tries[2][0], **superseded({"a.pdf": b"a"})}
    changed = "Changed or withdrawn by the portal; old versions are in superseded: a.pdf (changed, 2026-11-23)."
    assert told == [(), (changed, "Not downloaded this time; kept from an earlier attempt: b.pdf."), (changed,)]


def test_what_was_kept_from_an_earlier_try_and_is_changed_then_is_superseded(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    tree.file(task_for("PO1"), report_for({"b.pdf": b"b"}), stage(tmp_path / "1", {"b.pdf": b"b"}))
    tree.file(task_for("PO1"), report_for({"a.pdf": b"a"}, missed=("b.pdf",)), stage(tmp_path / "2", {"a.pdf": b"a"}))
    newest = {"a.pdf": b"a", "b.pdf": b"b, corrected"}

    folder = tree.file(task_for("PO1"), report_for(newest), stage(tmp_path / "3", newest)).folder

    assert contents(out / folder) == {**newest, **superseded({"b.pdf": b"b"})}


def test_what_the_portal_changed_or_withdrew_is_kept_beside_the_new_and_told(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    newer = {"Invoice 1.pdf": b"corrected", "prices.pdf": b"new"}

    filed = tree.file(task_for("PO1"), report_for(newer), stage(tmp_path / "2", newer))

    assert contents(out / filed.folder) == {**newer, **superseded(FILES)}
    [sentence] = filed.notices
    assert sentence == (
        "Changed or withdrawn by the portal; old versions are in superseded:"
        " Invoice 1.pdf (changed, 2026-11-23), Größe (2).xlsx (withdrawn, 2026-11-23)."
    )
    earlier = Manifest.read(out / filed.folder).earlier
    assert [(file.name, file.change, file.kept_as) for file in earlier] == [
        ("Invoice 1.pdf", FileChange.CHANGED, "superseded/2026-11-23T12-00-00Z/Invoice 1.pdf"),
        ("Größe (2).xlsx", FileChange.WITHDRAWN, "superseded/2026-11-23T12-00-00Z/Größe (2).xlsx"),
    ]
    assert tree.verify(filed.folder) == []


def test_the_same_files_again_keep_nothing_more(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    newer = {"Invoice 1.pdf": b"corrected"}
    for run, files in enumerate((FILES, newer, newer, newer)):
        tree.file(task_for("PO1"), report_for(files), stage(tmp_path / str(run), files))

    assert contents(out / "Acme/PO1") == {**newer, **superseded(FILES)}


def test_a_portal_that_goes_back_and_forth_has_each_file_kept_once(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    one, other = {"a.pdf": b"one"}, {"a.pdf": b"other"}
    for run, files in enumerate((one, other, one, other, one)):
        tree.file(task_for("PO1"), report_for(files), stage(tmp_path / str(run), files))

    assert contents(out / "Acme/PO1") == {**one, **superseded(other)}


def test_a_file_that_takes_the_name_of_one_that_is_gone_is_not_a_change(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    """Where all are called ``Download``, numbers move up when one is withdrawn."""
    former = {"Download.pdf": b"one", "Download (2).pdf": b"two"}
    tree.file(task_for("PO1"), report_for(former), stage(tmp_path / "1", former))
    fewer = {"Download.pdf": b"two"}

    folder = tree.file(task_for("PO1"), report_for(fewer), stage(tmp_path / "2", fewer)).folder

    [earlier] = Manifest.read(out / folder).earlier
    assert (earlier.sha256, earlier.change) == (fetched("", b"one").sha256, FileChange.WITHDRAWN)


def test_what_people_put_among_the_superseded_files_stays_there(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    newer, newest = {"Invoice 1.pdf": b"corrected"}, {"Invoice 1.pdf": b"corrected again"}
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    folder = out / tree.file(task_for("PO1"), report_for(newer), stage(tmp_path / "2", newer)).folder
    (folder / "superseded" / "why").mkdir()
    (folder / "superseded" / "why" / "note.txt").write_bytes(b"mine")

    folder = out / tree.file(task_for("PO1"), report_for(newest), stage(tmp_path / "3", newest)).folder

    kept = {**superseded({**FILES, "Invoice 1 (2).pdf": b"corrected"}), "superseded/why/note.txt": b"mine"}
    assert contents(folder) == {**newest, **kept}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_a_person_called_superseded_stands_in_nobodys_way(
    tree: OutputTree, out: Path, tmp_path: Path, kind: str
) -> None:
    folder = out / tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES)).folder
    if kind == "file":
        (folder / "superseded").write_bytes(b"mine")
    else:
        (folder / "superseded").symlink_to(tmp_path)
    newer = {"Invoice 1.pdf": b"corrected"}

    folder = out / tree.file(task_for("PO1"), report_for(newer), stage(tmp_path / "2", newer)).folder

    assert superseded(FILES).items() <= contents(folder).items()
    assert (folder / "superseded (2)").exists()


def test_an_order_without_files_now_says_where_those_of_an_earlier_time_are(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))

    filed = tree.file(task_for("PO1"), report_for({}), stage(tmp_path / "2", {}))

    assert filed == Filed(folder="", notices=("The files downloaded on 2026-11-23 (2 files) remain in Acme/PO1.",))


def test_a_file_that_only_has_another_name_now_is_kept_once(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    fewer = {"Invoice 2.pdf": FILES["Invoice 1.pdf"]}

    folder = tree.file(task_for("PO1"), report_for(fewer), stage(tmp_path / "2", fewer)).folder

    assert contents(out / folder) == {**fewer, **superseded({"Größe (2).xlsx": FILES["Größe (2).xlsx"]})}


def test_a_sentence_names_some_and_counts_the_rest(tree: OutputTree, tmp_path: Path) -> None:
    former = {f"{number}.pdf": b"%d" % number for number in range(8)}
    tree.file(task_for("PO1"), report_for(former), stage(tmp_path / "1", former))

    filed = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "2", FILES))

    assert filed.notices[0].endswith("4.pdf (withdrawn, 2026-11-23) and 3 more, listed in manifest.json.")


def test_what_a_person_changed_is_not_said_to_be_the_portals_doing(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    folder = out / tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES)).folder
    (folder / "Invoice 1.pdf").write_bytes(b"stamped")
    newer = {**FILES, "Invoice 1.pdf": b"corrected"}

    filed = tree.file(task_for("PO1"), report_for(newer), stage(tmp_path / "2", newer))

    assert contents(out / filed.folder) == {**newer, "Invoice 1 (2).pdf": b"stamped"}
    assert filed.notices == ()


def test_the_folder_of_a_supplier_that_was_renamed_takes_along_what_is_superseded(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    newer = {"Invoice 1.pdf": b"corrected"}
    for run, (supplier, files) in enumerate((("Acme", FILES), ("Acme", newer), ("Other", newer))):
        tree.file(task_for("PO1"), report_for(files, supplier=supplier), stage(tmp_path / str(run), files))

    assert not (out / "Acme/PO1").exists()
    assert contents(out / "Other/PO1") == {**newer, **superseded(FILES)}


def test_an_attachment_called_superseded_gets_another_name() -> None:
    assert UniqueNames().allocate("Superseded") == "Superseded (2)"
