"""The output tree: each order's files in one folder, moved into place in one rename.

``OutputTree`` owns the output folder and all that is in ``.poolwright`` below it but the staging folders. Files go
where the template says; a folder that an order had before, here or elsewhere, gives way once the new one stands.

The steps of a filing, each of which a crash may be the last: make the staged files ready; write the intent into the
ledger; put the former folder of this name on the shelf; rename; take folders of other names out of the tree; clear
the shelf; settle the intent. ``recover`` takes up any of them: forward when the new folder stands, else back.
"""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

from loguru import logger

from poolwright.archive.evidence import EvidenceStore
from poolwright.archive.folder_template import DEFAULT_TEMPLATE, FolderTemplate
from poolwright.archive.intents import Intent, IntentLog
from poolwright.archive.manifest import Manifest, ManifestError
from poolwright.archive.staging import complete_staging
from poolwright.archive.superseded import (
    SupersededFolders,
    describe_earlier_files,
    describe_earlier_folder,
    describe_other_accounts,
    earlier_files,
)
from poolwright.archive.target_folder import FolderRequest, TargetFolders, is_intact, is_owned
from poolwright.domain.account import Account
from poolwright.domain.ids import TaskId
from poolwright.domain.ports import Clock, Filed
from poolwright.domain.tasks import POTask, Report, TaskRecord
from poolwright.files.disk import (
    CancelCheck,
    find_write_error,
    make_folders,
    make_private_folder,
    never_cancel,
    remove_empty_folders,
    sync_folder,
)
from poolwright.files.names import STAGED_EVIDENCE, STAGED_FILES

#: What is Poolwright's own in the output folder. No folder of an order can have this name: none begins with a dot.
PRIVATE_NAME = ".poolwright"


