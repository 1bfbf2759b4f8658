"""A new profile: its folder, its file, and a base that a browser opened, logged in where a login is given."""

from __future__ import annotations

from pathlib import Path

from app.cli.conduct import Manner, log_options
from app.cli.console import console
from app.cli.signals import unless_interrupted
from app.domain.events import Event, Level, Notice
from app.profile.home import NamedProfile, ProfileFile, ProfileHome
from app.profile.private import remove_tree
from app.service.crew import Crew
from app.service.logs import logging_to
from app.service.runtime import make_base
from app.service.site import Site
from app.settings import Settings


async def log_in(settings: Settings, site: Site, crew: Crew, log_file: Path | None) -> NamedProfile:
    """Make the profile that settings name. When that fails, nothing is left of it.

    Raises:
        ProfileError: There is such a profile already, or it cannot have this name.
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, the portal does not answer, or the folder cannot be written.
        KeyboardInterrupt: A signal came.
    """
    content = ProfileFile(pack=site.pack.name, base_url=site.base_url)
    profile = ProfileHome(settings.profiles_dir).create(settings.profile, content)
    is_made = False

    async def make() -> None:
        await make_base(worker=crew.worker, base=profile.base_path, runs_root=settings.runs_dir, observe=_tell)

    try:
        with logging_to(log_options(Manner(), None, settings, log_file)):
            await unless_interrupted(make)
        is_made = True
    finally:
        if not is_made:
            remove_tree(profile.path)
    return profile


def _tell(event: Event) -> None:
    if isinstance(event, Notice) and event.level is not Level.INFO:
        console().print(event.text, style="yellow", soft_wrap=True)
