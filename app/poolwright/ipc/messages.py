"""The messages between the supervisor and a worker, and the order in which they are sent.

Framing: see ``codec``. Two dedicated pipes join the supervisor and one worker process; nothing else is sent on them.

Who speaks first: the worker, with ``Hello``. The supervisor answers with one ``Configure``; the worker opens its
browser and says ``Ready`` when it is logged in, or ``Unable`` and ends. From then on the supervisor sends ``Assign``
while the worker has free tabs (it counts them itself), and the worker answers each with exactly one ``Finished`` or
``Returned``, each ``Probe`` with one ``Probed`` and each ``Show`` with one ``Shown``. A worker never asks for
anything: ``Assign`` holds all that it needs. ``Drain`` lets it finish what it has, close its browser, say ``Bye`` and
end; it reads nothing any more, and probes its login of its own accord where somebody must know. A closed pipe means the
same at once, without a word. A worker with another ``Mode`` than work does that one thing, and then says ``Bye`` by
itself.

A worker that the portal wants a login of, when it comes up or later, says ``LoggedOut`` and does nothing about it: all
workers have one login, so the supervisor has one of them log in (``Refresh``) and the others take over what that one
got (``Adopt``). Each of the two is answered with one ``LoginSettled``. Cookies travel in files that belong to the
supervisor, never in frames.

Frames of the worker carry its slot and generation; the supervisor drops those of a generation that is gone.
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

#: Raised with every change that an older peer would not understand.
PROTOCOL_VERSION = 4


class _Message(BaseModel):
    # Both ends are the same program, so nothing is coerced; a number that a portal made up may be endless.
    # Built when the first one is made or read: each end makes one half of the messages and reads the other.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants", defer_build=True)


class WorkerMode(StrEnum):
    """What a worker process is started for."""

    #: Process tasks until told to drain.
    WORK = "work"
    #: Make a base profile: open it, log in where user and password are given, close it.
    MAKE_BASE = "make_base"
    #: Show a person the portal on a base profile, until the last window is closed or the supervisor says drain.
    LOG_IN = "log_in"
    #: Put a storage state of another browser into a base profile.
    IMPORT_STATE = "import_state"
    #: Give a base profile the cookies of another session (the seat's kept login) beside its own.
    IMPORT_COOKIES = "adopt"
    #: Open a base profile as workers do, ask the portal whether it is logged in, and keep its cookies.
    VERIFY_LOGIN = "prove"


class WorkerPaths(_Message):
    """The paths of this worker on disk. The supervisor owns and removes them."""

    profile_path: str
    #: What people call the profile that it comes from, for commands that they are to give.
    profile_name: str = "NAME"
    #: Where the session's cookies are kept for the next generation; empty for a worker that has none.
    cookies_path: str = ""
    #: The cookies of the last login that was made into the base profile; empty where none was kept.
    kept_login_path: str = ""
    #: Downloads are staged below, one folder for each attempt.
    staging_path: str
    #: What the browser must find in the profile right after its launch.
    expected_cookies: tuple[SiteCookies, ...] = ()
    #: A storage state to be taken over, as Playwright writes it; empty but for that errand.
    state_path: str = ""


class Configure(_Message):
    """Supervisor to worker, once: its mode, options and paths."""

    type: Literal["configure"] = "configure"
    protocol: int = PROTOCOL_VERSION
    mode: WorkerMode = WorkerMode.WORK
    options: WorkerOptions
    seat: WorkerPaths
    #: For the login of ``MAKE_BASE``, where the portal wants one.
    one_time_code: str = Field(default="", repr=False)


class Assign(_Message):
    """Supervisor to worker: process this task in a tab of its own."""

    type: Literal["assign"] = "assign"
    task: POTask
    #: Folder name below the seat's staging path.
    staging: str


class VerifyLogin(_Message):
    """Supervisor to worker: ask the portal whether we are logged in."""

    type: Literal["probe"] = "probe"


class GetThumbnail(_Message):
    """Supervisor to worker: send a thumbnail of a task's tab."""

    type: Literal["show"] = "show"
    task_id: TaskId


class Refresh(_Message):
    """Supervisor to worker: log in, by the ways that the portal's pack names. Others wait for it."""

    type: Literal["refresh"] = "refresh"
    #: For the second factor; good once, so no two workers are ever sent the same.
    one_time_code: str = Field(default="", repr=False)
    #: Log out before: the login is good still, but would end soon.
    is_early: bool = False


