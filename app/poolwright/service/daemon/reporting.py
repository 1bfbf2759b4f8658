"""Reports for whoever asks for one: each in a folder of its own, so that two who ask do not meet."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.archive.report import ReportFiles, write_reports
from poolwright.domain.ids import BatchId
from poolwright.files.disk import make_private_folder, remove_tree
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.names import safe_folder
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.errors import NothingThereError, NotPossibleNowError
from poolwright.service.out import STAGING_NAME

#: Below the staging folder, which is emptied at every start and end of a daemon.
FOLDER_NAME = "reports"
#: Letters of a list's id that tell reports of lists of one name apart.
_MARK_LENGTH = 8


async def write_aside(journal: SqliteJournal, list_id: BatchId, out: Path) -> ReportFiles:
    """Write the report of a list into a new folder, which the caller removes.

    Raises:
        NothingThereError: The list is unknown.
        NotPossibleNowError: The disk does not take it.
    """
    try:
        folder = await anyio.to_thread.run_sync(_make_folder, out)
        try:
            return await journal.read(partial(_write, list_id, folder, out))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(remove_tree, folder)
            raise
    except OSError as error:
        raise NotPossibleNowError(f"The report cannot be written ({error.strerror}). Free some disk space.") from error


def _write(list_id: BatchId, folder: Path, out: Path, reading: JournalReader) -> ReportFiles:
    orders = reading.order_list(list_id)
    if orders is None:
        raise NothingThereError(f"There is no list {list_id}.")
    stem = f"{safe_folder(Path(orders.source).stem)}-{orders.batch_id[-_MARK_LENGTH:]}-report"
    return write_reports(orders, reading, folder, stem, out=out, is_to_move=True, heed=check_cancelled)


def _make_folder(out: Path) -> Path:
    private = out / PRIVATE_NAME
    place = make_private_folder(make_private_folder(private / STAGING_NAME) / FOLDER_NAME)
    return Path(tempfile.mkdtemp(dir=place))
