"""A new profile: its folder, its file, and a base that a browser opened; a login that is given is used, and sealed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.cli.conduct import log_options
from poolwright.cli.console import console
from poolwright.cli.manner import Manner
from poolwright.cli.sandbox import sandbox_notice
from poolwright.cli.signals import unless_interrupted
from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Level, Notice
from poolwright.files.disk import remove_tree
from poolwright.profile.backups import seal_base
from poolwright.profile.repository import NamedProfile, ProfileFile, ProfileRepository
from poolwright.service.batch_run import make_base_profile
from poolwright.service.log_setup import configure_logging
from poolwright.service.pool_config import WorkerConfig
from poolwright.settings import Settings


async def log_in(settings: Settings, content: ProfileFile, crew: WorkerConfig, log_file: Path | None) -> NamedProfile:
    """Make the profile that settings name, for a portal. When that fails, nothing is left of it.

    Raises:
        ProfileError: There is such a profile already, or it cannot have this name.
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, the portal does not answer, or the folder cannot be written.
        KeyboardInterrupt: A signal came.
    """
    profile = ProfileRepository(settings.profiles_dir).create(settings.profile, content)
    is_made = False

    async def make() -> None:
        await make_base_profile(crew=crew, base=profile.base_path, runs_root=settings.runs_dir, observe=tell_notice)

    try:
        with configure_logging(log_options(Manner(), None, settings, log_file)):
            await unless_interrupted(make)
        if is_login_given(settings):
            await anyio.to_thread.run_sync(partial(seal_base, profile.base_path, now=SystemClock().now()))
        is_made = True
    finally:
        if not is_made:
            remove_tree(profile.path)
    return profile


def is_login_given(settings: Settings) -> bool:
    """Whether user and password are set, for the portal's form."""
    return bool(settings.user and settings.password.get_secret_value())


def tell_sandbox(crew: WorkerConfig) -> None:
    """Show that the browser runs without its sandbox, or may not start because of it."""
    for text in sandbox_notice(crew):
        tell_notice(Notice(level=Level.WARNING, text=text))


def tell_notice(event: Event) -> None:
    """Show what a worker says for people, when it matters."""
    if isinstance(event, Notice) and event.level is not Level.INFO:
        console().print(event.text, style="yellow", soft_wrap=True)
