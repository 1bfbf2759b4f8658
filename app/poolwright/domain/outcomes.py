"""The outcomes of purchase orders, their reasons, and the next step for each.

An outcome is the result of an order; a reason is its cause, as a code that programs and reports can rely on. Each
reason belongs to one outcome and one class of action, and has one sentence with the next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Outcome(StrEnum):
    """The result of one purchase order."""

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
    """The kind of action that an outcome asks of a person."""

    DONE = "done"
    FIX_INPUT = "fix the input"
    ASK_ACCESS = "ask for access"
    RETRY = "retry"
    PORTAL_FAULT = "portal fault"


class Reason(StrEnum):
    """The cause of a purchase order's outcome."""

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
    GROUP_SET_ASIDE = "group_set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonInfo:
    """The outcome, action and next step of a reason, for the person who reads the report."""

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
            "Look at the saved screenshot: the page matches no rule of the portal pack. Adapt the pack if the portal "
            "changed.",
        ),
        Reason.PORTAL_UNREACHABLE: _retryable(
            ActionClass.RETRY, f"Check the network and the portal's address. {_RUN_AGAIN}"
        ),
        Reason.ASKS_FOR_LOGIN: _final(
            Outcome.FAILED,
            ActionClass.RETRY,
            "The session is logged in, but the portal asks for a login on this order's page each time. Run the list "
            "again, or open the order by hand.",
        ),
        Reason.PAGE_TOO_SLOW: _retryable(ActionClass.RETRY, f"The page did not become ready in time. {_RUN_AGAIN}"),
        Reason.TASK_TIMEOUT: _retryable(
            ActionClass.RETRY, "Raise the time limit for one order (--task-timeout) if its files are large."
        ),
        Reason.TAB_CRASHED: _retryable(ActionClass.RETRY, f"The browser tab crashed on this page. {_RUN_AGAIN}"),
        Reason.OUT_OF_MEMORY: _retryable(
            ActionClass.RETRY,
            "The system killed the browser tab because it ran out of memory. Use fewer workers or tabs (--workers, "
            "--tabs), or give Poolwright more memory; then run the list again.",
        ),
        Reason.DOWNLOAD_FAILED: _retryable(
            ActionClass.PORTAL_FAULT, "Open the order in the portal and try its files; none could be downloaded."
        ),
        Reason.DOWNLOAD_REFUSED: _final(
            Outcome.FAILED,
            ActionClass.PORTAL_FAULT,
            "The portal lists files but hands out none of them; ask its administrator for them.",
        ),
        Reason.FILING_FAILED: _retryable(
            ActionClass.RETRY, "Check the output folder: it must be writable and have room. Then run the list again."
        ),
        Reason.DISK_FULL: _retryable(ActionClass.RETRY, f"Free space on the disk of the output folder. {_RUN_AGAIN}"),
        Reason.DISK_AWAY: _retryable(
            ActionClass.RETRY, f"Check that the disk or share of the output folder is connected. {_RUN_AGAIN}"
        ),
        Reason.DISK_FORBIDDEN: _retryable(
            ActionClass.RETRY, f"Allow the user who runs Poolwright to write to the output folder. {_RUN_AGAIN}"
        ),
        Reason.PROCESSOR_ERROR: _retryable(
            ActionClass.RETRY, "The processor raised an unexpected error; see the log for the details."
        ),
        Reason.RETRY_ASKED: _retryable(
            ActionClass.RETRY, f"The processor asked for another attempt each time, and none is left. {_RUN_AGAIN}"
        ),
        Reason.GIVEN_UP: _final(
            Outcome.FAILED,
            ActionClass.FIX_INPUT,
            "The processor gave up; the detail has the cause. Fix it, then run the list again with --redo unfinished.",
        ),
        Reason.WORKER_LOST: _retryable(
            ActionClass.RETRY, f"The worker crashed while it processed this order. {_RUN_AGAIN}"
        ),
        Reason.NO_WORKERS: _final(Outcome.FAILED, ActionClass.RETRY, f"No worker was left to process it. {_RUN_AGAIN}"),
        Reason.KILLS_WORKERS: _final(
            Outcome.QUARANTINED,
            ActionClass.PORTAL_FAULT,
            "Workers crashed on this order; open it by hand. It is tried again only with --redo all.",
        ),
        Reason.BY_REQUEST: _final(Outcome.CANCELLED, ActionClass.RETRY, "Cancelled; run the list again to process it."),
        Reason.GROUP_SET_ASIDE: _final(
            Outcome.CANCELLED,
            ActionClass.ASK_ACCESS,
            "Ask the portal's administrator for access to the orders of this group; then resume it with "
            "poolwright resume-group NAME, or run the list again with --resume-group NAME.",
        ),
    }
)

