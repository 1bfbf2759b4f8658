"""The loop of a worker from its start to its drain: tasks in tabs, heartbeats and the login.

Each assigned task is answered exactly once, by ``Finished`` or ``Returned``, unless the browser dies: then the process
ends without an answer, and the supervisor knows which tasks it had.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Collection
from pathlib import Path

import anyio

from poolwright.concurrency import SuspendedTime, periodic
from poolwright.domain.errors import unwrap_group
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import LOOKS_LOGGED_OUT, MAY_BE_LOGGED_OUT, LoginCheck, ReturnReason
from poolwright.domain.tasks import Report
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import (
    Assign,
    CheckLogin,
    Configure,
    Drain,
    Finished,
    GetThumbnail,
    Heartbeat,
    ImportCookies,
    LoginChecked,
    LoginRequired,
    LoginResult,
    Ready,
    Refresh,
    Returned,
    Thumbnail,
    ToWorker,
    WorkerPaths,
)
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.answer_times import recording_answers
from poolwright.worker.attempt import AttemptContext, attempt
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.download.staged_files import thumbnail
from poolwright.worker.errors import CannotLogInError, SessionBrokenError, first_line
from poolwright.worker.login.login_flow import Credentials
from poolwright.worker.session import BrowserSession

#: The supervisor treats a worker without a message for 15 s as hung.
HEARTBEAT_INTERVAL_S = 2.0
#: After a failed attempt the login is checked. If that showed nothing, the next such check is made this much later.
UNCLEAR_PAUSE_S = 60.0
#: A frame holds 1 MiB; a screenshot of 1280 x 720 pixels has some 10 KB. A larger one is cut, and cannot be shown.
THUMBNAIL_BYTES_MAX = 600_000


class WorkerLoop:
    """One running worker. ``run`` returns after the supervisor sends ``Drain``."""

    def __init__(
        self, context: AttemptContext, outbox: Outbox, staging: Path, *, paths: WorkerPaths, is_headed: bool
    ) -> None:
        """Prepare the loop; it starts with ``run``.

        Args:
            context: The session, the processor and the options of all attempts.
            outbox: Sends messages to the supervisor.
            staging: Folder that holds one folder for each attempt.
            paths: The paths of the worker, such as the cookies of the last login that was saved in the profile.
            is_headed: Whether a person can see the browser.
        """
        self._context = context
        self._outbox = outbox
        self._staging = staging
        self._paths = paths
        self._is_headed = is_headed
        #: Tasks whose outcomes could also come from a session that is logged out, without those that a check verified.
        self._missed = set[TaskId]()
        self._was_ready = False
        #: Held by a login check after a failed attempt; until when no further one is made, as the portal is in trouble.
        self._failure_check, self._unclear_until_s = anyio.Lock(), -math.inf
        self._pauses = SuspendedTime(HEARTBEAT_INTERVAL_S)

    @property
    def _session(self) -> BrowserSession:
        return self._context.session

    async def run(self, channel: Channel[ToWorker]) -> None:
        """Handle messages until ``Drain``, then finish the current tasks.

        Raises:
            SessionBrokenError: The browser or its driver died.
            CannotLogInError: The portal asks for a login, and no login step is possible.
            PortalDownError: The portal does not answer.
            EndOfStream: The supervisor is gone.
        """
        try:
            async with anyio.create_task_group() as background:
                background.start_soon(self._send_heartbeats)
                background.start_soon(self._watch_browser)
                await self._start()
                async with anyio.create_task_group() as work:
                    while not isinstance(message := await channel.receive(), Drain):
                        work.start_soon(self._handle, message)
                if self._missed:
                    self._outbox.send(LoginChecked, result=await self._session.login.check_login(), is_last=True)
                background.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group, SessionBrokenError) from group

    async def _start(self) -> None:
        """Send ``Ready`` if the session is logged in, else ``LoginRequired``; the supervisor decides who logs in."""
        demand = await self._session.login.check()
        if demand is None:
            self._send_ready()
        else:
            self._outbox.send(LoginRequired, detail=demand)

    async def _handle(self, message: ToWorker) -> None:
        match message:
            case Assign():
                await self._process(message)
            case CheckLogin():
                await self._check_login(message.task_ids)
            case GetThumbnail():
                await self._send_thumbnail(message)
            case Refresh():
                await self._refresh(message)
            case ImportCookies():
                await self._import_cookies(message)
            case Configure() | Drain():
                msg = f"{message.type} is not a valid message for a running worker"
                raise TypeError(msg)

    async def _process(self, assign: Assign) -> None:
        task_id, login = assign.task.task_id, self._session.login
        if not login.is_logged_in:
            self._return_task(task_id, ReturnReason.LOGGED_OUT, "the worker was not logged in")
            return
        count, paused_s = login.login_count, self._pauses.total_s
        try:
            with recording_answers() as answers:
                report = await attempt(self._context, assign.task, self._staging / assign.staging)
            if report.reason in MAY_BE_LOGGED_OUT:
                await self._raise_if_logged_out(count, report)
        except SessionLostError as error:
            self._report_logged_out(count, first_line(error))  # before the task, which would be sent here again
            self._return_task(task_id, ReturnReason.SESSION_LOST, first_line(error))
        else:
            if report.outcome in LOOKS_LOGGED_OUT:
                self._missed.add(task_id)
            await login.save_cookies()
            paused_s = self._pauses.total_s - paused_s
            self._outbox.send(
                Finished,
                task_id=task_id,
                report=report,
                paused_s=paused_s,
                answer_s=answers.longest_s,
                more_request_count=answers.more_request_count,
            )

    async def _raise_if_logged_out(self, count: int, report: Report) -> None:
        """Raise if the login was lost during an attempt that failed, so that no order pays for it.

        Args:
            count: ``login_count`` when the attempt began.
            report: How it ended.

        Raises:
            SessionLostError: The session is logged out, or was and is logged in again.
        """
        login = self._session.login
        is_lost = not login.is_logged_in or login.login_count != count
        if is_lost or await self._check_after_failure() is LoginCheck.LOGGED_OUT:
            msg = f"the login was lost meanwhile ({report.detail or report.reason.value})"
            raise SessionLostError(msg)

    async def _check_after_failure(self) -> LoginCheck:
        """Check the login after a failed attempt.

        A portal that did not answer such a check is in trouble: it is not asked for another one for a while.
        """
        async with self._failure_check:
            if anyio.current_time() < self._unclear_until_s:
                return LoginCheck.UNCLEAR
            result = await self._session.login.check_login()
            if result is LoginCheck.UNCLEAR:
                self._unclear_until_s = anyio.current_time() + UNCLEAR_PAUSE_S
            return result

    async def _check_login(self, task_ids: Collection[TaskId]) -> None:
        count = self._session.login.login_count
        result = await self._session.login.check_login()
        if result is LoginCheck.LOGGED_OUT:  # before the result, which returns tasks to the queue
            self._report_logged_out(count, "the portal's probe page asks for a login")
        if result is LoginCheck.LOGGED_IN:
            self._missed.difference_update(task_ids)
        self._outbox.send(LoginChecked, result=result)

    async def _send_thumbnail(self, request: GetThumbnail) -> None:
        tab = self._session.tabs.get(request.task_id)
        jpeg = await thumbnail(tab.page) if tab is not None else b""
        self._outbox.send(Thumbnail, task_id=request.task_id, jpeg=b64encode(jpeg[:THUMBNAIL_BYTES_MAX]).decode())

    async def _refresh(self, refresh: Refresh) -> None:
        login_path = self._paths.kept_login_path
        credentials = Credentials(
            one_time_code=refresh.one_time_code,
            snapshot=CookieSnapshot(Path(login_path)) if login_path else None,
            profile_name=self._paths.profile_name,
            is_headed=self._is_headed,
        )
        try:
            if refresh.is_early:
                await self._session.login.log_out()
            step = await self._session.login.log_in(credentials)
        except CannotLogInError as error:
            self._outbox.send(LoginResult, is_logged_in=False, detail=str(error))
            return
        self._outbox.send(LoginResult, is_logged_in=True, detail=step)
        self._send_ready()

    async def _import_cookies(self, request: ImportCookies) -> None:
        try:
            await self._session.login.import_cookies(Path(request.cookies_path))
        except CannotLogInError as error:
            self._outbox.send(LoginResult, is_logged_in=False, detail=str(error))
            return
        self._outbox.send(LoginResult, is_logged_in=True, detail="cookies imported")
        self._send_ready()

    def _send_ready(self) -> None:
        if not self._was_ready:
            self._was_ready = True
            self._outbox.send(Ready, session=self._session.view())

    def _return_task(self, task_id: TaskId, why: ReturnReason, detail: str) -> None:
        self._outbox.send(Returned, task_id=task_id, why=why, detail=detail)

    def _report_logged_out(self, count: int, detail: str) -> None:
        if self._session.login.mark_logged_out(count):
            self._outbox.send(LoginRequired, detail=detail)

    async def _send_heartbeats(self) -> None:
        """Send a heartbeat at each interval, until cancelled."""
        async for _ in periodic(HEARTBEAT_INTERVAL_S):
            self._pauses.mark_running()
            self._outbox.send(Heartbeat, session=self._session.view())

    async def _watch_browser(self) -> None:
        await self._session.ping()
        msg = "the browser or its driver has ended or hangs"
        raise SessionBrokenError(msg)
