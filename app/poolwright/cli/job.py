"""From settings and sources to a job: which list, and all that a run of it needs. Nothing is started here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.folder_template import FolderTemplate
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.errors import OptionsError
from poolwright.domain.tasks import OrderList
from poolwright.files.names import safe_name
from poolwright.intake.content_kind import LIST_SUFFIXES
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_file, orders_from_numbers, orders_from_stdin
from poolwright.portal.pack import Pack
from poolwright.service.batch import BatchJob, RedoPolicy
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.service.pool_config import WorkerConfig, pool_options
from poolwright.settings import Settings

STDIN = "-"
#: Reports of numbers that came without a file.
UNNAMED_STEM = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a person named on the command line."""

    #: One list file, ``-`` for standard input, or order numbers.
    names: tuple[str, ...]
    column: str | None = None
    sheet: str | None = None


def read_orders(sources: Sources, pack: Pack) -> OrderList:
    """Read the list that was named.

    Raises:
        InputRefusedError: The list cannot be read or holds no order.
        OptionsError: Several lists, or a list among numbers, were named.
    """
    reading = ReadOptions(portal_name=pack.name, rules=pack.numbers, column=sources.column, sheet_name=sources.sheet)
    match sources.names:
        case (name,) if name == STDIN:
            return orders_from_stdin(standard_input(), reading)
        case (name,) if is_list(name):
            return orders_from_file(Path(name), reading)
        case names if any(name == STDIN or is_list(name) for name in names):
            raise OptionsError("Give one list file, or - for standard input, or order numbers; not several of them.")
        case names:
            return orders_from_numbers(names, reading)


def standard_input() -> bytes:
    """All of it.

    Raises:
        InputRefusedError: It is closed, or breaks off.
    """
    if sys.stdin is None:  # so Python says that it was closed
        raise InputRefusedError("Standard input is closed, so there is no list in it; name a file, or pipe a list in.")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise InputRefusedError(f"Standard input cannot be read ({error.strerror}); name a file instead.") from error


def is_list(name: str) -> bool:
    """Whether a person means a list file, and no order number."""
    return Path(name).suffix.lower() in LIST_SUFFIXES or Path(name).is_file()


def make_job(
    settings: Settings, orders: OrderList, crew: WorkerConfig, base: Path, redo: RedoPolicy, *, worker_count: int
) -> BatchJob:
    """Put the job together."""
    return BatchJob(
        orders=orders,
        pool=pool_options(settings, crew, base, worker_count),
        out=settings.out,
        template=settings.folder_template,
        journal_path=settings.out / PRIVATE_NAME / JOURNAL_NAME,
        report_stem=report_stem(orders),
        redo=redo,
    )


def check_template(settings: Settings, pack: Pack) -> None:
    """Make sure that every order finds its folder.

    Raises:
        OptionsError: The template cannot be read or names a field that this portal does not tell.
    """
    FolderTemplate.parse(settings.folder_template, pack.fields)


def report_stem(orders: OrderList) -> str:
    """Reports are called like the list, and never just like it: they may come to lie beside it."""
    path = Path(orders.source)
    stem = safe_name(path.stem) if path.suffix.lower() in LIST_SUFFIXES else UNNAMED_STEM
    return f"{stem}-report"