#: What happened, in one sentence for each reason, for people who do not know its code.
REASON_SENTENCES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.ALL_SAVED: "All attachments were saved.",
        Reason.NONE_LISTED: "The order has no attachments.",
        Reason.SOME_FILES_FAILED: "Some attachments could not be downloaded.",
        Reason.SOME_FILES_REFUSED: "The portal refused some attachments.",
        Reason.PORTAL_SAYS_MISSING: "The portal has no such order.",
        Reason.NO_PERMISSION: "The portal did not allow this login to see the order.",
        Reason.BAD_NUMBER: "The list has a value that is not an order number.",
        Reason.BLANK_NUMBER: "The list has a row without an order number.",
        Reason.PORTAL_ERROR: "The portal answered with an error page.",
        Reason.PORTAL_BUSY: "The portal said that it was too busy.",
        Reason.PORTAL_CHANGED: "The portal showed a page that the portal pack does not describe.",
        Reason.PORTAL_UNREACHABLE: "The portal did not answer.",
        Reason.ASKS_FOR_LOGIN: "The page of the order asked for a login each time.",
        Reason.PAGE_TOO_SLOW: "The page of the order was not ready in time.",
        Reason.TASK_TIMEOUT: "The order took longer than its time limit.",
        Reason.TAB_CRASHED: "The browser tab crashed.",
        Reason.OUT_OF_MEMORY: "The system ended the browser tab because memory ran out.",
        Reason.DOWNLOAD_FAILED: "None of the attachments could be downloaded.",
        Reason.DOWNLOAD_REFUSED: "The portal refused all attachments.",
        Reason.FILING_FAILED: "The files could not be moved into the output folder.",
        Reason.DISK_FULL: "The disk of the output folder was full.",
        Reason.DISK_AWAY: "The disk of the output folder did not answer.",
        Reason.DISK_FORBIDDEN: "The output folder could not be written: permission was denied.",
        Reason.PROCESSOR_ERROR: "The processor raised an unexpected error.",
        Reason.RETRY_ASKED: "The processor asked for another attempt until none was left.",
        Reason.GIVEN_UP: "The processor gave up.",
        Reason.WORKER_LOST: "The worker crashed during the last attempt.",
        Reason.NO_WORKERS: "No worker was left.",
        Reason.KILLS_WORKERS: "Workers crashed on this order again and again.",
        Reason.BY_REQUEST: "It was cancelled on request.",
        Reason.GROUP_SET_ASIDE: "Its group was set aside, because the portal refused several of its orders in a row.",
    }
)


#: Outcomes that a lost login could explain: a portal may show a session that is logged out no order, no permission, or
#: an empty order. Such an outcome counts only after a login check confirms that the session was logged in.
LOOKS_LOGGED_OUT = frozenset({Outcome.NOT_FOUND, Outcome.FORBIDDEN, Outcome.NO_ATTACHMENTS})
#: Failures that a lost login could explain, such as a page that a script leaves half drawn when its request is refused.
#: The attempt counts only if the login is not lost; an outage has causes of its own and is not checked.
MAY_BE_LOGGED_OUT = frozenset(
    {
        Reason.PORTAL_CHANGED,
        Reason.PAGE_TOO_SLOW,
        Reason.DOWNLOAD_FAILED,
        Reason.DOWNLOAD_REFUSED,
        Reason.SOME_FILES_FAILED,
        Reason.SOME_FILES_REFUSED,
    }
)


class ReturnReason(StrEnum):
    """The cause of a task's return without an outcome: the task goes back to the queue."""

    SESSION_LOST = "session_lost"
    #: Its worker was not logged in when it received the task.
    LOGGED_OUT = "logged_out"
    DRAINING = "draining"
    #: All tasks of its worker failed, and the worker is restarted because it may be the cause.
    RECYCLED = "recycled"
    #: An unverified result (such as "not found"), and no login check could confirm that its session was logged in.
    UNPROVEN = "unproven"
    #: The machine was suspended meanwhile, so that every time limit passed.
    PAUSED = "paused"
    #: Its group was set aside before it began.
    SET_ASIDE = "set_aside"


class LoginCheck(StrEnum):
    """The result of a login check."""

    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    #: The portal's answer does not show it.
    UNCLEAR = "unclear"
