"""Logs a profile in: by hand in a window, by the portal's form, or with cookies of another browser.

Also opens the window in which a person shows a portal that has no pack yet.

A login is accepted only after a second browser, started like that of a worker, has found it in the saved profile. Then
the base is sealed and backed up, and its cookies are saved beside it. From the first change until then the base has no
seal, and other processes cannot use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.domain.errors import LoginRequiredError, SetupError
from poolwright.domain.outcomes import LoginCheck
from poolwright.domain.ports import Clock, EventSink
from poolwright.ipc.messages import WorkerMode
from poolwright.profile.backups import (
    delete_refreshed_login,
    login_backup_path,
    refreshed_login_path,
    replace_base,
    seal_changed_base,
)
from poolwright.profile.base import check_base, check_login_base
from poolwright.profile.clone import clone_profile, remove_clone
from poolwright.profile.errors import ProfileMissingError
from poolwright.profile.in_use import write_locked
from poolwright.profile.profile import prepare_base
from poolwright.profile.repository import NamedProfile
from poolwright.profile.seal import Seal, remove_seal
from poolwright.profile.storage_state import StorageState
from poolwright.service.pool_config import WorkerConfig
from poolwright.supervisor.processes.one_shot import LoginSource, LoginWindow, OneShotJob, PortalLesson, run_one_shot
from poolwright.supervisor.totp import totp_from_secret

_RENEWED_LOGIN_ENDED = (
    "The renewed login has expired as well: the portal asks for a login. Profile {name} was not changed. "
    "Run `poolwright profile login {name}`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLogin:
    """The profile to log in, and the worker configuration for it."""

    profile: NamedProfile
    #: Browser and portal, and the login for its form.
    workers: WorkerConfig
    runs_root: Path
    observe: EventSink
    clock: Clock


async def log_in_by_hand(job: ProfileLogin, *, opened: Callable[[], None], enough: anyio.Event) -> Seal:
    """Open a window, wait until a person has logged in and closed it, and seal the profile.

    Args:
        job: The profile.
        opened: Called when the window is open.
        enough: Set to close the window for the person.

    Raises:
        LoginRequiredError: The profile is not logged in afterwards; it is kept without a seal.
        ProfileError: The base cannot be used: damage mark, in use, damaged, or an everyday browser profile.
        SetupError: The browser does not start, or the portal does not answer.
    """
    name = job.profile.name
    login_problem = (
        f"The login of profile {name} was not saved: the portal asks a new browser to log in. "
        f"Give `poolwright profile login {name}` again and close the window only when you see your start page. If you "
        "did, this portal keeps its login in the window alone; let workers log in by its form: "
        f"`poolwright profile login {name} --form`."
    )
    headed = replace(job.workers.worker, browser=replace(job.workers.worker.browser, headless_mode=False))
    window = LoginWindow(opened=opened, enough=enough)
    one_shot = replace(_one_shot_job(job, WorkerMode.LOG_IN), options=headed, window=window)
    return await _log_in(job, one_shot, login_problem)


async def log_in_by_form(job: ProfileLogin) -> Seal:
    """Log in by the portal's form, with user, password and, if the portal requires it, a one-time code.

    Raises:
        OptionsError: The TOTP secret is invalid.
        LoginRequiredError: The login failed.
        ProfileError: The base cannot be used: damage mark, in use, damaged, or an everyday browser profile.
        SetupError: The browser does not start, or the portal does not answer.
    """
    login_problem = (
        f"The login of profile {job.profile.name} does not hold: the form was accepted, but the portal asks a newly "
        "opened browser to log in. Workers have to log in by the form whenever they start; set user and password."
    )
    codes = totp_from_secret(job.workers.totp_secret, job.clock)
    code = await codes.next_code() if codes else ""
    login = LoginSource(one_time_code=code)
    return await _log_in(job, replace(_one_shot_job(job, WorkerMode.MAKE_BASE), login=login), login_problem)


async def import_state(job: ProfileLogin, state: StorageState) -> Seal:
    """Replace the profile's login with the login of another browser.

    Raises:
        LoginRequiredError: The portal does not accept the imported login; the base is kept without a seal.
        ProfileError: The base cannot be used: damage mark, in use, damaged, or an everyday browser profile.
        SetupError: The browser does not start or refuses the state, or the portal does not answer.
    """
    login_problem = (
        f"The portal does not accept the login that was imported into profile {job.profile.name}: it has expired, or "
        "it is bound to its browser or network. Export it again right after a login, and import that file."
    )
    login = LoginSource(state=state.to_json())
    return await _log_in(job, replace(_one_shot_job(job, WorkerMode.IMPORT_STATE), login=login), login_problem)


async def promote(job: ProfileLogin) -> tuple[Path, Seal]:
    """Replace the base with a clone that has the login that a run renewed, if the portal accepts this login.

    The cookies are imported into a clone of the base, and the login is checked in another browser. Then the clone
    replaces the base, which is kept as a backup. If the check fails, the profile is unchanged.

    Returns:
        The path of the old base, and the new seal.

    Raises:
        ProfileMissingError: No run has renewed the login of this profile.
        LoginRequiredError: The renewed login has expired, too.
        ProfileError: The base cannot be used: damage mark, in use, damaged, or an everyday browser profile.
        SetupError: The browser does not start, the portal does not answer, or a file cannot be written.
    """
    base, renewed = job.profile.base_path, refreshed_login_path(job.profile.base_path)
    clone = base.with_name(f"{base.name}.promoted")
    if not renewed.is_file():
        raise ProfileMissingError(f"No run has renewed the login of profile {job.profile.name} since it was made.")
    with write_locked(base):
        try:
            await anyio.to_thread.run_sync(_clone_to, base, clone)
            login = LoginSource(kept_login_path=renewed)
            await run_one_shot(replace(_one_shot_job(job, WorkerMode.IMPORT_COOKIES), base=clone, login=login))
            await _check_login(job, clone, _RENEWED_LOGIN_ENDED.format(name=job.profile.name))
            replaced = await anyio.to_thread.run_sync(partial(replace_base, base, clone, now=job.clock.now()))
            delete_refreshed_login(base)
            return replaced
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(remove_clone, clone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalTeaching:
    """A portal that a person shows, and where its pages are written."""

    #: The user-data folder of the window; the browser creates it. Afterwards it has the person's login.
    window_path: Path
    #: The address that the window opens.
    url: str
    #: The folder for the pages and their ``observations.toml``.
    pages_path: Path
    workers: WorkerConfig
    runs_root: Path
    #: Receives a notice about each page that was noted.
    observe: EventSink

    async def run(self, *, opened: Callable[[], None], enough: anyio.Event) -> None:
        """Open the window, and return once the person has finished or closed it.

        Args:
            opened: Called when the window is open.
            enough: Set to close the window for the person.

        Raises:
            SetupError: The browser does not start, or the portal does not answer.
        """
        headed = replace(self.workers.worker, browser=replace(self.workers.worker.browser, headless_mode=False))
        job = OneShotJob(
            mode=WorkerMode.TEACH,
            base=self.window_path,
            options=headed,
            runs_root=self.runs_root,
            observe=self.observe,
            window=LoginWindow(opened=opened, enough=enough),
            lesson=PortalLesson(url=self.url, pages_path=self.pages_path),
        )
        await run_one_shot(job)


async def keep_window_login(job: ProfileLogin, window_path: Path) -> Seal:
    """Make the login of a closed window that of a new profile, if it holds in another browser, and seal the profile.

    Args:
        job: The profile; its base is empty.
        window_path: The user-data folder of the window. It is only read.

    Raises:
        LoginRequiredError: The portal asks a new browser to log in.
        ProfileError: The folder of the window cannot be used.
        SetupError: The browser does not start, the portal does not answer, or a file cannot be written.
    """
    base = job.profile.base_path
    login_problem = (
        f"The login of the window was not kept as profile {job.profile.name}: the portal asks a new browser to log in. "
        f"Make the profile with `poolwright profile login {job.profile.name} --portal FILE`, with the new pack."
    )
    with write_locked(base):
        await anyio.to_thread.run_sync(_take_over, window_path, base)
        await _check_login(job, base, login_problem)
        return await anyio.to_thread.run_sync(partial(seal_changed_base, base, now=job.clock.now()))


def _take_over(window_path: Path, base: Path) -> None:
    """Copy what a login needs from the folder of a window to an empty base."""
    check_base(window_path)
    base.rmdir()
    clone_profile(window_path, base)


def _clone_to(base: Path, clone: Path) -> None:
    check_base(base)
    remove_clone(clone)
    clone_profile(base, clone)
    prepare_base(clone)


async def _check_login(job: ProfileLogin, folder: Path, login_problem: str) -> None:
    """Check in a new browser that the saved login works, and save its cookies beside the base profile."""
    await anyio.to_thread.run_sync(prepare_base, folder)
    cookies_path = login_backup_path(job.profile.base_path)
    if (
        await run_one_shot(replace(_one_shot_job(job, WorkerMode.CHECK_LOGIN), base=folder, cookies_path=cookies_path))
        is not LoginCheck.LOGGED_IN
    ):
        raise LoginRequiredError(login_problem)


def _one_shot_job(job: ProfileLogin, mode: WorkerMode) -> OneShotJob:
    return OneShotJob(
        mode=mode,
        base=job.profile.base_path,
        options=job.workers.worker,
        runs_root=job.runs_root,
        observe=job.observe,
    )


async def _log_in(job: ProfileLogin, one_shot: OneShotJob, login_problem: str) -> Seal:
    base = job.profile.base_path
    with write_locked(base):
        await anyio.to_thread.run_sync(check_login_base, base)
        await anyio.to_thread.run_sync(_prepare_unsealed, base)
        await run_one_shot(one_shot)
        await _check_login(job, base, login_problem)
        await anyio.to_thread.run_sync(delete_refreshed_login, base)
        return await anyio.to_thread.run_sync(partial(seal_changed_base, base, now=job.clock.now()))


def _prepare_unsealed(base: Path) -> None:
    """Prepare the base and remove its seal, so that an interrupted login leaves an unsealed base, not a damaged one."""
    prepare_base(base)
    try:
        remove_seal(base)
    except OSError as error:
        raise SetupError(
            f"The seal of {base} cannot be removed ({error.strerror}). Check its owner and permissions."
        ) from error
