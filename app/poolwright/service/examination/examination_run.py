"""Runs a worker process that examines pages of a portal, or judges saved ones, and reads what it found.

Pages are examined on a clone of the profile, as in a run; the profile itself is only read. Saved pages are judged in a
browser with an empty profile, which reaches no network.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.domain.errors import SetupError
from poolwright.domain.ports import EventSink
from poolwright.files.names import safe_name
from poolwright.ipc.messages import ExaminationPlan, Examined, PageToExamine, WorkerMode
from poolwright.portal.examination.saved_page import SavedPage, read_saved_page
from poolwright.portal.numbers import OrderNumber
from poolwright.profile.backups import login_backup_path
from poolwright.profile.base import check_base
from poolwright.profile.clone import clone_profile
from poolwright.profile.in_use import read_locked
from poolwright.profile.profile import prepare_for_launch
from poolwright.profile.run_folder import RunFolder
from poolwright.profile.seal import refuse_differences
from poolwright.service.pool_config import WorkerConfig
from poolwright.supervisor.processes.one_shot import LoginSource, LoginWindow, OneShotJob, run_one_shot

#: Folder of the portal's probe page, which has no number.
PROBE_FOLDER = "login-check"
_RUN_SLOT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPage:
    """One page that was examined."""

    #: The order number as the person wrote it; empty for the portal's probe page.
    number: str
    folder: Path
    #: ``None`` if nothing could be found.
    saved: SavedPage | None
    #: Why nothing could be found; else empty.
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationRun:
    """The portal, and the receivers of what is found."""

    #: Browser and portal, and the login for its form.
    workers: WorkerConfig
    #: The base of the profile; ``None`` for an empty profile.
    base: Path | None
    runs_root: Path
    observe: EventSink
    #: Called for each page, in order.
    on_page: Callable[[ExaminedPage], None]
    #: For a browser with a window, which stays open with the last page.
    window: LoginWindow | None = None

    async def examine(self, numbers: Sequence[OrderNumber], folder: Path) -> None:
        """Examine the portal's probe page and the pages of orders, and save them below an absolute path.

        Raises:
            LoginRequiredError: The portal asks for a login, and no login step succeeded.
            ProfileError: The profile cannot be used.
            SetupError: The browser does not start, the portal does not answer, or the folder cannot be written.
        """
        pages = [PageToExamine(number="", portal_number="", folder=str(folder / PROBE_FOLDER))]
        pages += [
            PageToExamine(
                number=number.po_number,
                portal_number=number.portal_number,
                folder=str(folder / safe_name(number.po_number)),
            )
            for number in numbers
        ]
        plan = ExaminationPlan(pages=tuple(pages), stays_open=self.window is not None)
        await self._run(WorkerMode.EXAMINE, plan)

    async def replay(self, folders: Sequence[Path], results: Path) -> None:
        """Judge saved pages by the pack, without a portal and without a network.

        Args:
            folders: The absolute paths of the pages' folders.
            results: The absolute path of an empty folder for what is found.

        Raises:
            SetupError: The browser does not start, or the folder cannot be written.
        """
        pages = tuple(
            PageToExamine(
                number=folder.name,
                portal_number="",
                folder=str(results / str(position)),
                saved_path=str(folder),
            )
            for position, folder in enumerate(folders)
        )
        await self._run(WorkerMode.REPLAY, ExaminationPlan(pages=pages))

    async def _run(self, mode: WorkerMode, plan: ExaminationPlan) -> None:
        by_position = iter(plan.pages)

        def on_examined(message: Examined) -> None:
            self.on_page(_read(next(by_position), message.problem))

        kept = login_backup_path(self.base) if self.base else None
        job = OneShotJob(
            mode=mode,
            base=Path(),
            options=self.workers.worker,
            runs_root=self.runs_root,
            observe=self.observe,
            login=LoginSource(kept_login_path=kept if kept and kept.is_file() else None),
            window=self.window,
            examination=plan,
            on_examined=on_examined,
        )
        with _clone_of(self.base, self.runs_root) as make_clone:
            clone = await anyio.to_thread.run_sync(make_clone, abandon_on_cancel=True)
            await run_one_shot(replace(job, base=clone))


def _read(page: PageToExamine, problem: str) -> ExaminedPage:
    folder = Path(page.folder)
    saved = None if problem else read_saved_page(folder)
    return ExaminedPage(number=page.number, folder=folder, saved=saved, problem=problem)


@contextmanager
def _clone_of(base: Path | None, runs_root: Path) -> Generator[Callable[[], Path]]:
    """Yield a function that clones a profile into a folder of its own, which is removed at the end.

    Raises:
        SetupError: The folder cannot be created.
    """
    with RunFolder.create(runs_root) as run:
        yield partial(_clone, base, run.worker_folder(_RUN_SLOT).profile_path)


def _clone(base: Path | None, target: Path) -> Path:
    """Clone a profile for a browser; without one, return the path of a folder that the browser creates."""
    if base is None:
        return target
    with read_locked(base):
        facts = check_base(base)
        report = clone_profile(base, target)
    if facts.seal is not None:
        refuse_differences(base, facts.seal, report.files)
    prepare_for_launch(target)
    return target


def create_folder(folder: Path) -> Path:
    """Create a folder for results if it is missing, and return its absolute path.

    Raises:
        SetupError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"The folder {folder} cannot be written ({error.strerror}). Name another one.") from error
    return folder.absolute()
