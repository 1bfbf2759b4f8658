"""Watches the inbox folder: reads complete lists, submits them, and moves them to ``done`` or ``refused``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio.to_thread

from poolwright.concurrency import periodic
from poolwright.domain.errors import OptionsError, PoolError
from poolwright.domain.events import Level, Notice
from poolwright.domain.ports import Accepted, Clock, EventSink
from poolwright.domain.tasks import OrderList
from poolwright.files.locks import FolderLock
from poolwright.intake.content_kind import CONTENT_BYTES_MAX
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.service.inbox.folders import (
    DONE,
    REFUSED,
    FileSnapshot,
    FolderContents,
    InboxFileKind,
    InboxFolders,
    StabilityCheck,
    file_kind,
    timestamp,
)
from poolwright.settings import Settings

#: Submits a list; its orders are in the journal when it returns. Raises ``PoolError`` if that fails.
SubmitList = Callable[[OrderList], Awaitable[Accepted]]


class StillWrittenError(PoolError):
    """A list changed while it was read; it is read again later."""


class InboxWatcher:
    """Watches one folder. Each problem is reported once, and the next check follows."""

    def __init__(
        self, folder: Path, *, submit: SubmitList, reading: ReadOptions, clock: Clock, observe: EventSink
    ) -> None:
        """Access no file before ``run``. ``reading``: portal and rules for reading order numbers."""
        self._folders = InboxFolders(root=folder)
        self._submit = submit
        self._reading = reading
        self._clock = clock
        self._observe = observe
        self._stability = StabilityCheck()
        #: The last reported problem of each file and of the folder.
        self._reported: dict[Path, str] = {}

    async def run(self, interval_s: float) -> None:
        """Check regularly until cancelled. Polling also works on network shares, which send no change events."""
        async for _ in periodic(interval_s):
            await self.check_once()

    async def check_once(self) -> None:
        """Check the folder once, unless another daemon that watches the same folder is checking it.

        The lists that the other daemon is processing would look like interrupted ones.
        """
        lock = FolderLock(self._folders.root)
        try:
            if await anyio.to_thread.run_sync(lock.acquire):
                await self._check_folder()
        finally:
            lock.release()

    async def _check_folder(self) -> None:
        """Process the interrupted lists, then every complete list."""
        root = self._folders.root
        try:
            interrupted = await anyio.to_thread.run_sync(self._folders.interrupted)
            contents = await anyio.to_thread.run_sync(self._folders.scan)
        except OSError as error:
            self._report_once(root, _folder_message(root, error))
            return
        self._report_recovery(root)
        for path in self._reported.keys() - {root, *interrupted, *contents.files, *contents.links}:
            del self._reported[path]
        for path in interrupted:
            await self._process(path)
        ready = self._stability.stable_files(self._lists(contents), self._clock.monotonic())
        for path in ready:
            await self._claim(path)

    def _lists(self, contents: FolderContents) -> dict[Path, FileSnapshot]:
        """Return the files that may be lists; report all others once."""
        for link in contents.links:
            if file_kind(link.name) is InboxFileKind.LIST:
                self._report_once(
                    link, f"{link.name} in the inbox is a symbolic link and is ignored. Copy the list itself."
                )
        kinds = {path: file_kind(path.name) for path in contents.files}
        for path, kind in kinds.items():
            if kind is InboxFileKind.FOREIGN:
                self._report_once(
                    path,
                    f"{path.name} in the inbox is not a list and is ignored. Supported: .xlsx, .xls, .ods, .csv, .txt.",
                )
        return {path: snapshot for path, snapshot in contents.files.items() if kinds[path] is InboxFileKind.LIST}

    async def _claim(self, path: Path) -> None:
        moment = timestamp(self._clock.now())
        try:
            claimed = await anyio.to_thread.run_sync(self._folders.claim, path, moment)
        except FileNotFoundError:
            # Its owner removed it after the scan.
            return
        except OSError as error:
            problem = f"{path.name} in the inbox cannot be moved ({error.strerror}); it is tried again"
            self._report_once(
                path, f"{problem}: close it in other programs, and give this program write access to {path.parent}."
            )
            return
        await self._process(claimed)

    async def _process(self, claimed: Path) -> None:
        """Read and submit a claimed list, then move it to its final folder."""
        try:
            orders = await anyio.to_thread.run_sync(_read_list, claimed, self._reading)
            accepted = await self._submit(orders)
            await anyio.to_thread.run_sync(self._folders.move_to_done, claimed)
        except InputRefusedError as error:
            await self._refuse(claimed, str(error))
        except PoolError as error:
            self._report_once(claimed, f"{claimed.name} from the inbox waits: {error}")
        except OSError as error:
            self._report_once(claimed, _stuck_message(claimed, error))
        else:
            self._publish(Level.INFO, _accepted_message(claimed, accepted, orders))

    async def _refuse(self, claimed: Path, cause: str) -> None:
        moment = f"{self._clock.now():%d %b %Y %H:%M} UTC"
        reason = (
            f"{claimed.name} was refused ({moment}).\n\nWhy: {cause}\n\n"
            "What to do: fix the list and put it into the inbox again. This copy is not read again.\n"
        )
        try:
            await anyio.to_thread.run_sync(partial(self._folders.move_to_refused, claimed, reason))
        except OSError as error:
            self._report_once(claimed, _stuck_message(claimed, error))
        else:
            self._publish(Level.WARNING, f"The inbox refused {claimed.name}, see its {REFUSED} folder: {cause}")

    def _publish(self, level: Level, text: str) -> None:
        self._observe(Notice(level=level, text=text))

    def _report_once(self, path: Path, text: str) -> None:
        """Report a problem, unless it was the last one reported for this path."""
        if self._reported.get(path) != text:
            self._reported[path] = text
            self._publish(Level.WARNING, text)

    def _report_recovery(self, root: Path) -> None:
        if self._reported.pop(root, None):
            self._publish(Level.INFO, f"The inbox {root} is available again.")


def _read_list(path: Path, reading: ReadOptions) -> OrderList:
    """Read a claimed list.

    Raises:
        InputRefusedError: It is not a valid list.
        StillWrittenError: Its writer, which opened it before it was claimed, is still writing.
        OSError: It cannot be opened now.
    """
    before = FileSnapshot.from_stat(path.stat())
    if before.size_bytes > CONTENT_BYTES_MAX:
        size_mb = CONTENT_BYTES_MAX // 1024**2
        raise InputRefusedError(f"{path.name} is larger than {size_mb} MB; split it into several lists.")
    with path.open("rb") as file:
        # Raises OSError for a lock or a lost connection, which are no reasons to refuse the list.
        file.read(1)
    try:
        return orders_from_file(path, reading)
    finally:
        if FileSnapshot.from_stat(path.stat()) != before:
            raise StillWrittenError("it is still being written.")


def _folder_message(root: Path, error: OSError) -> str:
    return (
        f"The inbox {error.filename or root} cannot be read ({error.strerror}) and is tried again: "
        "check the folder or its connection, or set inbox_dir to another folder."
    )


def _stuck_message(claimed: Path, error: OSError) -> str:
    return (
        f"{claimed.name} from the inbox could not be read or moved ({error.strerror}: {error.filename}) and is tried "
        f"again: give this program access to {claimed.parents[2]}. No order is processed twice."
    )


def _accepted_message(claimed: Path, accepted: Accepted, orders: OrderList) -> str:
    known_count = accepted.waiting_count + accepted.done_count
    notices = "".join(f" {notice}" for notice in (*orders.notices, *accepted.notices))
    counts = f"{accepted.new_count} new orders, {known_count} known"
    return f"The inbox accepted {claimed.name}: {counts}; moved to {DONE}.{notices}"


def create_inbox_watcher(
    settings: Settings, *, submit: SubmitList, reading: ReadOptions, clock: Clock, observe: EventSink
) -> InboxWatcher | None:
    """Create the inbox watcher; ``None`` if ``inbox_dir`` is not set.

    Raises:
        OptionsError: The inbox is inside the output folder, where each CSV file would be read as a list.
    """
    folder = settings.inbox_dir
    if folder is None:
        return None
    if folder.resolve().is_relative_to(settings.out.resolve()):
        raise OptionsError(
            f"inbox_dir is '{folder}', which is or is inside the output folder '{settings.out}'. "
            "Choose a folder outside of it."
        )
    return InboxWatcher(folder, submit=submit, reading=reading, clock=clock, observe=observe)
