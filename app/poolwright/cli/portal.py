"""The commands `poolwright portal list`, `show`, `lint`, `new` and `schema`: inspect, check and write portal packs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli.options import OUTPUT, AsJson, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import FittingTable, console
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.files.permissions import describe_error
from poolwright.portal.errors import PackError, PackProblem
from poolwright.portal.pack import is_valid_name
from poolwright.portal.pack_library import LoadedPack, PackEntry, PackLibrary, PackOrigin
from poolwright.profile.repository import ProfileRepository
from poolwright.service.portals.portal_config import pack_library
from poolwright.settings import Settings

LIST_HELP = (
    "List the portal packs, and where each of them is.\n\n"
    "Packs are in the folders of profiles, in the folder that --packs-dir names, in installed packages and in "
    "Poolwright itself. Of two with the same name the one in the earlier place is used; the list says which is hidden."
)
LIST_EXAMPLES = ("poolwright portal list", "poolwright portal list --packs-dir ./packs --json")
SHOW_HELP = (
    "Show one portal pack: where it is, and what it says.\n\nWith --toml, print its file, to begin your own with."
)
SHOW_EXAMPLES = ("poolwright portal show coupa", "poolwright portal show coupa --toml > acme.toml")
LINT_HELP = (
    "Check a portal pack, and report every problem with line and column.\n\n"
    "An unknown key is reported with the keys that are allowed there and the one that was probably meant. Notes point "
    "out what a valid pack cannot notice. Exit code 0 if it is valid, 2 if not."
)
LINT_EXAMPLES = ("poolwright portal lint coupa", "poolwright portal lint ./our-portal.toml")
NEW_HELP = (
    "Write a new portal pack with examples and comments, which you adapt to your portal.\n\n"
    "The file NAME.toml is written to the folder that --packs-dir names, or else to the current folder; beside it, "
    "pack.schema.json lets editors complete and check the keys. Existing packs are not overwritten."
)
NEW_EXAMPLES = ("poolwright portal new acme", "poolwright portal new acme --packs-dir ./packs")
SCHEMA_HELP = (
    "Print the JSON Schema of portal packs, for editors.\n\n"
    "A pack names it in its first line: `#:schema ./pack.schema.json`; `poolwright portal new` writes both files."
)
SCHEMA_EXAMPLES = ("poolwright portal schema > pack.schema.json",)

PackName = Annotated[
    str,
    typer.Argument(
        metavar="PACK", help="A name of `poolwright portal list`, or the path of a .toml file.", show_default=False
    ),
]
NewName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of the pack: small letters, digits, - and _.", show_default=False),
]
AsToml = Annotated[bool, typer.Option("--toml", help="Print the file of the pack.", rich_help_panel=OUTPUT)]

SCHEMA_NAME, _SKELETON_NAME = "pack.schema.json", "pack_skeleton.toml"
_PLACES = ("profile", "profiles_dir", "packs_dir")


@SettingsCommand.with_settings("profiles_dir", "packs_dir")
def list_packs(settings: Settings, *, as_json: AsJson = False) -> None:
    """Print one row for each pack, then what the user should know about them."""
    screen = console()
    listing = tuple(_listing(settings))
    if as_json:
        for entry, loaded in listing:
            screen.out(json.dumps(_pack_json(entry, loaded), ensure_ascii=False), highlight=False)
        return
    table = Table("name", "portal", "order numbers", "place", box=None, header_style="dim")
    for entry, loaded in listing:
        title, numbers = (loaded.pack.title, loaded.pack.numbers.describe) if loaded else ("not valid", "")
        table.add_row(Text(entry.name), Text(title), Text(numbers), Text(entry.place))
    screen.print(FittingTable(table), soft_wrap=True)
    for entry, loaded in listing:
        for note in _notes(entry, loaded):
            screen.print(Text.assemble((entry.name, "bold"), f": {note}"), soft_wrap=True)
    if settings.packs_dir is not None and not settings.packs_dir.is_dir():
        screen.print(Text(f"The folder of packs {settings.packs_dir} does not exist.", "yellow"), soft_wrap=True)


@SettingsCommand.with_settings(*_PLACES)
def show(settings: Settings, *, pack: PackName, toml: AsToml = False) -> None:
    """Print the details of one pack, or its file."""
    loaded = pack_library(settings).find(pack).load()
    screen = console()
    if toml:
        screen.out(loaded.content.decode("utf-8-sig"), end="", highlight=False)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in _facts(loaded):
        table.add_row(title, Text(text))
    screen.print(table, soft_wrap=True)


@SettingsCommand.with_settings(*_PLACES)
def lint(settings: Settings, *, pack: PackName) -> None:
    """Check a pack and print each problem."""
    screen = console()
    label = pack
    try:
        entry = pack_library(settings).find(pack)
        label = pack if entry.origin in {PackOrigin.FILE, PackOrigin.SHIPPED} else str(entry.path)
        loaded = entry.load()
    except PackError as error:
        for problem in error.findings:
            screen.print(_problem_text(label, problem), soft_wrap=True)
        raise typer.Exit(ExitCode.USAGE) from error
    rules = loaded.pack
    summary = (
        f"order pages {rules.site.order}; numbers like {rules.numbers.example}; "
        f"login by {', '.join(step.value for step in rules.login.ladder)}; "
        f"fields {', '.join(rules.fields) or 'none'}"
    )
    screen.print(
        Text.assemble((label, "bold"), ": ", ("valid", "green"), f" ({rules.title}: {summary})"), soft_wrap=True
    )
    for notice in rules.notices:
        screen.print(Text.assemble((label, "bold"), ": ", ("note", "yellow"), f": {notice}"), soft_wrap=True)


@SettingsCommand.with_settings("packs_dir")
def new(settings: Settings, *, name: NewName) -> None:
    """Write the pack and the schema beside it, and print the next steps."""
    if not is_valid_name(name):
        raise OptionsError(f"{name!r} is not a name for a pack: use small letters, digits, - and _.")
    folder = settings.packs_dir or Path()
    path = folder / f"{name}.toml"
    if path.exists():
        raise OptionsError(f"{path} is there already. Choose another name, or remove that file first.")
    text = _package_text(_SKELETON_NAME).replace("@NAME@", name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SCHEMA_NAME).write_text(_package_text(SCHEMA_NAME), encoding="utf-8", newline="\n")
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise SetupError(f"{path} can't be written: {describe_error(error, folder).sentence()}") from error
    console().print(
        Text(
            f"Wrote {path}, and {folder / SCHEMA_NAME} for editors. Adapt the examples in it to your portal.\n"
            f"Next: poolwright portal lint {path}\n"
            f"Then: poolwright profile login {name} --portal {path} --url https://..."
        ),
        soft_wrap=True,
    )


def schema() -> None:
    """Print the schema."""
    console().out(_package_text(SCHEMA_NAME), end="", highlight=False)


def _listing(settings: Settings) -> Iterator[tuple[PackEntry, LoadedPack | None]]:
    """Yield each pack of each place, and its content if it is valid."""
    repository = ProfileRepository(settings.profiles_dir)
    for name in repository.names():
        library = PackLibrary(profile_folder=repository.find(name).path, packs_dir=settings.packs_dir)
        yield from (_loaded(entry) for entry in library.entries() if entry.origin is PackOrigin.PROFILE)
    yield from map(_loaded, PackLibrary(packs_dir=settings.packs_dir).entries())


def _loaded(entry: PackEntry) -> tuple[PackEntry, LoadedPack | None]:
    try:
        return entry, entry.load()
    except PackError:
        return entry, None


def _notes(entry: PackEntry, loaded: LoadedPack | None) -> Iterator[str]:
    if loaded is None:
        yield f"{entry.place} is not valid: `poolwright portal lint {entry.path}` says why."
    for hidden in entry.hidden:
        profile = f" for the profile {entry.path.parent.name}" if entry.origin is PackOrigin.PROFILE else ""
        yield f"that of {entry.place} hides that of {hidden.place}{profile}."


def _facts(loaded: LoadedPack) -> Iterator[tuple[str, str]]:
    pack, entry = loaded.pack, loaded.entry
    yield "pack", pack.name
    yield "portal", pack.title
    yield "place", entry.place
    for hidden in entry.hidden:
        yield "hides", f"that of {hidden.place}"
    yield "sha256", loaded.sha256
    yield "address", pack.site.base_url or "set with --base-url, or by the profile"
    yield "numbers", f"{pack.numbers.describe}; for example {pack.numbers.example}"
    yield "order page", pack.site.order
    yield "login", ", ".join(step.value for step in pack.login.ladder)
    yield "fields", ", ".join(pack.fields) or "none"
    for notice in pack.notices:
        yield "note", notice


def _problem_text(label: str, problem: PackProblem) -> Text:
    position = f":{problem.line}:{problem.column}" if problem.line else ""
    return Text.assemble((f"{label}{position}", "bold"), f": {problem.sentence}")


def _pack_json(entry: PackEntry, loaded: LoadedPack | None) -> dict[str, object]:
    return {
        "type": "pack",
        "name": entry.name,
        "title": loaded.pack.title if loaded else None,
        "origin": entry.origin.value,
        "place": entry.place,
        "file": str(entry.path),
        "sha256": loaded.sha256 if loaded else None,
        "is_valid": loaded is not None,
        "hides": [hidden.place for hidden in entry.hidden],
    }


def _package_text(name: str) -> str:
    return resources.files("poolwright.portal").joinpath(name).read_text(encoding="utf-8")
