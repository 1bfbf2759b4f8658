from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from loguru import logger

from poolwright.archive.intents import task_key
from poolwright.archive.manifest import MANIFEST_NAME, Manifest
from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.archive.target_folder import SpellingVariants
from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.ports import Archive
from tests.support.archive_orders import (
    NOON,
    StoppedClock,
    contents,
    folders_of,
    left_behind,
    report_for,
    stage,
    superseded,
    task_for,
)

FILES = {"Invoice 1.pdf": b"first", "Größe (2).xlsx": b"second" * 1000}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def tree(out: Path) -> OutputTree:
    return OutputTree(out, clock=StoppedClock())


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_order_gets_one_folder_with_its_files_and_a_manifest(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    archive: Archive = tree
    task, report = task_for("PO1001"), report_for(FILES)

    filed = archive.file(task, report, stage(tmp_path / "s", FILES))

    assert filed.folder == "Acme/PO1001"
    assert contents(out / filed.folder) == FILES
    manifest = Manifest.read(out / filed.folder)
    assert manifest.covers(task, report)
    assert manifest.fetched_at == NOON
    assert tree.verify(filed.folder, task.task_id) == []
    assert left_behind(out) == []


def test_a_partial_order_is_filed_too_and_its_manifest_tells_what_is_missing(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    filed = tree.file(task_for("PO1"), report_for(FILES, missed=("lost.pdf",)), stage(tmp_path / "s", FILES))

    manifest = Manifest.read(out / filed.folder)
    assert manifest.outcome is Outcome.PARTIAL
    assert manifest.links_found_count == 3
    assert [missed.label for missed in manifest.missed] == ["lost.pdf"]


def test_an_order_without_files_gets_no_folder(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    assert tree.file(task_for("PO1"), report_for({}), stage(tmp_path / "s", {})).folder == ""
    assert [path.name for path in out.iterdir()] == [PRIVATE_NAME]


def test_an_order_without_files_leaves_what_an_earlier_run_fetched(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    filed = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))

    tree.file(task_for("PO1"), report_for({}, reason=Reason.PORTAL_SAYS_MISSING), stage(tmp_path / "2", {}))

    assert tree.verify(filed.folder) == []


def test_files_and_folders_have_the_permissions_that_the_user_gives(
    umask: int, tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    folder = out / tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder

    assert {mode(path) for path in folder.iterdir()} == {0o666 & ~umask}
    assert mode(folder) == mode(folder.parent) == mode(out) == 0o777 & ~umask


def test_everything_private_is_closed_to_others(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES, evidence={"page.png": b""}))

    for path in [out / PRIVATE_NAME, *(out / PRIVATE_NAME).rglob("*")]:
        assert mode(path) == (0o700 if path.is_dir() else 0o600)


def test_a_second_filing_replaces_the_first(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    task = task_for("PO1")
    tree.file(task, report_for(FILES), stage(tmp_path / "1", FILES))
    newer = {"Invoice 1.pdf": b"corrected"}

    filed = tree.file(task, report_for(newer), stage(tmp_path / "2", newer))

    assert folders_of(out, task) == [out / "Acme/PO1"]
    assert contents(out / filed.folder) == {**newer, **superseded(FILES)}
    assert left_behind(out) == []


def test_an_order_whose_supplier_was_renamed_moves(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    task = task_for("PO1")
    tree.file(task, report_for(FILES, supplier="Acme"), stage(tmp_path / "1", FILES))

    tree.file(task, report_for(FILES, supplier="Acme Holding"), stage(tmp_path / "2", FILES))

    assert folders_of(out, task) == [out / "Acme Holding/PO1"]
    assert not (out / "Acme").exists()
    assert left_behind(out) == []


def test_the_folder_of_a_supplier_stays_while_others_are_in_it(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    tree.file(task_for("PO2"), report_for(FILES), stage(tmp_path / "2", FILES))

    tree.file(task_for("PO1"), report_for(FILES, supplier="Other"), stage(tmp_path / "3", FILES))

    assert folders_of(out, task_for("PO2")) == [out / "Acme/PO2"]


def test_an_order_is_found_again_by_another_run(out: Path, tmp_path: Path) -> None:
    for run, supplier in enumerate(("Acme", "Other", "Acme", "Third")):
        tree = OutputTree(out, clock=StoppedClock())
        tree.file(task_for("PO1"), report_for(FILES, supplier=supplier), stage(tmp_path / str(run), FILES))

    assert folders_of(out, task_for("PO1")) == [out / "Third/PO1"]


def test_notes_and_changed_files_of_people_move_into_the_new_folder(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    task = task_for("PO1")
    folder = out / tree.file(task, report_for(FILES), stage(tmp_path / "1", FILES)).folder
    (folder / "approved.txt").write_text("by me")
    (folder / "scans").mkdir()
    (folder / "scans" / "1.png").write_bytes(b"scan")
    (folder / "Invoice 1.pdf").write_bytes(b"stamped")

    filed = tree.file(task, report_for(FILES, supplier="Other"), stage(tmp_path / "2", FILES))

    folder = out / filed.folder
    assert tree.verify(filed.folder) == []
    assert (folder / "approved.txt").read_text() == "by me"
    assert (folder / "scans" / "1.png").read_bytes() == b"scan"
    assert (folder / "Invoice 1 (2).pdf").read_bytes() == b"stamped"
    assert len(list(folder.iterdir())) == len(FILES) + len({"approved", "scans", "stamped", "manifest"})
    assert left_behind(out) == []


def test_orders_whose_names_fall_together_get_a_folder_each(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    numbers = ["PO/1", "PO:1", "PO?1"]
    for run in ("a", "b"):
        folders = {
            number: tree.file(
                task_for(number), report_for(FILES), stage(tmp_path / run / str(ord(number[2])), FILES)
            ).folder
            for number in numbers
        }

    assert list(folders.values()) == ["Acme/PO_1", "Acme/PO_1 (2)", "Acme/PO_1 (3)"]
    assert all(Manifest.read(out / folder).po_number == number for number, folder in folders.items())


@pytest.mark.parametrize("obstacle", ["file", "folder of a person", "broken link", "link"])
def test_what_is_not_ours_is_never_touched(tree: OutputTree, out: Path, tmp_path: Path, obstacle: str) -> None:
    place = out / "Acme" / "PO1"
    place.parent.mkdir(parents=True)
    match obstacle:
        case "file":
            place.write_text("mine")
        case "folder of a person":
            place.mkdir()
            (place / "notes.txt").write_text("mine")
        case "broken link":
            place.symlink_to(tmp_path / "nowhere")
        case _:
            place.symlink_to(tmp_path)
    before = place.lstat()

    filed = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES))

    assert filed.folder == "Acme/PO1 (2)"
    assert place.lstat().st_ino == before.st_ino
    assert tree.verify(filed.folder) == []


def test_a_folder_that_a_person_moved_and_linked_is_left_alone(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    folder = out / tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES)).folder
    moved = folder.rename(out / "checked PO1")
    folder.symlink_to(moved)

    filed = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "2", FILES))

    assert filed.folder == "Acme/PO1 (2)"
    assert tree.verify("checked PO1") == []


def test_files_are_on_the_disk_before_the_folder_moves_and_the_move_is_before_the_end(
    tree: OutputTree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int | str] = []
    fsync, rename = os.fsync, os.rename

    def told_fsync(descriptor: int) -> None:
        steps.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def told_rename(origin: Path, target: Path) -> None:
        steps.append("rename")
        rename(origin, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(os, "rename", told_rename)
    folder = out / tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder

    before, after = steps[: steps.index("rename")], steps[steps.index("rename") :]
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} <= set(before)
    assert {out.stat().st_ino, (out / PRIVATE_NAME / "filing").stat().st_ino} <= set(before)
    assert folder.parent.stat().st_ino in after
    assert after.count("rename") == 1


def test_an_empty_folder_is_taken(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    (out / "Acme" / "PO1").mkdir(parents=True)

    assert tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder == "Acme/PO1"


def test_no_order_is_filed_within_another_orders_folder(out: Path, tmp_path: Path) -> None:
    flat = OutputTree(out, "{supplier}", clock=StoppedClock())
    flat.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    deep = OutputTree(out, clock=StoppedClock())

    assert deep.file(task_for("PO2"), report_for(FILES), stage(tmp_path / "2", FILES)).folder == "Acme (2)/PO2"
    assert flat.file(task_for("PO3"), report_for(FILES), stage(tmp_path / "3", FILES)).folder == "Acme (3)"


def test_a_supplier_that_is_a_file_gets_another_folder(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    out.mkdir()
    (out / "Acme").write_text("a file")

    assert tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder == "Acme (2)/PO1"


def test_a_link_in_the_tree_does_not_lead_out_of_it(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    out.mkdir()
    (out / "Acme").symlink_to(outside)

    with pytest.raises(PermissionError, match="leads out of the output folder"):
        tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES))

    assert list(outside.iterdir()) == []


def test_the_same_folder_under_two_names_is_not_taken_for_an_older_one(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    """On a file system without case, ``ACME`` and ``Acme`` are one; here a link makes them one."""
    task = task_for("PO1")
    tree.file(task, report_for(FILES, supplier="Acme"), stage(tmp_path / "1", FILES))
    (out / "ACME").symlink_to(out / "Acme")

    filed = tree.file(task, report_for(FILES, supplier="ACME"), stage(tmp_path / "2", FILES))

    assert tree.verify(filed.folder) == []
    assert tree.verify("Acme/PO1") == []


@pytest.mark.parametrize("supplier", ["../../..", "/etc", "..", "C:\\Windows", ".poolwright", "x" * 500, "CON"])
def test_no_supplier_leads_out_of_the_output_folder(tree: OutputTree, out: Path, tmp_path: Path, supplier: str) -> None:
    filed = tree.file(task_for("PO1"), report_for(FILES, supplier=supplier), stage(tmp_path / "s", FILES))

    assert out.resolve() in (out / filed.folder).resolve().parents
    assert not filed.folder.startswith(PRIVATE_NAME)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "s"}


def test_what_a_broken_download_left_is_not_filed(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    staged = stage(tmp_path / "s", {**FILES, "half.pdf": b"ha"})
    (staged / "files" / "folder").mkdir()

    filed = tree.file(task_for("PO1"), report_for(FILES), staged)

    assert contents(out / filed.folder) == FILES


@pytest.mark.parametrize(
    "staged_files", [{"Invoice 1.pdf": b"first"}, {**FILES, "Invoice 1.pdf": b"shorter or longer"}]
)
def test_nothing_is_filed_when_a_staged_file_is_not_there_whole(
    tree: OutputTree, out: Path, tmp_path: Path, staged_files: dict[str, bytes]
) -> None:
    with pytest.raises(OSError, match=r"Größe|Invoice"):
        tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", staged_files))

    assert folders_of(out, task_for("PO1")) == []


def test_a_staging_folder_that_is_gone_is_told(tree: OutputTree, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No staged files for PO1"):
        tree.file(task_for("PO1"), report_for(FILES), tmp_path / "gone")


def test_an_older_attempts_folder_does_not_pass_for_a_filing_whose_staging_folder_is_gone(
    tree: OutputTree, tmp_path: Path
) -> None:
    tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES))

    with pytest.raises(FileNotFoundError):
        tree.file(task_for("PO1", attempt=2), report_for(FILES), tmp_path / "gone")


def test_a_staging_folder_on_another_file_system_is_refused_in_a_clear_sentence(
    tree: OutputTree, out: Path, tmp_path: Path
) -> None:
    here = tmp_path.stat().st_dev
    places = [place for place in (Path("/dev/shm"), Path(tempfile.gettempdir()), Path.home()) if place.is_dir()]
    elsewhere = next((place for place in places if place.stat().st_dev != here), None)
    if elsewhere is None:
        pytest.skip("needs a second file system")

    with pytest.raises(OSError, match="different file systems; put the staging folder below the output folder"):
        tree.file(task_for("PO1"), report_for(FILES), elsewhere)


def test_discarding_removes_what_is_left_and_may_be_repeated(tree: OutputTree, tmp_path: Path) -> None:
    staged = stage(tmp_path / "s", FILES)

    tree.discard(staged)
    tree.discard(staged)

    assert not staged.exists()


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ENOTEMPTY, errno.EACCES])
def test_what_cannot_be_discarded_is_told_in_the_log_and_stops_nobody(
    tree: OutputTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr("poolwright.archive.output_tree.shutil.rmtree", refuse)
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{level} {message}")
    try:
        tree.discard(tmp_path / "s")
    finally:
        logger.remove(sink)

    assert lines == [f"WARNING could not remove {tmp_path / 's'} ({os.strerror(code)}); the next run will try again\n"]


def test_many_threads_file_many_orders_of_one_name(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    tasks = [task_for(f"PO{char}1") for char in '/:?*|<>"']
    staged = [stage(tmp_path / str(number), FILES) for number in range(len(tasks))]

    with ThreadPoolExecutor(8) as threads:
        filed = list(threads.map(tree.file, tasks, [report_for(FILES)] * len(tasks), staged))

    assert len({each.folder for each in filed}) == len(tasks)
    assert all(tree.verify(each.folder, task.task_id) == [] for each, task in zip(filed, tasks, strict=True))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "Invoice 1.pdf").unlink(), "Invoice 1.pdf is missing."),
        (lambda folder: (folder / "Invoice 1.pdf").write_bytes(b"longer than it was"), "instead of 5"),
        (lambda folder: (folder / "Invoice 1.pdf").write_bytes(b"FIRST"), "its SHA-256 differs"),
        (lambda folder: (folder / MANIFEST_NAME).unlink(), "has no manifest.json"),
        (lambda folder: (folder / MANIFEST_NAME).write_text("{}"), "is damaged or was edited"),
    ],
)
def test_a_folder_that_is_no_longer_whole_is_told(
    tree: OutputTree, out: Path, tmp_path: Path, damage: object, said: str
) -> None:
    assert callable(damage)
    folder = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder
    damage(out / folder)

    problems = tree.verify(folder)

    assert len(problems) == 1
    assert said in problems[0]


