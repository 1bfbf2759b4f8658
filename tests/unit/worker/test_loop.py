"""What a worker tells the supervisor, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import pytest

from poolwright.domain.outcomes import MAY_BE_LOGGED_OUT, LoginCheck, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import (
    Assign,
    CheckLogin,
    Drain,
    Finished,
    LoginChecked,
    LoginRequired,
    LoginResult,
    Ready,
    Refresh,
    Returned,
    ToWorker,
    WorkerPaths,
)
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import AttemptContext
from poolwright.worker.errors import CannotLogInError
from poolwright.worker.login.login_flow import Credentials
from poolwright.worker.loop import HEARTBEAT_INTERVAL_S, WorkerLoop
from tests.support.tasks import po_task


async def nothing() -> None:
    """Keeps no cookies."""


@pytest.mark.parametrize(("stood_still_s", "told_s"), [(0.0, 0.0), (20.0, 20.0)])
async def test_a_pause_is_told_with_the_report_that_it_cut_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stood_still_s: float, told_s: float
) -> None:
    now_s, said = [100.0], list[dict[str, object]]()
    monkeypatch.setattr("poolwright.concurrency.anyio.current_time", lambda: now_s[0])

    async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
        del context, task, staging
        now_s[0] += HEARTBEAT_INTERVAL_S + stood_still_s
        return Report(reason=Reason.TASK_TIMEOUT)

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    membership = SimpleNamespace(is_logged_in=True, login_count=1, save_cookies=nothing)
    context = SimpleNamespace(session=SimpleNamespace(login=membership))
    outbox = SimpleNamespace(send=lambda kind, **told: said.append({"kind": kind, **told}))
    paths = WorkerPaths(profile_path="p", staging_path="s")
    loop = WorkerLoop(cast("AttemptContext", context), cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)

    await loop._handle(Assign(task=po_task(1), staging="w"))

    (finished,) = said
    assert (finished["kind"], finished["paused_s"]) == (Finished, told_s)


@pytest.mark.parametrize(
    ("message", "last"), [(Assign(task=po_task(1), staging="w"), Returned), (CheckLogin(), LoginChecked)]
)
async def test_a_worker_says_that_it_is_logged_out_before_it_gives_tasks_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: Assign | CheckLogin, last: type
) -> None:
    """In the other order the supervisor may send it the same task once more, which it can only return."""
    said = list[object]()

    async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
        del context, task, staging
        msg = "the portal shows its login page"
        raise SessionLostError(msg)

    async def check_login() -> LoginCheck:
        return LoginCheck.LOGGED_OUT

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    login = SimpleNamespace(
        is_logged_in=True, login_count=1, check_login=check_login, mark_logged_out=lambda count: count == 1
    )
    context = SimpleNamespace(session=SimpleNamespace(login=login))
    outbox = SimpleNamespace(send=lambda kind, **_told: said.append(kind))
    paths = WorkerPaths(profile_path="p", staging_path="s")
    worker = WorkerLoop(cast("AttemptContext", context), cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)

    await worker._handle(message)

    assert said == [LoginRequired, last]


@pytest.mark.parametrize(
    ("reason", "check", "renewed_count", "is_returned"),
    [
        *((reason, LoginCheck.LOGGED_OUT, 0, True) for reason in sorted(MAY_BE_LOGGED_OUT)),
        (Reason.PORTAL_CHANGED, LoginCheck.LOGGED_IN, 1, True),
        (Reason.PORTAL_CHANGED, LoginCheck.LOGGED_IN, 0, False),
        (Reason.PORTAL_CHANGED, LoginCheck.UNCLEAR, 0, False),
        (Reason.ALL_SAVED, LoginCheck.LOGGED_OUT, 1, False),
        (Reason.PORTAL_ERROR, LoginCheck.LOGGED_OUT, 1, False),
    ],
)
async def test_no_order_pays_for_a_failure_during_which_the_login_was_lost(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: Reason,
    check: LoginCheck,
    renewed_count: int,
    *,
    is_returned: bool,
) -> None:
    said = list[dict[str, object]]()

    async def check_login() -> LoginCheck:
        return check

    login = SimpleNamespace(
        is_logged_in=True,
        login_count=1,
        check_login=check_login,
        save_cookies=nothing,
        mark_logged_out=lambda count: count == login.login_count,
    )

    async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
        del context, task, staging
        login.login_count += renewed_count
        return Report(reason=reason, detail="The page is blank.")

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    context = SimpleNamespace(session=SimpleNamespace(login=login))
    outbox = SimpleNamespace(send=lambda kind, **told: said.append({"kind": kind, **told}))
    paths = WorkerPaths(profile_path="p", staging_path="s")
    worker = WorkerLoop(cast("AttemptContext", context), cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)

    await worker._handle(Assign(task=po_task(1), staging="w"))

    if not is_returned:
        assert [message["kind"] for message in said] == [Finished]
        return
    assert [message["kind"] for message in said] == [Returned] if renewed_count else [LoginRequired, Returned]
    assert (said[-1]["why"], said[-1]["detail"]) == (
        ReturnReason.SESSION_LOST,
        "the login was lost meanwhile (The page is blank.)",
    )


@dataclass(kw_only=True)
class Orders:
    """A supervisor that sends a message whenever the worker has done what it can do so far."""

    messages: list[ToWorker]

    async def receive(self) -> ToWorker:
        await anyio.wait_all_tasks_blocked()
        return self.messages.pop(0)


MISS, OTHER_MISS = po_task(1), po_task(2)


@pytest.mark.parametrize(
    ("reason", "check", "verified", "is_checked_at_last"),
    [
        (Reason.PORTAL_SAYS_MISSING, LoginCheck.LOGGED_IN, (MISS, OTHER_MISS), False),
        (Reason.PORTAL_SAYS_MISSING, LoginCheck.LOGGED_IN, (MISS,), True),
        (Reason.PORTAL_SAYS_MISSING, LoginCheck.LOGGED_IN, (), True),
        (Reason.PORTAL_SAYS_MISSING, LoginCheck.UNCLEAR, (MISS, OTHER_MISS), True),
        (Reason.ALL_SAVED, LoginCheck.LOGGED_IN, (), False),
    ],
    ids=["all are verified", "one came after the check was asked for", "none is verified", "unclear", "no miss"],
)
async def test_a_worker_that_ends_checks_its_login_for_what_no_check_has_verified(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: Reason,
    check: LoginCheck,
    verified: tuple[POTask, ...],
    *,
    is_checked_at_last: bool,
) -> None:
    said = list[dict[str, object]]()

    async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
        del context, task, staging
        return Report(reason=reason)

    async def check_login() -> LoginCheck:
        return check

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    login = SimpleNamespace(
        is_logged_in=True, login_count=1, check=nothing, check_login=check_login, save_cookies=nothing
    )
    session = SimpleNamespace(login=login, ping=anyio.sleep_forever, view=lambda: None)
    outbox = SimpleNamespace(send=lambda kind, **told: said.append({"kind": kind, **told}))
    paths = WorkerPaths(profile_path="p", staging_path="s")
    context = cast("AttemptContext", SimpleNamespace(session=session))
    worker = WorkerLoop(context, cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)
    supervisor = Orders(
        messages=[
            Assign(task=MISS, staging="1"),
            Assign(task=OTHER_MISS, staging="2"),
            CheckLogin(task_ids=frozenset(task.task_id for task in verified)),
            Drain(),
        ]
    )

    await worker.run(cast("Channel[ToWorker]", supervisor))

    kinds: list[object] = [Ready, Finished, LoginChecked]
    answers = [message for message in said if message["kind"] in kinds]
    assert [message["kind"] for message in answers[:4]] == [Ready, Finished, Finished, LoginChecked]
    assert [message.get("is_last") for message in answers[4:]] == [True] * is_checked_at_last


@pytest.mark.parametrize(
    ("results", "times_s", "check_count"),
    [
        ((LoginCheck.LOGGED_IN,), (0.0, 1.0, 2.0), 3),
        ((LoginCheck.UNCLEAR,), (0.0, 1.0, 59.9), 1),
        ((LoginCheck.UNCLEAR,), (0.0, 60.0, 61.0), 2),
        ((LoginCheck.UNCLEAR, LoginCheck.LOGGED_IN), (0.0, 60.0, 61.0), 3),
    ],
    ids=["a portal that answers", "one in trouble", "one in trouble for long", "one that is back"],
)
async def test_a_portal_in_trouble_is_not_asked_for_a_login_check_after_each_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    results: tuple[LoginCheck, ...],
    times_s: tuple[float, ...],
    check_count: int,
) -> None:
    checks, now_s = list[LoginCheck](), [0.0]

    async def check_login() -> LoginCheck:
        checks.append(results[min(len(checks), len(results) - 1)])
        return checks[-1]

    async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
        del context, task, staging
        return Report(reason=Reason.PAGE_TOO_SLOW)

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    monkeypatch.setattr("poolwright.worker.loop.anyio.current_time", lambda: now_s[0])
    login = SimpleNamespace(is_logged_in=True, login_count=1, check_login=check_login, save_cookies=nothing)
    context = SimpleNamespace(session=SimpleNamespace(login=login))
    outbox, paths = SimpleNamespace(send=lambda *_, **__: None), WorkerPaths(profile_path="p", staging_path="s")
    worker = WorkerLoop(cast("AttemptContext", context), cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)

    for now_s[0] in times_s:
        await worker._handle(Assign(task=po_task(1), staging="w"))

    assert len(checks) == check_count


async def test_a_worker_that_cannot_log_in_knows_the_name_of_its_profile(tmp_path: Path) -> None:
    given, said = list[Credentials](), list[object]()

    async def log_in(credentials: Credentials) -> str:
        given.append(credentials)
        msg = "no login step succeeded"
        raise CannotLogInError(msg)

    context = SimpleNamespace(session=SimpleNamespace(login=SimpleNamespace(log_in=log_in)))
    outbox = SimpleNamespace(send=lambda kind, **_told: said.append(kind))
    paths = WorkerPaths(profile_path="p", staging_path="s", profile_name="acme")
    worker = WorkerLoop(cast("AttemptContext", context), cast("Outbox", outbox), tmp_path, paths=paths, is_headed=False)

    await worker._handle(Refresh())

    assert [one.profile_name for one in given] == ["acme"]
    assert said == [LoginResult]
