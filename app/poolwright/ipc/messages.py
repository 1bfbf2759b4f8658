"""The messages between the supervisor and a worker, and the order in which they are sent.

Framing: see ``codec``. Two dedicated pipes join the supervisor and one worker process; nothing else is sent on them.

The worker begins with ``Hello``. The supervisor answers with one ``Configure``; the worker opens its browser and sends
``Ready`` when it is logged in, or ``StartupFailed`` and ends. From then on the supervisor sends ``Assign`` while the
worker has free tabs (the supervisor counts them), and the worker answers each with exactly one ``Finished`` or
``Returned``, each ``CheckLogin`` with one ``LoginChecked`` and each ``GetThumbnail`` with one ``Thumbnail``. A worker
makes no requests: ``Assign`` has everything that it needs. After ``Drain`` the worker reads no further message: it
finishes its tasks, checks its login if a result is unverified, closes its browser, sends ``Exiting`` and ends. A closed
pipe has the same effect, at once. A worker in another ``WorkerMode`` than work does that one thing, and then sends
``Exiting`` without a request; one that examines pages sends one ``Examined`` for each, before ``Ready``.

If the portal wants a login from a worker, at its start or later, the worker sends ``LoginRequired`` and waits: all
workers share one login, so the supervisor lets one of them log in (``Refresh``) and the others import its cookies
(``ImportCookies``). Each of the two is answered with one ``LoginResult``. Cookies are passed on in files that belong to
the supervisor, never in frames.

Frames from a worker carry its slot and generation; the supervisor ignores those of an earlier generation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from poolwright.domain.events import Level, SessionView
from poolwright.domain.ids import SiteCookies, TaskId
from poolwright.domain.options import WorkerOptions
from poolwright.domain.outcomes import LoginCheck, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import POTask, Report

#: Increased with every change that an older peer would not understand.
PROTOCOL_VERSION = 6


class _Message(BaseModel):
    # Both ends are the same program, so nothing is coerced; a number from a portal may be infinite.
    # The validator is built on first use: each end makes one half of the messages and reads the other.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants", defer_build=True)


class WorkerMode(StrEnum):
    """The purpose of a worker process."""

    #: Process tasks until ``Drain``.
    WORK = "work"
    #: Make a base profile: open it, log in if user and password are set, close it.
    MAKE_BASE = "make_base"
    #: Show a person the portal on a base profile, until the last window is closed or the supervisor sends ``Drain``.
    LOG_IN = "log_in"
    #: Import a storage state of another browser into a base profile.
    IMPORT_STATE = "import_state"
    #: Import the cookies of another session (``kept_login_path``) into a base profile, beside its own.
    IMPORT_COOKIES = "adopt"
    #: Open a base profile as workers do, make a login check, and save its cookies.
    CHECK_LOGIN = "prove"
    #: Open orders on a clone as a run does, and write what is found on their pages to a folder.
    EXAMINE = "examine"
    #: Judge saved pages without a portal, and write what is found on them to a folder.
    REPLAY = "replay"
    #: Let a person show a portal (``teach_url``) on an empty profile, and record its pages (``pages_path``).
    TEACH = "teach"


class WorkerPaths(_Message):
    """The paths of a worker on disk. The supervisor owns and removes them."""

    profile_path: str
    #: The name of the base profile, for commands in messages to people.
    profile_name: str = "NAME"
    #: The file that passes the session's cookies on to the next generation; empty for a worker without one.
    cookies_path: str = ""
    #: The cookies of the last login that was saved into the base profile; empty if none was saved.
    kept_login_path: str = ""
    #: Folder with the last good page of each portal; empty where none is kept.
    good_pages_path: str = ""
    #: The parent of the staging folders of the attempts.
    staging_path: str
    #: The cookies that the browser must find in the profile right after its launch.
    expected_cookies: tuple[SiteCookies, ...] = ()
    #: The storage state to import, as Playwright writes it; empty in other modes than ``IMPORT_STATE``.
    state_path: str = ""
    #: The folder for the pages that a person shows; empty in other modes than ``TEACH``.
    pages_path: str = ""


class PageToExamine(_Message):
    """One page for the author of a pack."""

    #: The order number as the person wrote it; empty for the portal's probe page.
    number: str
    #: The number in the portal's form.
    portal_number: str
    #: Folder for what is found.
    folder: str
    #: Folder of the saved page in the mode ``REPLAY``.
    saved_path: str = ""


class ExaminationPlan(_Message):
    """The pages that a worker examines, in their order."""

    pages: tuple[PageToExamine, ...]
    #: Whether the last page stays open until a person closes its window.
    stays_open: bool = False


class Configure(_Message):
    """Supervisor to worker, once: its mode, options and paths."""

    type: Literal["configure"] = "configure"
    protocol: int = PROTOCOL_VERSION
    mode: WorkerMode = WorkerMode.WORK
    options: WorkerOptions
    paths: WorkerPaths
    #: For the login of ``MAKE_BASE``, if the portal wants a code.
    one_time_code: str = Field(default="", repr=False)
    #: For the modes ``EXAMINE`` and ``REPLAY``.
    examination: ExaminationPlan | None = None
    #: The address that ``TEACH`` opens.
    teach_url: str = ""


class Assign(_Message):
    """Supervisor to worker: process this task in a tab of its own."""

    type: Literal["assign"] = "assign"
    task: POTask
    #: Folder name below the worker's ``staging_path``.
    staging: str


class CheckLogin(_Message):
    """Supervisor to worker: make a login check."""

    type: Literal["probe"] = "probe"
    #: The tasks whose results it is to verify.
    task_ids: frozenset[TaskId] = frozenset()


class GetThumbnail(_Message):
    """Supervisor to worker: send a thumbnail of a task's tab."""

    type: Literal["show"] = "show"
    task_id: TaskId


