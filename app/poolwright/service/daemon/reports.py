"""Reports of the daemon: its status, the reasons why it is not ready, and the report files of a list."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.archive.report import ReportFiles, write_reports
from poolwright.domain.ids import BatchId
from poolwright.domain.order_groups import GroupSetAside
from poolwright.domain.states import PoolStatus
from poolwright.files.disk import make_private_folder, remove_tree
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.names import safe_folder
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.errors import ConflictError, NotFoundError
from poolwright.service.output_folder import STAGING_NAME
from poolwright.supervisor.observation import PoolSnapshot
from poolwright.supervisor.policy.commands import Stop
from poolwright.supervisor.policy.pauses import PauseReason

#: Pauses that only a login ends, which may take long.
_WITHOUT_LOGIN = frozenset({PauseReason.LOGIN_REQUIRED.value, PauseReason.LOGIN_LOST.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """Snapshot of the daemon."""

    started_at: datetime
    pool: PoolSnapshot
    #: All orders of the journal by the name of their ``TaskStatus``.
    counts: dict[str, int]
    #: Finished orders by outcome; an order in several lists counts once.
    outcomes: dict[str, int]
    rate_per_s: float
    #: Estimated seconds until all open orders finish; ``None`` if the rate is 0.
    remaining_s: float | None
    is_draining: bool
    #: Groups of orders that are set aside, by name.
    groups: tuple[GroupSetAside, ...]
    #: Why the pool has ended while the daemon is still running; ``None`` while it works.
    end: Stop | None

    @property
    def not_ready_reasons(self) -> tuple[str, ...]:
        """Why no orders are accepted or processed, one sentence each; empty if ready."""
        return find_not_ready_reasons(self.pool, self.end, is_draining=self.is_draining)


def find_not_ready_reasons(pool: PoolSnapshot, end: Stop | None, *, is_draining: bool) -> tuple[str, ...]:
    """Return why no orders are accepted or processed, one sentence each; cheap, since it does not read the journal."""
    reasons = ["The daemon is draining."] if is_draining else []
    if end is not None:
        reasons.append(f"The pool has ended ({end.cause}): {end.detail or 'stopped on request'}")
    if pool.status is PoolStatus.INITIALIZING:
        reasons.append("No worker is ready yet.")
    pauses = [cause for cause in pool.holds if cause in _WITHOUT_LOGIN]
    return (*reasons, *(f"The pool is paused: {cause}." for cause in pauses))


#: Below the staging folder, which is emptied at every start and end of a daemon.
REPORTS_FOLDER_NAME = "reports"
#: Characters of a list's id in file names, so that reports of lists with the same name differ.
_ID_SUFFIX_LENGTH = 8


async def write_list_report(journal: SqliteJournal, list_id: BatchId, out: Path) -> ReportFiles:
    """Write the report of a list into a new folder, which the caller removes.

    Raises:
        NotFoundError: The list is unknown.
        ConflictError: The report cannot be written.
    """
    try:
        folder = await anyio.to_thread.run_sync(_make_report_folder, out)
        try:
            return await journal.read(partial(_write_report, list_id, folder, out))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(remove_tree, folder)
            raise
    except OSError as error:
        raise ConflictError(f"The report cannot be written ({error.strerror}). Free some disk space.") from error


def _write_report(list_id: BatchId, folder: Path, out: Path, reading: JournalReader) -> ReportFiles:
    orders = reading.order_list(list_id)
    if orders is None:
        raise NotFoundError(f"There is no list {list_id}.")
    stem = f"{safe_folder(Path(orders.source).stem)}-{orders.batch_id[-_ID_SUFFIX_LENGTH:]}-report"
    return write_reports(orders, reading, folder, stem, out=out, is_to_move=True, cancel_check=check_cancelled)


def _make_report_folder(out: Path) -> Path:
    private = out / PRIVATE_NAME
    folder = make_private_folder(make_private_folder(private / STAGING_NAME) / REPORTS_FOLDER_NAME)
    return Path(tempfile.mkdtemp(dir=folder))
