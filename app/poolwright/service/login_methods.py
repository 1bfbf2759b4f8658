"""Logs a profile in: by hand in a window, by the portal's form, or with cookies of another browser.

Whichever way, it counts only when a second browser, started as workers' are, finds it on the disk. Then the base is
sealed, a good copy is kept, and its cookies are written down beside it. From the first change until then the base has
no seal and nobody else may read it.
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
from poolwright.profile.locks import write_locked
from poolwright.profile.profile import prepare_base
from poolwright.profile.repository import NamedProfile
from poolwright.profile.seal import Seal, remove_seal
from poolwright.profile.storage_state import StorageState
from poolwright.service.pool_config import WorkerConfig
from poolwright.supervisor.processes.one_shot import LoginSource, LoginWindow, OneShotJob, run_one_shot
from poolwright.supervisor.totp import totp_from_secret

_RENEWED_LOGIN_ENDED = (
    "The renewed login has expired as well: the portal asks for a login. Profile {name} was not changed. "
    "Run `poolwright profile login {name}`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLogin:
    """The profile to log in, and the worker configuration for it."""

    profile: NamedProfile
    #: Browser, portal and, for its form, the login.
    crew: WorkerConfig
    runs_root: Path
    observe: EventSink
    clock: Clock


async def log_in_by_hand(job: ProfileLogin, *, opened: Callable[[], None], enough: anyio.Event) -> Seal:
    """Open a window, wait until a person has logged in and closed it, and seal the profile.

    Args:
        job: The profile.
        opened: Called once the window is there.
        enough: Set to close the window in the person's place.

    Raises:
        LoginRequiredError: The profile is not logged in afterwards; it is kept without a seal.
        ProfileError: The base may not be used: marked, in use, damaged, or an everyday one.
        SetupError: The browser does not start, or the portal does not answer.
    """
    name = job.profile.name
    unproven = (
        f"The login of profile {name} was not saved: the portal asks a new browser to log in. "
        f"Give `poolwright profile login {name}` again and close the window only when you see your start page. If you "
        "did, this portal keeps its login in the window alone; let workers log in by its form: "
        f"`poolwright profile login {name} --form`."
    )
    headed = replace(job.crew.worker, browser=replace(job.crew.worker.browser, headless_mode=False))
    window = LoginWindow(opened=opened, enough=enough)
    return await _log_in(job, replace(_one_shot_job(job, WorkerMode.LOG_IN), options=headed, window=window), unproven)


async def log_in_by_form(job: ProfileLogin) -> Seal:
    """Log in by the portal's form, with user, password and, where the portal wants one, a one-time code.

    Raises:
        OptionsError: The TOTP secret is invalid.
        LoginRequiredError: The login failed.
        ProfileError: The base may not be used: marked, in use, damaged, or an everyday one.
        SetupError: The browser does not start, or the portal does not answer.
    """
    unproven = (
        f"The login of profile {job.profile.name} does not hold: the form was accepted, but the portal asks a newly "
        "opened browser to log in. Workers have to log in by the form whenever they start; set user and password."
    )
    codes = totp_from_secret(job.crew.totp_secret, job.clock)
    code = await codes.next_code() if codes else ""
    login = LoginSource(one_time_code=code)
    return await _log_in(job, replace(_one_shot_job(job, WorkerMode.MAKE_BASE), login=login), unproven)


async def import_state(job: ProfileLogin, state: StorageState) -> Seal:
    """Replace the profile's login with the login of another browser.

    Raises:
        LoginRequiredError: The portal does not take that login; the base is kept, unsealed.
        ProfileError: The base may not be used: marked, in use, damaged, or an everyday one.
        SetupError: The browser does not start or refuses the state, or the portal does not answer.
    """
    unproven = (
        f"The portal does not take the login that was imported into profile {job.profile.name}: it has ended, or it is "
        "bound to the browser or the network that it comes from. Export it anew right after a login, and import that."
    )
    login = LoginSource(state=state.to_json())
    return await _log_in(job, replace(_one_shot_job(job, WorkerMode.IMPORT_STATE), login=login), unproven)


async def promote(job: ProfileLogin) -> tuple[Path, Seal]:
    """Write the login that a run renewed back into the base, if it still opens the portal; else nothing changes.

    A clone of the base takes its cookies over, and proves itself in a browser of its own. Then it takes the place of
    the base, which is kept.

    Returns:
        Where the base that was there lies now, and the new seal.

    Raises:
        ProfileMissingError: No run has renewed the login of this profile.
        LoginRequiredError: That login has ended too.
        ProfileError: The base may not be used: marked, in use, damaged, or an everyday one.
        SetupError: The browser does not start, the portal does not answer, or something can't be written.
    """
    base, renewed = job.profile.base_path, refreshed_login_path(job.profile.base_path)
    draft = base.with_name(f"{base.name}.promoted")
    if not renewed.is_file():
        raise ProfileMissingError(f"No run has renewed the login of profile {job.profile.name} since it was made.")
    with write_locked(base):
        try:
            await anyio.to_thread.run_sync(_clone_to, base, draft)
            login = LoginSource(kept_login_path=renewed)
            await run_one_shot(replace(_one_shot_job(job, WorkerMode.IMPORT_COOKIES), base=draft, login=login))
            await _verify_login(job, draft, _RENEWED_LOGIN_ENDED.format(name=job.profile.name))
            swapped = await anyio.to_thread.run_sync(partial(replace_base, base, draft, now=job.clock.now()))
            delete_refreshed_login(base)
            return swapped
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(remove_clone, draft)


def _clone_to(base: Path, draft: Path) -> None:
    check_base(base)
    remove_clone(draft)
    clone_profile(base, draft)
    prepare_base(draft)


async def _verify_login(job: ProfileLogin, folder: Path, unproven: str) -> None:
    """Check in a new browser that the saved login works, and save its cookies beside the base profile."""
    await anyio.to_thread.run_sync(prepare_base, folder)
    kept = login_backup_path(job.profile.base_path)
    if (
        await run_one_shot(replace(_one_shot_job(job, WorkerMode.VERIFY_LOGIN), base=folder, cookies_path=kept))
        is not LoginCheck.LOGGED_IN
    ):
        raise LoginRequiredError(unproven)


def _one_shot_job(job: ProfileLogin, mode: WorkerMode) -> OneShotJob:
    return OneShotJob(
        mode=mode,
        base=job.profile.base_path,
        options=job.crew.worker,
        runs_root=job.runs_root,
        observe=job.observe,
    )


async def _log_in(job: ProfileLogin, one_shot: OneShotJob, unproven: str) -> Seal:
    base = job.profile.base_path
    with write_locked(base):
        await anyio.to_thread.run_sync(check_login_base, base)
        await anyio.to_thread.run_sync(_prepare_unsealed, base)
        await run_one_shot(one_shot)
        await _verify_login(job, base, unproven)
        await anyio.to_thread.run_sync(delete_refreshed_login, base)
        return await anyio.to_thread.run_sync(partial(seal_changed_base, base, now=job.clock.now()))


def _prepare_unsealed(base: Path) -> None:
    """From here on it may differ from its seal; a login that is killed leaves an unsealed base, not a damaged one."""
    prepare_base(base)
    try:
        remove_seal(base)
    except OSError as error:
        raise SetupError(f"The seal of {base} can't be removed ({error.strerror}). Check who owns it.") from error
