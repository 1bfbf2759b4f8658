"""The command `poolwright portal learn`: learn a portal pack from pages of the portal."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import anyio
import typer
from rich.text import Text

from poolwright.cli.batch_session import log_options
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.options import SettingsCommand
from poolwright.cli.portal_tools.pack_trial import NO_PROFILE, PackTrial
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.signals import run_stoppable
from poolwright.cli.terminal import console
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.domain.events import Event, Level, Notice
from poolwright.files.disk import remove_tree
from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.observations import ObservationError, Observations
from poolwright.learn.page_folder import check_pages, pages_folder, read_folder, write_lesson
from poolwright.profile.errors import ProfileMissingError
from poolwright.profile.repository import ProfileRepository
from poolwright.service.log_setup import configure_logging
from poolwright.service.login_methods import PortalTeaching
from poolwright.service.pool_config import resolve_worker_config
from poolwright.settings import Settings
from poolwright.system.hardware import has_display

LEARN_HELP = (
    "Learn a portal pack by being shown the portal, or from saved pages of it.\n\n"
    "With --url, a browser window opens on the portal, with a small panel. Use the portal as usual and say with the "
    "buttons of the panel which page is what: the login page, an order with attachments (then click one), one without, "
    "a number that does not exist. If orders are found by a search only, show its results too. With --from, FOLDER has "
    "pages that your browser saved, and a file observations.toml "
    "that says the same; docs/portal-learn.md shows it. The pack gets comments and is tried on every page; what is not "
    "sure is printed. The pages are kept beside the pack, and --check tries it on them again.\n\n"
    "With --profile NAME, the login of the window becomes a profile. With --prove NUMBER, the new pack brings that "
    "order of the portal, and what it finds is shown beside what the page counts; --from and --check need a profile "
    "that is logged in for it.\n\n"
    "Exit code 0 if the pack reads every page as it was shown and brings every order of --prove, 1 if not, 2 if "
    "nothing can be learned from the pages. The pack is written in any case but the last."
)
LEARN_EXAMPLES = (
    "poolwright portal learn acme --url https://portal.example.com --profile acme",
    "poolwright portal learn acme --from saved-pages",
    "poolwright portal learn --check acme.toml --profile acme --prove 4500012345",
)

LearnedName = Annotated[
    str,
    typer.Argument(metavar="[NAME]", help="Name of the pack; else that of FOLDER, or of the host.", show_default=False),
]
SourceFolder = Annotated[
    Path | None, typer.Option("--from", metavar="FOLDER", help="The folder with saved pages.", show_default=False)
]
PackTarget = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="The file of the pack. Default: NAME.toml.", show_default=False),
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite the file of the pack and its pages.")]
Checked = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Try a learned pack on the pages beside it.", show_default=False),
]


Proved = Annotated[
    list[str] | None,
    typer.Option(
        "--prove",
        metavar="NUMBER",
        help="Try the pack on this order of the portal; may be given several times. Needs the window or --profile.",
        show_default=False,
    ),
]
FilesFolder = Annotated[
    Path | None,
    typer.Option(
        "--to", metavar="FOLDER", help="Folder for the files of --prove. Default: a temporary one.", show_default=False
    ),
]


@SettingsCommand.with_settings("base_url", "browser", "browser_path", "sandbox", "runs_dir", "profile", "profiles_dir")
def learn_portal(  # noqa: PLR0913 - the parameters are the command's own options
    settings: Settings,
    *,
    name: LearnedName = "",
    source: SourceFolder = None,
    output: PackTarget = None,
    force: Overwrite = False,
    check: Checked = None,
    prove: Proved = None,
    to: FilesFolder = None,
    given: dict[str, str | None],
) -> None:
    """Learn a pack, or try one on its pages; then try it on orders of the portal."""
    if sum(way is not None for way in (source, check, given["base_url"])) != 1:
        raise OptionsError(
            "Say one of --url ADDRESS, to show the portal in a window, --from FOLDER, to learn from saved pages, and "
            "--check FILE, to try a learned pack."
        )
    profile, numbers = given["profile"] or "", tuple(prove or ())
    if given["base_url"] is None:
        _require_profile(settings, profile, is_needed=bool(numbers))
    if check is not None:
        is_right, observations = _check(check)
        trial = PackTrial(settings=settings, pack_path=check, observations=observations, profile=profile, to=to)
        _end(is_right=trial.try_on(numbers) and is_right)
        return
    name = name or (_as_name(source.resolve().name) if source else _as_name(urlsplit(settings.base_url).hostname or ""))
    target = output or Path(f"{name}.toml")
    taken = [path for path in (target, pages_folder(target)) if path.exists()]
    if taken and not force:
        raise OptionsError(f"{taken[0]} exists; give another name with --output, or --force to overwrite it.")
    if source is not None:
        lesson, observations = _learn(name, source, target)
        trial = PackTrial(settings=settings, pack_path=target, observations=observations, profile=profile, to=to)
        is_right = trial.try_on(numbers) and not lesson.problems
        if is_right and not profile:
            _print_next_login(name, target)
        _end(is_right=is_right)
        return
    _refuse_existing_profile(settings, profile)
    with tempfile.TemporaryDirectory(prefix="poolwright-", ignore_cleanup_errors=True) as temporary:
        _learn_by_window(settings, name, target, WindowPlan(profile, numbers, to, Path(temporary)))


class WindowPlan(NamedTuple):
    """What becomes of a portal that is shown in a window."""

    #: Name of the profile that keeps the login; empty if none does.
    profile: str
    #: Orders of the command line to try the pack on.
    numbers: tuple[str, ...]
    #: The folder for their files; ``None`` for a temporary one.
    to: Path | None
    #: A folder that is removed at the end.
    temporary: Path


def _learn_by_window(settings: Settings, name: str, target: Path, plan: WindowPlan) -> None:
    """Let the person show the portal, learn the pack, keep the login as a profile, and try the pack with it."""
    window, folder = plan.temporary / "window", pages_folder(target)
    _show(settings, folder, window)
    lesson, observations = _learn(name, folder, target)
    numbers = tuple(dict.fromkeys((*plan.numbers, *observations.prove)))
    is_right = not lesson.problems
    if plan.profile or numbers:
        # Without a name, the profile is there as long as the orders are tried.
        root = settings.profiles_dir if plan.profile else plan.temporary / "profiles"
        profile = plan.profile or name
        settings = settings.model_copy(update={"profiles_dir": root})
        trial = PackTrial(settings=settings, pack_path=target, observations=observations, profile=profile, to=plan.to)
        trial.keep_login(window, is_printed=bool(plan.profile))
        is_right = trial.try_on(plan.numbers) and is_right
    if is_right and not plan.profile:
        _print_next_login(name, target)
    _end(is_right=is_right)


def _require_profile(settings: Settings, profile: str, *, is_needed: bool) -> None:
    """Make sure that the profile exists, before anything is written."""
    if profile:
        ProfileRepository(settings.profiles_dir).find(profile)
    elif is_needed:
        raise OptionsError(f"--prove opens orders of the portal: {NO_PROFILE}")


def _refuse_existing_profile(settings: Settings, profile: str) -> None:
    """Make sure that a profile of this name can be made, before the person shows the portal."""
    if not profile:
        return
    try:
        ProfileRepository(settings.profiles_dir).find(profile)
    except ProfileMissingError:
        return
    raise OptionsError(
        f"There is a profile {profile} in {settings.profiles_dir} already, and the window makes a new one. "
        "Give another name with --profile."
    )


def _end(*, is_right: bool) -> None:
    if not is_right:
        raise typer.Exit(ExitCode.NOT_ALL_DONE)


def _print_next_login(name: str, target: Path) -> None:
    console().print(f"Next: poolwright profile login {name} --portal {target}", soft_wrap=True)


def _show(settings: Settings, folder: Path, window: Path) -> None:
    """Open the window, until the person has shown the portal."""
    if not has_display():
        raise SetupError(
            "A window needs a screen, and there is none here (neither DISPLAY nor WAYLAND_DISPLAY is set). Save pages "
            "of the portal elsewhere, and learn from them with --from FOLDER."
        )
    remove_tree(folder)
    screen = console()
    teaching = PortalTeaching(
        window_path=window,
        url=settings.base_url,
        pages_path=folder,
        workers=resolve_worker_config(settings, None),
        runs_root=settings.runs_dir,
        observe=_print_notice,
    )

    def opened() -> None:
        text = "A browser window is open. Show the portal with its panel, then press Finish there (or Ctrl+C here)."
        screen.print(Text(text, "bold"), soft_wrap=True)

    def closing() -> None:
        screen.print("Closing the window; press Ctrl+C again to stop at once.")

    async def work(enough: anyio.Event) -> None:
        await teaching.run(opened=opened, enough=enough)

    with configure_logging(log_options(OutputMode(), None, settings, None)):
        anyio.run(run_stoppable, work, closing)
    if not folder.is_dir():
        raise ObservationError("No page was shown with the panel, so nothing was learned.")


def _print_notice(event: Event) -> None:
    if isinstance(event, Notice):
        console().print(event.text, style=None if event.level is Level.INFO else "yellow", soft_wrap=True)


def _learn(name: str, source: Path, target: Path) -> tuple[Lesson, Observations]:
    observations, sources = read_folder(source)
    lesson = learn(name, observations, seen_pages(observations, sources))
    folder = write_lesson(lesson, observations, sources, target)
    _print(lesson)
    console().print(f"Written: {target}, and its pages in {folder}.", soft_wrap=True)
    return lesson, observations


def _check(pack_path: Path) -> tuple[bool, Observations]:
    count, problems = check_pages(pack_path)
    _print_lines("wrong", "red", problems)
    if not problems:
        console().print(f"{pack_path} reads all {count} pages as they were shown.", soft_wrap=True)
    return not problems, read_folder(pages_folder(pack_path))[0]


def _print(lesson: Lesson) -> None:
    _print_lines("found", "green", lesson.findings)
    _print_lines("not sure", "yellow", [*lesson.doubts, *lesson.pack.notices])
    _print_lines("wrong", "red", lesson.problems)


def _print_lines(word: str, style: str, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        console().print(Text.assemble((word, style), f": {sentence}"), soft_wrap=True)


def _as_name(text: str) -> str:
    """Return the name of a folder or host as that of a pack."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or "portal"