def test_a_folder_that_is_gone_or_another_orders_is_told(tree: OutputTree, tmp_path: Path) -> None:
    folder = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder

    assert tree.verify("") == ["The order has no folder."]
    assert tree.verify("Acme/PO2") == ["PO2 has no manifest.json."]
    assert "leads out" in tree.verify("../..")[0]
    assert tree.verify(folder, task_for("PO2").task_id) == ["Acme/PO1 contains the files of another order, PO1."]


def test_a_note_of_a_person_does_not_spoil_a_folder(tree: OutputTree, out: Path, tmp_path: Path) -> None:
    folder = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "s", FILES)).folder
    (out / folder / "note.txt").write_text("hello")

    assert tree.verify(folder) == []


def test_a_bad_template_is_refused_before_any_order(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="brace"):
        OutputTree(tmp_path, "{supplier", clock=StoppedClock())


@pytest.mark.parametrize(
    ("first", "second", "folder"),
    [
        (("PO-a1", "Acme"), ("PO-A1", "Acme"), "Acme/PO-A1 (2)"),
        (("PO-A1", "Acme"), ("po-a1", "Acme"), "Acme/po-a1 (2)"),
        (("PO-a1", "ACME"), ("PO-A1", "Acme"), "ACME/PO-A1 (2)"),
        (("PO-1", "STRASSE"), ("PO-2", "Stra\u00dfe"), "STRASSE/PO-2"),
        (("PO-\u00e41", "Acme"), ("PO-\u00c41", "Acme"), "Acme/PO-\u00c41 (2)"),
        (("PO-a1", "Acme"), ("PO-B1", "Acme"), "Acme/PO-B1"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_folders_that_some_disks_take_for_one_are_kept_apart(
    out: Path, tmp_path: Path, first: tuple[str, str], second: tuple[str, str], folder: str, is_known: bool
) -> None:
    tree = OutputTree(out, clock=StoppedClock())
    before = tree.file(task_for(first[0]), report_for(FILES, supplier=first[1]), stage(tmp_path / "1", FILES)).folder
    later = tree if is_known else OutputTree(out, clock=StoppedClock())

    told = [
        later.file(
            task_for(second[0]), report_for(FILES, supplier=second[1]), stage(tmp_path / f"2{turn}", FILES)
        ).folder
        for turn in (1, 2)
    ]

    assert told == [folder, folder]
    assert Manifest.read(out / before).po_number == first[0]
    assert later.verify(before, task_for(first[0]).task_id) == []


def test_an_order_whose_number_is_written_otherwise_than_before_keeps_one_folder(out: Path, tmp_path: Path) -> None:
    task = task_for("po-a1")
    OutputTree(out, clock=StoppedClock()).file(task, report_for(FILES), stage(tmp_path / "1", FILES))
    again = replace(task, po_number="PO-A1")

    filed = OutputTree(out, clock=StoppedClock()).file(again, report_for(FILES), stage(tmp_path / "2", FILES))

    assert filed.folder == "Acme/PO-A1"
    assert folders_of(out, task) == [out / "Acme/PO-A1"]


def test_of_many_folders_none_is_listed_twice(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Mixed Name", "mixed name", "UPPER", "lower"):
        (out / name).mkdir(parents=True)
    listed: list[Path] = []
    listing = Path.iterdir

    def count(place: Path) -> Iterator[Path]:
        listed.append(place)
        return listing(place)

    monkeypatch.setattr(Path, "iterdir", count)
    known = SpellingVariants()

    assert known.find(out / "MIXED NAME") == [out / "Mixed Name", out / "mixed name"]
    assert known.find(out / "Upper") == [out / "UPPER"]
    assert known.find(out / "lower") == []
    assert listed == [out]


def test_an_order_that_no_list_gave_the_columns_of_the_template_says_why_its_folder_is_called_unknown(
    out: Path, tmp_path: Path
) -> None:
    tree = OutputTree(out, "{Buyer}/{Plant}/{number}", clock=StoppedClock(), columns=("Plant", "Buyer"))
    listed = replace(task_for("PO2"), cells={"Buyer": "Ann", "Plant": ""})

    bare = tree.file(task_for("PO1"), report_for(FILES), stage(tmp_path / "1", FILES))
    known = tree.file(listed, report_for(FILES), stage(tmp_path / "2", FILES))

    assert bare.folder == "Unknown/Unknown/PO1"
    (notice,) = bare.notices
    assert notice == (
        "Its folder is called Unknown, as no list with the column Buyer and Plant has named this order; submit such a "
        "list with --redo all to move it."
    )
    assert (known.folder, known.notices) == ("Ann/Unknown/PO2", ())


def test_a_damaged_record_of_an_unfinished_filing_is_kept_and_told_once(tree: OutputTree, out: Path) -> None:
    filing = out / PRIVATE_NAME / "filing"
    filing.mkdir(parents=True)
    (filing / "a.json").write_text("{ cut")
    (filing / "b.json").write_bytes(b"")
    whole = '{"task_id": "demo:1", "folder": "Acme/PO1"}'
    (filing / f"{task_key(TaskId('demo:1'))}.json").write_text(whole)

    told = tree.recover()

    assert [path.name for path in sorted(filing.iterdir())] == ["a.json.broken", "b.json.broken"]
    assert (filing / "a.json.broken").read_text() == "{ cut"
    assert told[0] == (
        "The record of a filing that an earlier run left unfinished is damaged; it is kept as "
        f"{filing / 'a.json.broken'}. `poolwright verify {out}` shows whether the folder of an order is missing: "
        "run its list again then."
    )
    assert len(told) == 2
    assert tree.recover() == (), "it was told"
