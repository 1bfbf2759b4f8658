"""Input and result of a batch: the job, the redo policy, the ending and the summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from poolwright.archive.workbooks.list_workbook import ListWorkbook
from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import PoolOptions
from poolwright.domain.outcomes import Outcome
from poolwright.domain.ports import Accepted
from poolwright.domain.refresh import RefreshCounts
from poolwright.domain.tasks import OrderList


class RedoPolicy(StrEnum):
    """Which finished orders of an earlier run to run again."""

    #: No finished order.
    NOTHING = "nothing"
    #: Failures that may succeed on retry. The default.
    RETRYABLE = "retryable"
    #: Every order without a result: also not found, no permission, quarantined.
    UNFINISHED = "unfinished"
    #: Every order of the list.
    ALL = "all"


_REFRESH_CONFLICTS = {
    RedoPolicy.ALL: "--redo all downloads every file again, and --refresh keeps those that did not change; choose one.",
    RedoPolicy.NOTHING: "--refresh fetches orders again whose files are missing or changed on the disk; it needs "
    "--redo retryable (the default) or --redo unfinished.",
}


def check_refresh(redo: RedoPolicy) -> None:
    """Check that finished orders can be looked at again beside this redo policy.

    Raises:
        OptionsError: The two contradict each other.
    """
    if conflict := _REFRESH_CONFLICTS.get(redo):
        raise OptionsError(conflict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What the sender of a list to a daemon wants for it."""

    redo: RedoPolicy = RedoPolicy.RETRYABLE
    #: Whether orders that are done are looked at again.
    is_refresh: bool = False
    #: Column whose value is the group of an order; ``None`` for that of the daemon, empty for no groups.
    group_by: str | None = None


class BatchEnding(StrEnum):
    """Why a batch ended."""

    FINISHED = "finished"
    #: A signal or a person stopped it; unfinished orders stay queued.
    STOPPED = "stopped"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    NO_WORKERS = "no_workers"
    #: The workers use more memory than allowed, and recycling them did not help.
    MEMORY_SHORT = "memory_short"
    #: The browser could not be started at all.
    SETUP_FAILED = "setup_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One order list, with everything that the run needs."""

    orders: OrderList
    pool: PoolOptions
    #: Output folder.
    out: Path
    #: Folder of one order below ``out``.
    template: str
    journal_path: Path
    #: Stem of the report files below ``out``.
    report_stem: str
    redo: RedoPolicy = RedoPolicy.RETRYABLE
    #: Whether orders that are done are looked at again.
    is_refresh: bool = False
    #: The portal account that the orders belong to; ``None`` without a portal.
    account: Account | None = None
    #: The workbook of the list, of which a copy with the results is written; ``None`` for other lists.
    book: ListWorkbook | None = None
    #: Groups that were set aside and are to be processed again.
    resumed_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """How a batch ended."""

    ending: BatchEnding
    #: Name of the profile that the workers' clones were made from; empty if unknown.
    profile: str = ""
    #: One sentence about the ending; may be empty.
    detail: str = ""
    accepted: Accepted
    #: Outcomes of the orders of the list, from this run and earlier ones.
    outcomes: Mapping[Outcome, int] = field(default_factory=dict[Outcome, int])
    #: Orders of the list that were not processed because their group is set aside, by group.
    set_aside: Mapping[str, int] = field(default_factory=dict[str, int])
    #: Rows of the list that name no valid order.
    invalid_count: int = 0
    #: Orders that are still queued.
    left_count: int = 0
    #: Orders that this run finished.
    done_now_count: int = 0
    duration_s: float = 0.0
    #: What came of looking at finished orders again; ``None`` if none was.
    refresh: RefreshCounts | None = None
    report_xlsx: Path | None = None
    report_csv: Path | None = None
    report_json: Path | None = None
    #: Why there is no report of this run, with the next step; empty if there is one.
    report_problem: str = ""