class OutputTree:
    """The archive of one output folder: ``domain.ports.Archive``. Safe to call from several threads, not processes."""

    def __init__(
        self,
        out: Path,
        template: str = DEFAULT_TEMPLATE,
        *,
        clock: Clock,
        known_fields: Collection[str] | None = None,
        account: Account | None = None,
    ) -> None:
        """Check the template; touch no disk.

        Args:
            out: The output folder.
            template: Where in it each order goes.
            clock: The time.
            known_fields: What pages of this portal can tell; anything goes when it is not given.
            account: Whose orders are filed. Folders of another one's orders are kept apart, whatever their numbers.

        Raises:
            OptionsError: The template cannot be read, leads out of ``out``, or names a field not in ``known_fields``.
        """
        self._out = out
        self._template = FolderTemplate.parse(template, known_fields)
        self._clock = clock
        self._account = account
        self._targets = TargetFolders(out, account)
        self._private = out / PRIVATE_NAME
        self._ledger = IntentLog(self._private)
        self._shelf = SupersededFolders(self._private)
        self._evidence = EvidenceStore(self._private)
        self._turn = threading.Lock()

    def recover(self) -> None:
        """Finish or roll back every filing that a crashed run left incomplete. Call it before the first order of a run.

        Raises:
            OSError: The disk refuses; nothing is lost, and the call may be repeated.
        """
        with self._turn:
            self._ledger.remove_drafts()
            for place in self._ledger.all_pending():
                self._finish_intent(place)

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        """Move what a worker staged for one order into its final place, in one rename.

        An order without files gets no folder; one that it has from an earlier run stays. What an earlier folder has and
        the portal has changed or withdrawn since is kept in ``superseded`` within the new one. Traces of failures are
        kept apart, for the owner's eyes. When this returns, files, manifest and folder are on the disk.

        Raises:
            OSError: The target is full or not writable, the staging folder is on another file system, or a staged file
                is missing. Nothing is half-filed then, and the call may be repeated.
        """
        self._open(staged)
        self._evidence.store(staged / STAGED_EVIDENCE, task)
        if not report.files:
            return Filed(folder="", notices=self._describe_remaining(task.task_id))
        files = staged / STAGED_FILES
        if not files.is_dir():
            return self._filed_before(task, report)
        now = self._clock.now()
        levels = self._template.render(task, report, now)
        with self._turn:
            former = self._former(task.task_id, levels)
        manifest = Manifest.from_report(task, report, now, self._account)
        manifest = manifest.with_earlier(earlier_files(manifest, former))
        complete_staging(files, manifest)
        with self._turn:
            conflicts = self._targets.of_other_accounts(levels, self._folder_request(task.task_id))
            others = describe_other_accounts((self._name(path), manifest.owner) for path, manifest in conflicts)
            return Filed(
                folder=self._move_into_place(files, task.task_id, levels),
                notices=(*describe_earlier_files(manifest), *others),
            )

    def evidence(self, record: TaskRecord, name: str) -> Path | None:
        """The path of an evidence file that the task's last report names; None if it does not exist."""
        return self._evidence.find(record, name)

    def refusal(self) -> OSError | None:
        """The error that prevents writing to a folder that every filing needs; None if all are writable."""
        needed = (find_write_error(place) for place in (self._out, self._private))
        places = (*self._ledger.directories, self._shelf.directory, self._evidence.directory)
        further = (find_write_error(place, may_lack=True) for place in places)
        return next((found for found in (*needed, *further) if found is not None), None)

    def discard(self, staged: Path) -> None:
        """Remove what is left of a staging folder. A missing folder is no error.

        One that cannot be removed harms nobody, so it is only logged: strays are never filed, and the next run tries
        again.
        """
        try:
            shutil.rmtree(staged)
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("could not remove {} ({}); the next run will try again", staged, error.strerror or error)

    def verify(self, folder: str, task_id: TaskId | None = None, cancel_check: CancelCheck = never_cancel) -> list[str]:
        """What is wrong with a filed folder, one sentence each; empty when every file is there and whole. Reads them.

        Args:
            folder: As ``Filed`` told it.
            task_id: The order that should be in it, where the caller knows.
            cancel_check: Called between pieces of files; what it raises ends the reading.
        """
        if not folder:
            return ["The order has no folder."]
        try:
            path = self._inside(folder)
            manifest = Manifest.read(path)
        except (ManifestError, OSError) as error:
            return [str(error)]
        if task_id is not None and manifest.task_id != task_id:
            return [f"{folder} contains the files of another order, {manifest.po_number}."]
        return manifest.problems(path, cancel_check)

    def _open(self, staged: Path) -> None:
        """Have the output folder, on the file system of the staging folder: only there a rename is one step."""
        self._out.mkdir(parents=True, exist_ok=True)
        make_private_folder(self._private)
        if staged.is_dir() and staged.stat().st_dev != self._out.stat().st_dev:
            raise OSError(
                errno.EXDEV,
                f"The staging folder {staged} and the output folder {self._out} are on different file systems;"
                " put the staging folder below the output folder",
            )

    def _move_into_place(self, files: Path, task_id: TaskId, levels: tuple[str, ...]) -> str:
        """Bring ready files to their place. When this fails, the folder that was there is there again."""
        target = self._targets.choose(levels, self._folder_request(task_id))
        place = Intent(task_id=task_id, folder=self._name(target), older=self._older(task_id, target))
        self._inside(place.folder)
        self._ledger.begin(place)
        try:
            make_folders(self._out, target.parent)
            if is_owned(target, task_id):
                self._shelf.backup(task_id, target)
            elif target.exists():
                target.rmdir()
            files.rename(target)
        except OSError:
            self._finish_intent(place)
            raise
        self._finish_intent(place)
        return place.folder

    def _former(self, task_id: TaskId, levels: tuple[str, ...]) -> list[Path]:
        """Every folder that the order has, the oldest first: what a new one will replace."""
        target = self._targets.choose(levels, self._folder_request(task_id))
        older = [self._inside(name) for name in self._older(task_id, target)]
        return [*self._shelf.backups(task_id), *older, *([target] if is_owned(target, task_id) else [])]

    def _describe_remaining(self, task_id: TaskId) -> tuple[str, ...]:
        """That an order without files has still some of an earlier time."""
        with self._turn:
            place = self._ledger.find(task_id)
        try:
            manifest = Manifest.read(self._inside(place.folder)) if place is not None else None
        except (ManifestError, OSError):
            return ()
        if place is None or manifest is None or manifest.task_id != task_id:
            return ()
        return (describe_earlier_folder(manifest, place.folder),)

    def _finish_intent(self, place: Intent) -> None:
        """Resume a filing: complete it if the order's new folder exists, else roll it back."""
        target = self._inside(place.folder)
        if not is_owned(target, place.task_id):
            self._roll_back(place, target)
            return
        sync_folder(target.parent)
        for older in place.older:
            self._remove_older(place.task_id, self._inside(older), target)
        self._shelf.merge_into(place.task_id, target)
        self._ledger.commit(place.task_id)

    def _roll_back(self, place: Intent, target: Path) -> None:
        """The rename did not happen: put the folder that had made way for it back, if there was one and it is whole."""
        held = self._shelf.backups(place.task_id)
        if not held:
            remove_empty_folders(target.parent, self._out)
            self._ledger.roll_back(place.task_id)
        elif is_intact(held[-1]):
            seat = self._targets.choose(tuple(place.folder.split("/")), self._folder_request(place.task_id))
            returned = place.model_copy(update={"folder": self._name(seat)})
            self._ledger.begin(returned)
            make_folders(self._out, seat.parent)
            held[-1].rename(seat)
            self._finish_intent(returned)

    def _remove_older(self, task_id: TaskId, older: Path, target: Path) -> None:
        """Take a folder of another name out of the tree, unless it is the same folder or no longer this order's."""
        if is_owned(older, task_id) and not older.samefile(target):
            self._shelf.backup(task_id, older)
        remove_empty_folders(older.parent, self._out)

    def _older(self, task_id: TaskId, target: Path) -> tuple[str, ...]:
        """Folders other than ``target`` that the ledger knows for this order and that are still its own."""
        names = self._ledger.folders(task_id)
        return tuple(name for name in names if name != self._name(target) and is_owned(self._inside(name), task_id))

    def _filed_before(self, task: POTask, report: Report) -> Filed:
        """Answer a repeated call whose files an earlier one, ended by an error, had brought to their place already."""
        with self._turn:
            place = self._ledger.find(task.task_id)
            if place is None or not self._is_filed(place, task, report):
                raise FileNotFoundError(errno.ENOENT, f"No staged files for {task.po_number}", STAGED_FILES)
            if self._ledger.pending(task.task_id) is not None:
                self._finish_intent(place)
            return Filed(folder=place.folder, notices=describe_earlier_files(Manifest.read(self._inside(place.folder))))

    def _is_filed(self, place: Intent, task: POTask, report: Report) -> bool:
        try:
            return Manifest.read(self._inside(place.folder)).covers(task, report)
        except ManifestError:
            return False

    def _folder_request(self, task_id: TaskId) -> FolderRequest:
        return FolderRequest(task_id=task_id, known=self._ledger.folders(task_id))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._out).as_posix()

    def _inside(self, folder: str) -> Path:
        """The path of a folder below the output folder.

        Raises:
            OSError: It leads out of there, by its name or by a link.
        """
        path = self._out / folder
        if self._out.resolve() not in path.resolve().parents:
            raise OSError(errno.EPERM, f"The folder {folder} leads out of the output folder", str(self._out))
        return path
