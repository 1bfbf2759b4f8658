"""A filing may stop before any of its steps: by a kill, by a full disk, and again while the next run recovers."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from poolwright.archive.manifest import Manifest
from poolwright.archive.output_tree import OutputTree
from poolwright.domain.ports import Filed
from poolwright.domain.tasks import POTask
from tests.contract.archive.failing_disk import DeathError, Failure, failing_disk
from tests.support.archive_orders import (
    StoppedClock,
    contents,
    empty_folders,
    folders_of,
    left_behind,
    report_for,
    stage,
    superseded,
    task_for,
)

pytestmark = pytest.mark.usefixtures("quick_disk")

Files = Mapping[str, bytes]

OLDEST: Files = {"Invoice.pdf": b"oldest"}
OLD: Files = {"Invoice.pdf": b"old", "terms.docx": b"old terms"}
NEW: Files = {"Invoice.pdf": b"new", "prices.xlsx": b"new prices"}
TASK, NEIGHBOUR = task_for("PO/1", attempt=2), task_for("PO:1")
NEW_REPORT = report_for(NEW)
#: A filing that takes fewer steps than this was not watched.
STEPS_AT_LEAST = 15
RECOVERY_STEPS_AT_LEAST = 5


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here is the order of steps, thousands of times; waiting for a real disk tells nothing of it."""

    def no_wait(descriptor: int) -> None:
        del descriptor

    monkeypatch.setattr(os, "fsync", no_wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is in the tree before the filing that is cut off."""

    #: Supplier under which the order was filed before; empty when it was not.
    former: str = ""
    #: Whether another order has the plain name of the folder.
    has_neighbour: bool = False
    #: Whether a person put a note into the former folder.
    has_note: bool = False
    #: Whether the former folder had replaced one before.
    has_superseded: bool = False


SCENARIOS = {
    "first filing": Scenario(),
    "same folder again": Scenario(former="Acme"),
    "another supplier": Scenario(former="Other"),
    "beside another order": Scenario(has_neighbour=True),
    "beside another order again": Scenario(former="Acme", has_neighbour=True),
    "third filing": Scenario(former="Acme", has_superseded=True),
    "third filing under another supplier": Scenario(former="Other", has_superseded=True),
    "note in the same folder": Scenario(former="Acme", has_note=True),
    "note under another supplier": Scenario(former="Other", has_note=True),
}
scenarios = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


class OutputFolder:
    """One output folder, set up for a scenario. Each call of the archive is that of a new process."""

    def __init__(self, root: Path, scenario: Scenario) -> None:
        self._scenario = scenario
        self.root, self.out, self.staged = root, root / "out", root / "new"
        self.has_former, self.has_neighbour = bool(scenario.former), scenario.has_neighbour
        self.note: Files = {"note.txt": b"mine"} if scenario.has_note else {}
        self.oldest = OLDEST if scenario.has_superseded else {}

    def set_up(self) -> None:
        scenario = self._scenario
        if scenario.has_neighbour:
            self._file_before(NEIGHBOUR, "Acme")
        if scenario.has_superseded:
            self._file_before(task_for("PO/1"), scenario.former, OLDEST)
        if scenario.former:
            self._file_before(task_for("PO/1"), scenario.former)
        for name, content in self.note.items():
            (folders_of(self.out, TASK)[0] / name).write_bytes(content)
        stage(self.staged, NEW)

    def _file_before(self, task: POTask, supplier: str, files: Files = OLD) -> None:
        staged = stage(self.root / f"set up {task.task_id.replace('/', '-')} {len(files)}", files)
        self.tree.file(task, report_for(files, supplier=supplier), staged)

    def copy(self, root: Path) -> OutputFolder:
        """Another output in the same state: copying is quicker than filing again."""
        root.mkdir()
        for folder in (self.out, self.staged):
            if folder.exists():
                shutil.copytree(folder, root / folder.name)
        return OutputFolder(root, self._scenario)

    @property
    def tree(self) -> OutputTree:
        return OutputTree(self.out, clock=StoppedClock())

    def file(self, staged: Path) -> Filed:
        return self.tree.file(TASK, NEW_REPORT, staged)

    def file_again(self) -> None:
        """As after a restart: the order was queued again, a worker fetched it anew."""
        self.file(stage(self.root / "again", NEW))

    def check(self, *allowed: Files) -> None:
        """The order has one whole folder with one of the allowed sets of files; nothing else was touched."""
        [folder] = folders_of(self.out, TASK)
        assert self.is_whole(folder)
        assert contents(folder) in [{**files, **self.kept(files), **self.note} for files in allowed]
        assert all(file.is_whole_in(folder) for file in Manifest.read(folder).earlier)
        self.check_neighbour()
        assert left_behind(self.out) == []

    def kept(self, files: Files) -> Files:
        """What must lie beside these files: all that the order had before and that is not among them."""
        former = OLD if self.has_former and files is NEW else {}
        if not self.oldest:
            return superseded(former)
        # Both were fetched at noon, and the one that came first has the name.
        second = {name.replace("Invoice", "Invoice (2)"): content for name, content in former.items()}
        return superseded({**self.oldest, **second})

    def is_whole(self, folder: Path) -> bool:
        return self.tree.verify(folder.relative_to(self.out).as_posix(), TASK.task_id) == []

    def check_neighbour(self) -> None:
        neighbours = [contents(folder) for folder in folders_of(self.out, NEIGHBOUR)]
        assert neighbours == ([OLD] if self.has_neighbour else [])

    def check_recovered(self) -> None:
        """What a run finds that starts after a cut: all of the old or all of the new, never both, never a part."""
        if self.has_former or folders_of(self.out, TASK):
            self.check(OLD, NEW)
        assert left_behind(self.out) == []
        assert empty_folders(self.out) == []


def cut_filings(root: Path, scenario: Scenario, failure: Failure) -> Iterator[OutputFolder]:
    """The same filing, cut off before its first step, its second, and so on to its end."""
    model = OutputFolder(root / "model", scenario)
    model.set_up()
    for step in itertools.count(1):
        output = model.copy(root / str(step))
        with suppress(DeathError, OSError), failing_disk(step, failure) as disk:
            output.file(output.staged)
        if not disk.has_failed:
            assert step > STEPS_AT_LEAST
            return
        yield output


@scenarios
def test_a_run_that_starts_after_a_death_finds_all_of_the_old_or_all_of_the_new(
    tmp_path: Path, scenario: Scenario
) -> None:
    """And the next attempt files the order once, whether a run looked first or not."""
    for output in cut_filings(tmp_path, scenario, Failure.DEATH):
        unseen = output.copy(output.root / "unseen")
        output.tree.recover()
        output.check_recovered()
        output.file_again()
        output.check(NEW)

        unseen.file_again()
        unseen.check(NEW)


@pytest.mark.parametrize("name", ["same folder again", "another supplier", "note under another supplier"])
def test_a_death_while_recovering_from_a_death_changes_nothing(tmp_path: Path, name: str) -> None:
    recovery_step_counts: set[int] = set()
    for output in cut_filings(tmp_path, SCENARIOS[name], Failure.DEATH):
        for step in itertools.count(1):
            dead = output.copy(output.root / str(step))
            with suppress(DeathError), failing_disk(step, Failure.DEATH) as disk:
                dead.tree.recover()

            dead.tree.recover()
            dead.check_recovered()
            if not disk.has_failed:
                recovery_step_counts.add(step)
                break
    assert max(recovery_step_counts) > RECOVERY_STEPS_AT_LEAST


@scenarios
@pytest.mark.parametrize("failure", [Failure.ONE_REFUSAL, Failure.REFUSALS])
def test_a_call_that_the_disk_refused_hides_nothing_and_may_be_repeated(
    tmp_path: Path, scenario: Scenario, failure: Failure
) -> None:
    for output in cut_filings(tmp_path, scenario, failure):
        seen = folders_of(output.out, TASK)
        assert all(output.is_whole(folder) for folder in seen)
        # A disk that goes on refusing can't be asked to put back what made way; recovering does it then.
        assert seen or failure is Failure.REFUSALS or not output.has_former

        filed = output.file(output.staged)

        assert output.tree.verify(filed.folder) == []
        output.check(NEW)


def test_what_made_way_comes_back_beside_an_order_that_took_its_name_meanwhile(tmp_path: Path) -> None:
    for output in cut_filings(tmp_path, SCENARIOS["same folder again"], Failure.DEATH):
        output.has_neighbour = True
        output.tree.file(NEIGHBOUR, report_for(OLD), stage(output.root / "neighbour", OLD))

        output.tree.recover()
        output.check(OLD, NEW)

        output.tree.file(TASK, report_for(NEW, supplier="Third"), stage(output.root / "moved", NEW))
        output.check(NEW)


def test_recovering_a_tree_that_needs_nothing_does_nothing(tmp_path: Path) -> None:
    OutputTree(tmp_path / "out", clock=StoppedClock()).recover()

    assert list(tmp_path.iterdir()) == []


def test_without_its_ledger_the_tree_still_knows_whose_its_folders_are(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path, SCENARIOS["beside another order again"])
    output.set_up()
    for entry in (output.out / ".poolwright" / "filed").iterdir():
        entry.write_text("spoilt")

    output.file(output.staged)

    output.check(NEW)