class Refresh(_Message):
    """Supervisor to worker: log in, by the login steps of the portal pack. Other workers wait for it."""

    type: Literal["refresh"] = "refresh"
    #: For the second factor; valid once, so no two workers receive the same.
    one_time_code: str = Field(default="", repr=False)
    #: Log out first: the login is still valid, but would end soon.
    is_early: bool = False


class ImportCookies(_Message):
    """Supervisor to worker: import the cookies that another worker saved, and check whether they give a login."""

    type: Literal["adopt"] = "adopt"
    cookies_path: str


class Drain(_Message):
    """Supervisor to worker: finish your tasks, close the browser, end."""

    type: Literal["drain"] = "drain"


class Hello(_Message):
    """Worker to supervisor, the first message: the process runs and uses this protocol version."""

    type: Literal["hello"] = "hello"
    slot: int
    generation: int
    protocol: int = PROTOCOL_VERSION
    pid: int


class StartupFailure(StrEnum):
    """The cause of a failed start. The supervisor decides differently for each."""

    #: The browser does not start here: wrong binary, sandbox, missing library.
    BROWSER = "browser"
    #: The portal wants a login that this worker cannot give.
    LOGIN = "login"
    #: The portal does not answer.
    PORTAL = "portal"
    #: The processor is not found, or cannot work in this pool.
    PROCESSOR = "processor"
    #: The browser lost the cookies of the profile.
    PROFILE = "profile"


class StartupFailed(_Message):
    """Worker to supervisor: the worker cannot continue, and the reason in one sentence."""

    type: Literal["unable"] = "unable"
    slot: int
    generation: int
    kind: StartupFailure
    detail: str
    #: Seconds for which the worker was suspended since its start.
    paused_s: float = 0.0


class Ready(_Message):
    """Worker to supervisor: the browser is open and logged in."""

    type: Literal["ready"] = "ready"
    slot: int
    generation: int
    session: SessionView


class StateChanged(_Message):
    """Worker to supervisor: a state machine of the worker made a transition."""

    type: Literal["moved"] = "moved"
    slot: int
    generation: int
    transition: Transition


class Finished(_Message):
    """Worker to supervisor: an attempt has ended with this report; its files are staged."""

    type: Literal["finished"] = "finished"
    slot: int
    generation: int
    task_id: TaskId
    report: Report
    #: Seconds for which the worker was suspended meanwhile.
    paused_s: float = 0.0
    #: Seconds that the portal took to answer for the page of the order; ``None`` if no page came.
    answer_s: float | None = None
    #: Requests beside those for the page and the files of the report.
    more_request_count: int = 0


class Returned(_Message):
    """Worker to supervisor: the task is returned without an outcome, for a reason that is not the task's fault."""

    type: Literal["returned"] = "returned"
    slot: int
    generation: int
    task_id: TaskId
    why: ReturnReason
    detail: str = ""


class LoginChecked(_Message):
    """Worker to supervisor: the result of a login check."""

    type: Literal["probed"] = "probed"
    slot: int
    generation: int
    result: LoginCheck
    #: Whether the worker made this check by itself after its last task: it then counts for all its tasks.
    is_last: bool = False


class Thumbnail(_Message):
    """Worker to supervisor: a thumbnail of a task's tab, as a small JPEG."""

    type: Literal["shown"] = "shown"
    slot: int
    generation: int
    task_id: TaskId
    #: Base64; empty if there is no such tab, or no thumbnail of it can be made.
    jpeg: str = ""


class LoginRefreshed(_Message):
    """Worker to supervisor: a page was reached through the login page; the session had ended unnoticed."""

    type: Literal["renewed"] = "renewed"
    slot: int
    generation: int


class LoginRequired(_Message):
    """Worker to supervisor: the portal wants a login; sent once, until ``Refresh`` or ``ImportCookies`` gives one."""

    type: Literal["logged_out"] = "logged_out"
    slot: int
    generation: int
    detail: str


class LoginResult(_Message):
    """Worker to supervisor: the result of a ``Refresh`` or an ``ImportCookies``."""

    type: Literal["login_settled"] = "login_settled"
    slot: int
    generation: int
    is_logged_in: bool
    #: The login step that succeeded, or the obstacle.
    detail: str = ""


class Heartbeat(_Message):
    """Worker to supervisor, every two seconds: its event loop runs."""

    type: Literal["heartbeat"] = "heartbeat"
    slot: int
    generation: int
    session: SessionView


class LogNotice(_Message):
    """Worker to supervisor: a log message for people."""

    type: Literal["said"] = "said"
    slot: int
    generation: int
    level: Level
    text: str


class Examined(_Message):
    """Worker to supervisor: what was found on a page is in its folder."""

    type: Literal["examined"] = "examined"
    slot: int
    generation: int
    #: The order number as the person wrote it; empty for the portal's probe page.
    number: str
    #: Why there is nothing in the folder; empty if it was written.
    problem: str = ""


class Exiting(_Message):
    """Worker to supervisor, last message: the browser was closed cleanly."""

    type: Literal["bye"] = "bye"
    slot: int
    generation: int


ToWorker = Annotated[
    Configure | Assign | CheckLogin | GetThumbnail | Refresh | ImportCookies | Drain, Field(discriminator="type")
]
#: Messages about the worker itself.
_LifecycleMessage = Hello | StartupFailed | Ready | StateChanged | Heartbeat | LogNotice | Exiting
#: Results of what the supervisor asked for.
_ResultMessage = (
    Finished | Returned | LoginChecked | Thumbnail | LoginRefreshed | LoginRequired | LoginResult | Examined
)
ToSupervisor = Annotated[_LifecycleMessage | _ResultMessage, Field(discriminator="type")]
