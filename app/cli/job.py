"""From settings and sources to a job: which portal, which list, which browser. Nothing is started here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from app.archive.disk import make_private_folder
from app.archive.template import FolderTemplate
from app.archive.tree import PRIVATE_NAME
from app.domain.failures import OptionsError
from app.domain.options import BrowserOptions, PortalOptions, Secret, WorkerOptions
from app.domain.task import OrderList
from app.intake.orders import Reading, orders_from_file, orders_from_numbers, orders_from_stdin
from app.portal import pack as packs
from app.portal.pack import Pack
from app.profile.home import NamedProfile, ProfileHome
from app.service.batch import BatchJob, Redo
from app.service.browser import find_browser
from app.service.sandbox import SandboxChoice, resolve_sandbox
from app.settings import Settings

STDIN = "-"
#: What is a list by its name, also when the file is missing: a number never ends so.
LIST_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"})
JOURNAL_NAME, LOG_NAME = "journal.db", "log.jsonl"
#: Reports of numbers that came without a file.
UNNAMED_STEM = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A portal where it is."""

    pack: Pack
    #: Without a trailing slash.
    base_url: str


def find_site(settings: Settings) -> Site:
    """The portal of the profile, unless settings say otherwise.

    Raises:
        PackError: There is no such pack, or it is not valid.
        ProfileError: Settings leave it to the profile, and there is none.
        OptionsError: Nobody says where the portal is.
    """
    if settings.portal:
        pack = packs.load(settings.portal)
        return _site(pack, settings.base_url or _address_of_profile(settings, pack) or pack.site.base_url)
    content = find_profile(settings).read()
    return _site(packs.load(content.pack), settings.base_url or content.base_url)


def find_profile(settings: Settings) -> NamedProfile:
    """The profile that settings name.

    Raises:
        ProfileError: There is none.
    """
    return ProfileHome(settings.profiles_dir).find(settings.profile)


def _address_of_profile(settings: Settings, pack: Pack) -> str:
    home = ProfileHome(settings.profiles_dir)
    if settings.profile not in home.names():
        return ""
    content = home.find(settings.profile).read()
    return content.base_url if content.pack == pack.name else ""


def _site(pack: Pack, base_url: str) -> Site:
    if not base_url:
        raise OptionsError(f"Nobody says where the portal {pack.name} is; give its address with --base-url.")
    return Site(pack=pack, base_url=base_url.rstrip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a person named on the command line."""

    #: One list file, ``-`` for standard input, or order numbers.
    names: tuple[str, ...]
    column: str | None = None
    sheet: str | None = None


def read_orders(sources: Sources, pack: Pack) -> OrderList:
    """Read the list that was named.

    Raises:
        InputRefusedError: The list cannot be read or holds no order.
        OptionsError: Several lists, or a list among numbers, were named.
    """
    reading = Reading(portal_name=pack.name, rules=pack.numbers, column=sources.column, sheet_name=sources.sheet)
    match sources.names:
        case (name,) if name == STDIN:
            return orders_from_stdin(sys.stdin.buffer.read(), reading)
        case (name,) if _is_list(name):
            return orders_from_file(Path(name), reading)
        case names if any(name == STDIN or _is_list(name) for name in names):
            raise OptionsError("Give one list file, or - for standard input, or order numbers; not several of them.")
        case names:
            return orders_from_numbers(names, reading)


def _is_list(name: str) -> bool:
    return Path(name).suffix.lower() in LIST_SUFFIXES or Path(name).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """What every worker is told, and what a person should know about it."""

    worker: WorkerOptions
    sandbox: SandboxChoice


def find_crew(settings: Settings, site: Site) -> Crew:
    """Find the browser, and whether its sandbox can be on.

    Raises:
        OptionsError: The browser that was asked for is none.
        SetupError: There is no browser.
    """
    browser = find_browser(settings.browser_path, settings.playwright_browsers_path)
    sandbox = resolve_sandbox(settings.sandbox, browser.path)
    worker = WorkerOptions(
        browser=BrowserOptions(
            executable_path=str(browser.path), headless_mode=settings.headless, sandbox=sandbox.mode
        ),
        portal=PortalOptions(
            pack_json=site.pack.to_json(),
            base_url=site.base_url,
            user=settings.user,
            password=Secret(text=settings.password.get_secret_value()),
        ),
        tabs_per_worker=settings.tabs_per_worker,
        task_timeout_s=settings.task_timeout_s,
    )
    return Crew(worker=worker, sandbox=sandbox)


def make_job(settings: Settings, orders: OrderList, crew: Crew, base: Path, redo: Redo) -> BatchJob:
    """Put the job together."""
    return BatchJob(
        orders=orders,
        worker=crew.worker,
        worker_count=settings.workers,
        base_profile_path=base,
        out=settings.out,
        template=settings.folder_template,
        journal_path=settings.out / PRIVATE_NAME / JOURNAL_NAME,
        runs_root=settings.runs_dir,
        report_stem=report_stem(orders),
        max_attempts=settings.max_attempts,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        redo=redo,
    )


def check_template(settings: Settings, pack: Pack) -> None:
    """Make sure that every order finds its folder.

    Raises:
        OptionsError: The template cannot be read or names a field that this portal does not tell.
    """
    FolderTemplate.parse(settings.folder_template, pack.fields)


def report_stem(orders: OrderList) -> str:
    """Reports are called like the list, and never just like it: they may come to lie beside it."""
    path = Path(orders.source)
    stem = path.stem if path.suffix.lower() in LIST_SUFFIXES else UNNAMED_STEM
    return f"{stem}-report"


def open_out(settings: Settings) -> Path:
    """Make the output folder and the private one in it; returns where the whole log of a run goes.

    Raises:
        OptionsError: They cannot be made.
    """
    private = settings.out / PRIVATE_NAME
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        make_private_folder(private)
    except OSError as error:
        raise OptionsError(f"out is '{settings.out}', which cannot be written: {error.strerror}.") from error
    return settings.log_file or private / LOG_NAME
