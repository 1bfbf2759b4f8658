"""The output tree: each order's files in one folder, moved into place in one rename.

``OutputTree`` owns the output folder and everything in ``.poolwright`` below it except the staging folders. The
template gives the folder of an order; it replaces every earlier folder of the order once it is complete.

The steps of a filing, after each of which a crash is possible: complete the staged files; record the intent; back up
the former folder of this name; rename; back up former folders of other names; merge the backups; commit the intent.
``recover`` continues after any of them: it completes the filing if the new folder exists, and rolls it back otherwise.
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
from poolwright.archive.staging import complete_staging, keep_earlier_files
from poolwright.archive.superseded import (
    SupersededFolders,
    describe_earlier_files,
    describe_earlier_folder,
    describe_newer_folders,
    describe_other_accounts,
    earlier_files,
)
from poolwright.archive.target_folder import FolderRequest, TargetFolders, is_intact, is_owned
from poolwright.domain.account import Account
from poolwright.domain.ids import TaskId
from poolwright.domain.ports import Clock, Filed
from poolwright.domain.tasks import POTask, Report, TaskRecord, refresh_of
from poolwright.files.disk import (
    CancelCheck,
    find_write_error,
    is_gone,
    make_folders,
    make_private_folder,
    never_cancel,
    remove_empty_folders,
    sync_folder,
)
from poolwright.files.names import STAGED_EVIDENCE, STAGED_FILES

#: The private folder in the output folder. No folder of an order has this name, because none begins with a dot.
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
        columns: Collection[str] = (),
    ) -> None:
        """Check the template, without access to the disk.

        Args:
            out: The output folder.
            template: The template of an order's folder.
            clock: The time.
            known_fields: The fields of this portal's pages and of the user's list; without it any field is accepted.
            columns: The fields of the template that only a column of a list fills; an order without one is told.
            account: The account of the orders. Orders of other accounts keep their own folders, whatever their numbers.

        Raises:
            OptionsError: The template is not valid, leads out of ``out``, or has a field not in ``known_fields``.
        """
        self._out = out
        self._template = FolderTemplate.parse(template, known_fields)
        self._clock = clock
        self._columns = frozenset(columns)
        self._account = account
        self._targets = TargetFolders(out, account)
        self._private = out / PRIVATE_NAME
        self._intents = IntentLog(self._private)
        self._superseded = SupersededFolders(self._private)
        self._evidence = EvidenceStore(self._private)
        self._lock = threading.Lock()

    def recover(self) -> tuple[str, ...]:
        """Finish or roll back every filing that a crashed run left incomplete. Call it before the first order of a run.

        Return a sentence for each filing whose record cannot be read; the record is kept under another name.

        Raises:
            OSError: The disk failed; nothing is lost, and the call may be repeated.
        """
        with self._lock:
            self._intents.remove_drafts()
            for intent in self._intents.all_pending():
                self._finish_intent(intent)
            return tuple(map(self._damage_sentence, self._intents.put_damaged_aside()))

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        """Move the staged files of an order into their final folder, in one rename.

        An order without files gets no folder, unless its page is filed; one from an earlier run stays. So does the
        folder of a finished order that was looked at again without a change or without success; if only some files
        changed, the others stay the same files on the disk. Files of an earlier folder that the portal has changed or
        withdrawn since are kept in ``superseded`` within the new one. Evidence of failures is stored apart, in a
        private folder. After the return, files, manifest and folder are flushed to the disk.

        Raises:
            OSError: The target is full or not writable, the staging folder is on another file system, or a staged file
                is missing. Nothing is half-filed then, and the call may be repeated.
        """
        self._open(staged)
        self._evidence.store(staged / STAGED_EVIDENCE, task)
        now = self._clock.now()
        refresh = refresh_of(task, report, now)
        if refresh is not None and refresh.keeps_earlier:
            return Filed(folder=self._present_folder(task.task_id))
        if not report.files:
            kept = self._kept_manifest(task.task_id)
            if report.page_evidence is None or (kept is not None and not kept[1].is_page_only):
                return Filed(folder="", notices=() if kept is None else (describe_earlier_folder(kept[1], kept[0]),))
        files = staged / STAGED_FILES
        if not files.is_dir():
            return self._already_filed(task, report)
        levels = self._template.render(task, report, now, task.cells)
        with self._lock:
            former = self._former(task.task_id, levels)
        manifest = Manifest.from_report(task, report, now, self._account)
        manifest = manifest.with_earlier(earlier_files(manifest, former))
        if refresh is not None:
            keep_earlier_files(files, report, former)
        complete_staging(files, manifest)
        with self._lock:
            request = self._folder_request(task.task_id)
            newer = describe_newer_folders(map(self._name, self._targets.of_newer_versions(levels, request)))
            conflicts = self._targets.of_other_accounts(levels, request)
            others = describe_other_accounts((self._name(path), manifest.owner) for path, manifest in conflicts)
            return Filed(
                folder=self._move_into_place(files, task.task_id, levels),
                notices=(*describe_earlier_files(manifest), *others, *newer, *self._column_notice(task)),
            )

    def evidence(self, record: TaskRecord, name: str) -> Path | None:
        """Return the path of an evidence file that the task's last report names; ``None`` if it does not exist."""
        return self._evidence.find(record, name)

    def refusal(self) -> OSError | None:
        """Return the error that prevents writing to a folder that every filing needs; ``None`` if all are writable."""
        needed = (find_write_error(folder) for folder in (self._out, self._private))
        folders = (*self._intents.directories, self._superseded.directory, self._evidence.directory)
        further = (find_write_error(folder, may_lack=True) for folder in folders)
        return next((error for error in (*needed, *further) if error is not None), None)

    def discard(self, staged: Path) -> None:
        """Remove the rest of a staging folder. A missing folder is no error.

        A folder that cannot be removed is only logged: stray files are never filed, and the next run tries again.
        """
        try:
            shutil.rmtree(staged)
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("could not remove {} ({}); the next run will try again", staged, error.strerror or error)

    def lacks(self, folder: str) -> bool:
        """Whether a folder of ``Filed`` was removed or moved away; false if the disk of the output folder is away."""
        return is_gone(self._inside(folder)) and not is_gone(self._private)

    def verify(self, folder: str, task_id: TaskId | None = None, cancel_check: CancelCheck = never_cancel) -> list[str]:
        """Return the problems of a filed folder, one sentence each; empty if every file is intact. Reads all files.

        Args:
            folder: The folder of ``Filed``.
            task_id: The order that should be in it, if the caller knows it.
            cancel_check: Called between pieces of files; an error of it ends the reading.
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
        """Make the output folder; check that the staging folder is on its file system, where a rename is atomic."""
        self._out.mkdir(parents=True, exist_ok=True)
        make_private_folder(self._private)
        if staged.is_dir() and staged.stat().st_dev != self._out.stat().st_dev:
            raise OSError(
                errno.EXDEV,
                f"The staging folder {staged} and the output folder {self._out} are on different file systems;"
                " put the staging folder below the output folder",
            )

    def _move_into_place(self, files: Path, task_id: TaskId, levels: tuple[str, ...]) -> str:
        """Move completed files to the order's folder and return its name. On an error the former folder is restored."""
        target = self._targets.choose(levels, self._folder_request(task_id))
        intent = Intent(task_id=task_id, folder=self._name(target), older=self._older(task_id, target))
        self._inside(intent.folder)
        self._intents.begin(intent)
        try:
            make_folders(self._out, target.parent)
            if is_owned(target, task_id):
                self._superseded.backup(task_id, target)
            elif target.exists():
                target.rmdir()
            files.rename(target)
        except OSError:
            self._finish_intent(intent)
            raise
        self._finish_intent(intent)
        return intent.folder

    def _damage_sentence(self, kept: Path) -> str:
        return (
            f"The record of a filing that an earlier run left unfinished is damaged; it is kept as {kept}. "
            f"`poolwright verify {self._out}` shows whether the folder of an order is missing: run its list again then."
        )

    def _former(self, task_id: TaskId, levels: tuple[str, ...]) -> list[Path]:
        """Return every folder of the order, the oldest first, which a new one will replace."""
        target = self._targets.choose(levels, self._folder_request(task_id))
        older = [self._inside(name) for name in self._older(task_id, target)]
        return [*self._superseded.backups(task_id), *older, *([target] if is_owned(target, task_id) else [])]

    def _present_folder(self, task_id: TaskId) -> str:
        """Return the order's folder by the intent log; empty if it has none."""
        with self._lock:
            intent = self._intents.find(task_id)
        return intent.folder if intent is not None else ""

    def _kept_manifest(self, task_id: TaskId) -> tuple[str, Manifest] | None:
        """Return the folder of an order's earlier attempt with its manifest; ``None`` without one."""
        with self._lock:
            intent = self._intents.find(task_id)
        try:
            manifest = Manifest.read(self._inside(intent.folder)) if intent is not None else None
        except (ManifestError, OSError):
            return None
        if intent is None or manifest is None or manifest.task_id != task_id:
            return None
        return intent.folder, manifest

    def _column_notice(self, task: POTask) -> tuple[str, ...]:
        """Return the notice that no list gave the order the cells that name its folder; empty if one did."""
        missing = sorted(self._columns - task.cells.keys())
        if not missing:
            return ()
        notice = (
            f"Its folder is called Unknown, as no list with the column {' and '.join(missing)} has named this order"
        )
        return (f"{notice}; submit such a list with --redo all to move it.",)

    def _finish_intent(self, intent: Intent) -> None:
        """Resume a filing: complete it if the order's new folder exists, else roll it back."""
        target = self._inside(intent.folder)
        if not is_owned(target, intent.task_id):
            self._roll_back(intent, target)
            return
        sync_folder(target.parent)
        for older in intent.older:
            self._remove_older(intent.task_id, self._inside(older), target)
        self._superseded.merge_into(intent.task_id, target)
        self._intents.commit(intent.task_id)

    def _roll_back(self, intent: Intent, target: Path) -> None:
        """Restore the latest backup, if there is one and it is intact: the new folder was not renamed."""
        backups = self._superseded.backups(intent.task_id)
        if not backups:
            remove_empty_folders(target.parent, self._out)
            self._intents.roll_back(intent.task_id)
        elif is_intact(backups[-1]):
            folder = self._targets.choose(tuple(intent.folder.split("/")), self._folder_request(intent.task_id))
            restored = intent.model_copy(update={"folder": self._name(folder)})
            self._intents.begin(restored)
            make_folders(self._out, folder.parent)
            backups[-1].rename(folder)
            self._finish_intent(restored)

    def _remove_older(self, task_id: TaskId, older: Path, target: Path) -> None:
        """Back up a folder of another name, unless it is the same folder or no longer this order's."""
        if is_owned(older, task_id) and not older.samefile(target):
            self._superseded.backup(task_id, older)
        remove_empty_folders(older.parent, self._out)

    def _older(self, task_id: TaskId, target: Path) -> tuple[str, ...]:
        """Return the order's folders by the intent log, other than ``target``, that are still its own."""
        names = self._intents.folders(task_id)
        return tuple(name for name in names if name != self._name(target) and is_owned(self._inside(name), task_id))

    def _already_filed(self, task: POTask, report: Report) -> Filed:
        """Return the result of a repeated call whose files an earlier call, which ended with an error, has moved."""
        with self._lock:
            intent = self._intents.find(task.task_id)
            if intent is None or not self._is_filed(intent, task, report):
                raise FileNotFoundError(errno.ENOENT, f"No staged files for {task.po_number}", STAGED_FILES)
            if self._intents.pending(task.task_id) is not None:
                self._finish_intent(intent)
            manifest = Manifest.read(self._inside(intent.folder))
            return Filed(folder=intent.folder, notices=describe_earlier_files(manifest))

    def _is_filed(self, intent: Intent, task: POTask, report: Report) -> bool:
        try:
            return Manifest.read(self._inside(intent.folder)).covers(task, report)
        except ManifestError:
            return False

    def _folder_request(self, task_id: TaskId) -> FolderRequest:
        return FolderRequest(task_id=task_id, known=self._intents.folders(task_id))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._out).as_posix()

    def _inside(self, folder: str) -> Path:
        """Return the path of a folder below the output folder.

        Raises:
            OSError: It leads out of there, by its name or by a link.
        """
        path = self._out / folder
        if self._out.resolve() not in path.resolve().parents:
            raise OSError(errno.EPERM, f"The folder {folder} leads out of the output folder", str(self._out))
        return path
