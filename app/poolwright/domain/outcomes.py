"""How a purchase order can end, why, and what a person does about it.

An outcome says how it went; a reason says why, in a code that programs and reports can rely on. Each reason belongs
to one outcome and one class of action, and tells the next step in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Outcome(StrEnum):
    """How one purchase order ended."""

    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    NO_ATTACHMENTS = "NO_ATTACHMENTS"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    INVALID = "INVALID"
    FAILED = "FAILED"
    QUARANTINED = "QUARANTINED"
    CANCELLED = "CANCELLED"


class ActionClass(StrEnum):
    """Who has to do what about an outcome."""

    DONE = "done"
    FIX_INPUT = "fix the input"
    ASK_ACCESS = "ask for access"
    RETRY = "retry"
    PORTAL_FAULT = "portal fault"


class Reason(StrEnum):
    """Why a purchase order ended as it did."""

    ALL_SAVED = "all_saved"
    NONE_LISTED = "none_listed"
    SOME_FILES_FAILED = "some_files_failed"
    SOME_FILES_REFUSED = "some_files_refused"
    PORTAL_SAYS_MISSING = "portal_says_missing"
    NO_PERMISSION = "no_permission"
    BAD_NUMBER = "bad_number"
    BLANK_NUMBER = "blank_number"
    PORTAL_ERROR = "portal_error"
    PORTAL_BUSY = "portal_busy"
    PORTAL_CHANGED = "portal_changed"
    PORTAL_UNREACHABLE = "portal_unreachable"
    ASKS_FOR_LOGIN = "asks_for_login"
    PAGE_TOO_SLOW = "page_too_slow"
    TASK_TIMEOUT = "task_timeout"
    TAB_CRASHED = "tab_crashed"
    OUT_OF_MEMORY = "out_of_memory"
    DOWNLOAD_FAILED = "download_failed"
    DOWNLOAD_REFUSED = "download_refused"
    FILING_FAILED = "filing_failed"
    DISK_FULL = "disk_full"
    DISK_AWAY = "disk_away"
    DISK_FORBIDDEN = "disk_forbidden"
    PROCESSOR_ERROR = "processor_error"
    RETRY_ASKED = "retry_asked"
    GIVEN_UP = "given_up"
    WORKER_LOST = "worker_lost"
    NO_WORKERS = "no_workers"
    KILLS_WORKERS = "kills_workers"
    BY_REQUEST = "by_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonInfo:
    """What a reason means for the person who reads the report."""

    outcome: Outcome
    action: ActionClass
    #: Whether another attempt in the same run can help.
    is_retryable: bool
    next_step: str


def _final(outcome: Outcome, action: ActionClass, next_step: str) -> ReasonInfo:
    return ReasonInfo(outcome=outcome, action=action, is_retryable=False, next_step=next_step)


def _retryable(action: ActionClass, next_step: str, outcome: Outcome = Outcome.FAILED) -> ReasonInfo:
    return ReasonInfo(outcome=outcome, action=action, is_retryable=True, next_step=next_step)


_RUN_AGAIN = "Run the list again; what is done is not done twice."

REASONS: Mapping[Reason, ReasonInfo] = MappingProxyType(
    {
        Reason.ALL_SAVED: _final(Outcome.COMPLETED, ActionClass.DONE, "Nothing to do."),
        Reason.NONE_LISTED: _final(
            Outcome.NO_ATTACHMENTS, ActionClass.DONE, "Nothing to do: the portal lists no files."
        ),
        Reason.SOME_FILES_FAILED: _retryable(
            ActionClass.PORTAL_FAULT,
            "Open the order in the portal and try the missing files; run the list again when they open.",
            Outcome.PARTIAL,
        ),
        Reason.SOME_FILES_REFUSED: _final(
            Outcome.PARTIAL,
            ActionClass.PORTAL_FAULT,
            "The portal lists files that it does not hand out; ask its administrator for them.",
        ),
        Reason.PORTAL_SAYS_MISSING: _final(
            Outcome.NOT_FOUND, ActionClass.FIX_INPUT, "Check the number: the portal has no such order."
        ),
        Reason.NO_PERMISSION: _final(
            Outcome.FORBIDDEN, ActionClass.ASK_ACCESS, "Ask the portal's administrator for access to this order."
        ),
        Reason.BAD_NUMBER: _final(Outcome.INVALID, ActionClass.FIX_INPUT, "Correct the number in the list."),
        Reason.BLANK_NUMBER: _final(Outcome.INVALID, ActionClass.FIX_INPUT, "Fill in the number in the list."),
        Reason.PORTAL_ERROR: _retryable(ActionClass.PORTAL_FAULT, f"The portal answered with an error. {_RUN_AGAIN}"),
        Reason.PORTAL_BUSY: _retryable(ActionClass.RETRY, f"The portal was too busy. {_RUN_AGAIN}"),
        Reason.PORTAL_CHANGED: _retryable(
            ActionClass.PORTAL_FAULT,
            "Look at the kept screenshot: the page is none that the portal pack knows. Adapt the pack if it changed.",
        ),
        Reason.PORTAL_UNREACHABLE: _retryable(
            ActionClass.RETRY, f"Check the network and the portal's address. {_RUN_AGAIN}"
        ),
        Reason.ASKS_FOR_LOGIN: _final(
            Outcome.FAILED,
            ActionClass.RETRY,
            "The portal lets us in, but asks for a login on this order's page again and again. Run the list again, or "
            "open the order by hand.",
        ),
        Reason.PAGE_TOO_SLOW: _retryable(ActionClass.RETRY, f"The page did not become ready in time. {_RUN_AGAIN}"),
        Reason.TASK_TIMEOUT: _retryable(
            ActionClass.RETRY, "Raise the time limit for one order (--task-timeout) if its files are large."
        ),
        Reason.TAB_CRASHED: _retryable(ActionClass.RETRY, f"The browser tab crashed on this page. {_RUN_AGAIN}"),
        Reason.OUT_OF_MEMORY: _retryable(
            ActionClass.RETRY,
            "The system ended the page for want of memory. Use fewer workers or tabs (--workers, --tabs), or give it "
            "more memory; then run the list again.",
        ),
        Reason.DOWNLOAD_FAILED: _retryable(
            ActionClass.PORTAL_FAULT, "Open the order in the portal and try its files; none of them could be fetched."
        ),
        Reason.DOWNLOAD_REFUSED: _final(
            Outcome.FAILED,
            ActionClass.PORTAL_FAULT,
            "The portal lists files but hands out none of them; ask its administrator for them.",
        ),
        Reason.FILING_FAILED: _retryable(
            ActionClass.RETRY, "Check the output folder: it must be writable and have room. Then run the list again."
        ),
        Reason.DISK_FULL: _retryable(ActionClass.RETRY, f"Make room on the disk of the output folder. {_RUN_AGAIN}"),
        Reason.DISK_AWAY: _retryable(
            ActionClass.RETRY, f"See that the disk or share of the output folder answers. {_RUN_AGAIN}"
        ),
        Reason.DISK_FORBIDDEN: _retryable(
            ActionClass.RETRY, f"Let the user who runs Poolwright write to the output folder. {_RUN_AGAIN}"
        ),
        Reason.PROCESSOR_ERROR: _retryable(
            ActionClass.RETRY, "The processor failed in a way that it does not know; the log has the details."
        ),
        Reason.RETRY_ASKED: _retryable(
            ActionClass.RETRY, f"The processor asked for another try each time, and none is left. {_RUN_AGAIN}"
        ),
        Reason.GIVEN_UP: _final(
            Outcome.FAILED,
            ActionClass.FIX_INPUT,
            "The processor gave up and tells why; mend that, then run the list again with --redo unfinished.",
        ),
        Reason.WORKER_LOST: _retryable(ActionClass.RETRY, f"The worker died while it had this order. {_RUN_AGAIN}"),
        Reason.NO_WORKERS: _final(Outcome.FAILED, ActionClass.RETRY, f"No worker was left to do it. {_RUN_AGAIN}"),
        Reason.KILLS_WORKERS: _final(
            Outcome.QUARANTINED,
            ActionClass.PORTAL_FAULT,
            "Workers died on this order; open it by hand. It is tried again only with --redo all.",
        ),
        Reason.BY_REQUEST: _final(Outcome.CANCELLED, ActionClass.RETRY, "Cancelled; run the list again to do it."),
    }
)


#: How an order may seem to end for a session that is logged out: the portal says that there is no such order, or not
#: for this user, or shows nothing in it. Such an outcome counts only when the session is proven to have been logged in.
LOOKS_LOGGED_OUT = frozenset({Outcome.NOT_FOUND, Outcome.FORBIDDEN, Outcome.NO_ATTACHMENTS})


class ReturnReason(StrEnum):
    """Why a worker hands a task back undone. No outcome: the task goes to the queue again."""

    SESSION_LOST = "session_lost"
    #: Its worker had no login when it got it.
    LOGGED_OUT = "logged_out"
    DRAINING = "draining"
    #: Its worker failed at everything and is started anew; perhaps it is the worker.
    RECYCLED = "recycled"
    #: It was not found or the like, and its session could no longer prove that it was logged in.
    UNPROVEN = "unproven"
    #: The machine stood still meanwhile, so that whatever had a time limit failed.
    PAUSED = "paused"


class LoginCheck(StrEnum):
    """What a probe of the login found."""

    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    #: The portal gave no answer that tells.
    UNCLEAR = "unclear"