class ImportCookies(_Message):
    """Supervisor to worker: take over the cookies that another worker kept, and see whether they log you in."""

    type: Literal["adopt"] = "adopt"
    cookies_path: str


class Drain(_Message):
    """Supervisor to worker: finish what you have, close the browser, end."""

    type: Literal["drain"] = "drain"


class Hello(_Message):
    """Worker to supervisor, first of all: the process is up and speaks this protocol."""

    type: Literal["hello"] = "hello"
    slot: int
    generation: int
    protocol: int = PROTOCOL_VERSION
    pid: int


class StartupFailure(StrEnum):
    """Why a worker cannot work. The supervisor decides differently for each."""

    #: The browser does not start here: wrong binary, sandbox, missing library.
    BROWSER = "browser"
    #: The portal wants a login that this worker cannot give.
    LOGIN = "login"
    #: The portal does not answer.
    PORTAL = "portal"
    #: The processor cannot be found, or cannot work in this pool.
    PROCESSOR = "processor"
    #: The browser lost what the profile holds.
    PROFILE = "profile"


class StartupFailed(_Message):
    """Worker to supervisor: the worker cannot continue, and the reason in one sentence."""

    type: Literal["unable"] = "unable"
    slot: int
    generation: int
    kind: StartupFailure
    detail: str


class Ready(_Message):
    """Worker to supervisor: the browser is open and logged in."""

    type: Literal["ready"] = "ready"
    slot: int
    generation: int
    session: SessionView


class StateChanged(_Message):
    """Worker to supervisor: a state machine of the worker changed its state."""

    type: Literal["moved"] = "moved"
    slot: int
    generation: int
    transition: Transition


class Finished(_Message):
    """Worker to supervisor: an attempt has its report; its files are staged."""

    type: Literal["finished"] = "finished"
    slot: int
    generation: int
    task_id: TaskId
    report: Report
    #: Seconds for which the worker stood still meanwhile.
    paused_s: float = 0.0


class Returned(_Message):
    """Worker to supervisor: the task is returned unprocessed, for a reason that is not the task's fault."""

    type: Literal["returned"] = "returned"
    slot: int
    generation: int
    task_id: TaskId
    why: ReturnReason
    detail: str = ""


class LoginVerified(_Message):
    """Worker to supervisor: the result of a login check."""

    type: Literal["probed"] = "probed"
    slot: int
    generation: int
    proof: LoginCheck
    #: Asked by the worker itself, after its last task: it tells about all of them.
    is_last: bool = False


class Thumbnail(_Message):
    """Worker to supervisor: what a task's tab shows, as a small JPEG."""

    type: Literal["shown"] = "shown"
    slot: int
    generation: int
    task_id: TaskId
    #: Base64; empty when there is no such tab, or it can't be pictured.
    jpeg: str = ""


class LoginRefreshed(_Message):
    """Worker to supervisor: a page came by way of the portal's login page; the session had ended, unnoticed."""

    type: Literal["renewed"] = "renewed"
    slot: int
    generation: int


class LoginRequired(_Message):
    """Worker to supervisor: the portal wants a login; told once, until ``Refresh`` or ``Adopt`` gave one."""

    type: Literal["logged_out"] = "logged_out"
    slot: int
    generation: int
    detail: str


class LoginResult(_Message):
    """Worker to supervisor: how a ``Refresh`` or an ``Adopt`` ended."""

    type: Literal["login_settled"] = "login_settled"
    slot: int
    generation: int
    is_logged_in: bool
    #: What did it, or what stood in the way.
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


class Exiting(_Message):
    """Worker to supervisor, last message: the browser was closed cleanly."""

    type: Literal["bye"] = "bye"
    slot: int
    generation: int


ToWorker = Annotated[
    Configure | Assign | VerifyLogin | GetThumbnail | Refresh | ImportCookies | Drain, Field(discriminator="type")
]
#: Messages about the worker itself.
_LifecycleMessage = Hello | StartupFailed | Ready | StateChanged | Heartbeat | LogNotice | Exiting
#: Results of what the supervisor asked for.
_ResultMessage = Finished | Returned | LoginVerified | Thumbnail | LoginRefreshed | LoginRequired | LoginResult
ToSupervisor = Annotated[_LifecycleMessage | _ResultMessage, Field(discriminator="type")]
