"""The command `poolwright verify`: prove that an output folder is as it was filed; read-only and without a network."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status
from rich.text import Text

from poolwright.archive.intents import IntentLog
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.archive.tree_audit import AuditCounts, Finding, FindingKind, TreeAudit
from poolwright.cli import options, terminal
from poolwright.cli.options import SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.domain.errors import OptionsError
from poolwright.files.names import well_formed
from poolwright.journal.reader import open_filed_orders
from poolwright.service.batch_run import REPORTS_NAME
from poolwright.service.output_folder import JOURNAL_NAME, demo_files
from poolwright.settings import Settings

HELP = (
    "Prove that every file in an output folder is as it was filed.\n\n"
    "Compares the files of every order with the manifest in its folder, by size and SHA-256, and the folders with the "
    "journal if it is there. Names what is missing, changed or added, and folders whose manifest is missing or "
    "damaged. Needs no portal, no profile and no network, and changes nothing. (`profile verify` checks a profile.)\n\n"
    "Exit code 0 if everything is as it was filed, 10 if not."
)
EXAMPLES = (
    "poolwright verify",
    "poolwright verify /srv/orders --json",
    "poolwright verify /srv/orders --allow-added",
)

Directory = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="The output folder, or a folder below it. Default: the setting out.", show_default=False
    ),
]
AllowAdded = Annotated[
    bool,
    typer.Option(
        "--allow-added",
        help="Do not count files that are in no manifest, such as notes of people.",
        rich_help_panel=options.OUTPUT,
    ),
]

_STYLES: Mapping[FindingKind, str] = {FindingKind.ADDED: "yellow"}
_NO_JOURNAL = "There is no journal in this folder, so folders of orders that are gone cannot be noticed."
_JOURNAL_FORBIDDEN = "You may not read the journal, so folders of orders that are gone cannot be noticed."


@SettingsCommand.with_settings()
def verify(
    settings: Settings,
    *,
    directory: Directory = None,
    allow_added: AllowAdded = False,
    as_json: options.AsJson = False,
) -> None:
    """Print every defect as it is found, then a summary; the exit code shows whether there was one.

    Raises:
        OptionsError: There is no such folder, or no order was ever filed in it.
    """
    root = directory or settings.out
    if not root.is_dir():
        raise OptionsError(f"'{root}' is not a folder; name the output folder of an earlier run.")
    kinds: Counter[FindingKind] = Counter()
    with ExitStack() as resources:
        journal_path = root / PRIVATE_NAME / JOURNAL_NAME
        no_journal = _why_no_journal(journal_path)
        orders = None if no_journal else resources.enter_context(open_filed_orders(journal_path))
        status = resources.enter_context(_progress())
        audit = TreeAudit(
            root,
            orders,
            private_name=PRIVATE_NAME,
            reports_name=REPORTS_NAME,
            own_names=demo_files(root),
            on_progress=lambda: status(_counts(audit.counts)),
        )
        try:
            for finding in audit.findings():
                if finding.kind is FindingKind.ADDED and allow_added:
                    continue
                kinds[finding.kind] += 1
                status("")
                _print_finding(finding, as_json=as_json)
        except KeyboardInterrupt:
            status("")
            console(sys.stderr).print(f"Not finished: {_counts(audit.counts)}.", style="yellow", soft_wrap=True)
            raise
    if not (audit.counts.order_count or orders or kinds):
        raise OptionsError(f"'{root}' has no folder of an order; name the output folder of an earlier run.")
    notes = [*filter(None, [no_journal]), *_interrupted(root)]
    _print_summary(root, audit.counts, kinds, notes, as_json=as_json)
    raise typer.Exit(ExitCode.NOT_WHOLE if kinds else ExitCode.DONE)


@contextmanager
def _progress() -> Generator[Callable[[str], None]]:
    """Yield a function that shows a text on standard error if that is a terminal, and hides it if it is empty."""
    screen = console(sys.stderr)
    if not screen.is_terminal:
        yield lambda _: None
        return
    status = Status("", console=screen)

    def show(text: str) -> None:
        if text:
            status.update(Text(text))
            status.start()
        else:
            status.stop()

    try:
        yield show
    finally:
        status.stop()


def _print_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "type": "finding",
                "kind": finding.kind.value,
                "folder": finding.folder,
                "file": finding.file,
                "text": finding.text,
            }
        )
        return
    line = Text.assemble((f"{finding.kind.value:<16} ", _STYLES.get(finding.kind, "bold red")), finding.text)
    console().print(line, soft_wrap=True)


def _print_summary(
    root: Path, counts: AuditCounts, kinds: Mapping[FindingKind, int], notes: list[str], *, as_json: bool
) -> None:
    if as_json:
        _print_json(
            {
                "type": "summary",
                "folder": str(root),
                "is_whole": not kinds,
                "order_count": counts.order_count,
                "file_count": counts.file_count,
                "size_bytes": counts.size_bytes,
                "findings": {kind.value: kinds.get(kind, 0) for kind in FindingKind},
                "notes": notes,
            }
        )
        return
    for note in notes:
        console().print(Text(note, "yellow"), soft_wrap=True)
    found = ", ".join(f"{count:,} {kind.value.replace('_', ' ')}" for kind, count in kinds.items())
    verdict = Text(f"not whole: {found}", "bold red") if kinds else Text("every file is as it was filed", "green")
    console().print(Text.assemble(f"{_counts(counts)}: ", verdict, "."), soft_wrap=True)


def _print_json(entry: dict[str, object]) -> None:
    console().out(well_formed(json.dumps(entry, ensure_ascii=False)), highlight=False)


def _counts(counts: AuditCounts) -> str:
    orders = terminal.format_count(counts.order_count, "order")
    files = terminal.format_count(counts.file_count, "file")
    return f"{orders}, {files}, {terminal.format_size(counts.size_bytes)} checked"


def _why_no_journal(path: Path) -> str:
    """Return why the journal is not compared, as a sentence; empty if it is there."""
    try:
        return "" if path.is_file() else _NO_JOURNAL
    except PermissionError:
        return _JOURNAL_FORBIDDEN


def _interrupted(root: Path) -> Iterator[str]:
    """Yield a sentence if a run was killed while it filed orders: the next run completes that."""
    count = len(IntentLog(root / PRIVATE_NAME).all_pending())
    if count:
        orders = terminal.format_count(count, "order was", "orders were")
        yield f"{orders} being filed when a run ended or while this command ran; the next run completes that."
