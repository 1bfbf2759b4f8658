"""Tries a pack on orders that the person names, and shows what was found beside what the pages count."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table
from rich.text import Text

from poolwright.cli.batch_session import log_options, sandbox_warnings
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.login import log_in_profile, print_login
from poolwright.cli.signals import run_cancellable
from poolwright.cli.terminal import FittingTable, console, format_size
from poolwright.domain.events import Event, Level, Notice
from poolwright.learn.observations import Observations
from poolwright.portal.examination.order_proof import OrderProof, doubts_of
from poolwright.profile.seal import Seal
from poolwright.service import login_methods
from poolwright.service.examination.proof_run import ProofRun
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.log_setup import configure_logging
from poolwright.service.login_methods import ProfileLogin
from poolwright.service.output_folder import open_output_folder
from poolwright.service.pool_config import resolve_worker_config
from poolwright.service.portals.portal_config import find_profile, resolve_portal_config
from poolwright.settings import Settings

#: What a trial on orders of the portal needs.
NO_PROFILE = "name a profile that is logged in with --profile."
_NOT_TRIED = "The pack was tried on saved pages alone; --prove NUMBER tries it on orders of the portal."


@dataclass(frozen=True, slots=True, kw_only=True)
class PackTrial:
    """A learned pack, and the profile with which it is tried on orders of the portal."""

    settings: Settings
    pack_path: Path
    observations: Observations
    #: Name of the profile; empty if there is none.
    profile: str
    #: The folder for the files; ``None`` for a temporary one.
    to: Path | None

    def keep_login(self, window: Path, *, is_printed: bool) -> None:
        """Make the profile from the login of the window.

        Raises:
            LoginRequiredError: The portal asks a new browser to log in.
        """

        async def work(job: ProfileLogin) -> Seal:
            return await run_cancellable(partial(login_methods.keep_window_login, job, window))

        profile, seal = log_in_profile(self._settings(self.settings.out), work)
        if is_printed:
            print_login(profile, seal)

    def try_on(self, numbers: tuple[str, ...]) -> bool:
        """Try the pack on these orders and on those of the observations; return whether each is as its page says.

        Raises:
            PoolError: A precondition is not met: profile, browser, login or portal.
        """
        numbers = tuple(dict.fromkeys((*numbers, *self.observations.prove)))
        if not numbers:
            _print_doubt(_NOT_TRIED)
            return True
        if not self.profile:
            _print_doubt(f"The pack was not tried on {', '.join(numbers)}: {NO_PROFILE}")
            return True
        shown = {page.number for page in self.observations.pages}
        if self.to is not None:
            return self._prove(self._settings(self.to), numbers, shown)
        with tempfile.TemporaryDirectory(prefix="poolwright-", ignore_cleanup_errors=True) as out:
            return self._prove(self._settings(Path(out)), numbers, shown)

    def _prove(self, settings: Settings, numbers: tuple[str, ...], shown_numbers: Collection[str]) -> bool:
        site = resolve_portal_config(settings)
        settings, _ = fill_from_keyring(settings, site.pack)
        base = find_profile(settings).base_path
        workers = resolve_worker_config(settings, site, base)
        screen = console()
        for text in sandbox_warnings(workers):
            screen.print(text, style="yellow", soft_wrap=True)
        log_file = open_output_folder(settings)
        run = ProofRun(settings=settings, site=site, workers=workers, base=base, observe=_print_warning)
        screen.print(f"Trying the pack on {', '.join(numbers)}.", soft_wrap=True)
        with configure_logging(log_options(OutputMode(), None, settings, log_file)):
            proofs = anyio.run(run_cancellable, partial(run.run, numbers))
        show_proofs(screen, proofs, shown_numbers)
        return not any(proof.differences for proof in proofs)

    def _settings(self, out: Path) -> Settings:
        """Return the settings of the trial; the address of the portal is that of the pack."""
        changes = {"portal": str(self.pack_path.absolute()), "profile": self.profile, "base_url": "", "out": out}
        return self.settings.model_copy(update=changes)


def show_proofs(screen: Console, proofs: Sequence[OrderProof], shown_numbers: Collection[str]) -> None:
    """Print a table of the orders, what is not sure, and what is wrong."""
    table = Table("order", "verdict", "count on the page", "links found", "files saved", box=None, header_style="dim")
    for proof in proofs:
        announced = proof.announced_count
        files = [f"{file.name} ({format_size(file.size_bytes)})" for file in proof.files]
        table.add_row(
            Text(proof.number),
            Text(proof.verdict or "-", "bold yellow" if proof.differences else "bold green"),
            Text("not told" if announced is None else str(announced)),
            Text(str(len(proof.links)) if proof.examination else "-"),
            Text(f"{len(files)}: {', '.join(files)}" if files else "0"),
        )
    screen.print(FittingTable(table), soft_wrap=True)
    for doubt in doubts_of(proofs, shown_numbers):
        screen.print(Text.assemble(("not sure", "yellow"), f": {doubt}"), soft_wrap=True)
    for difference in (text for proof in proofs for text in proof.differences):
        screen.print(Text.assemble(("wrong", "red"), f": {difference}"), soft_wrap=True)


def _print_doubt(text: str) -> None:
    console().print(Text.assemble(("not sure", "yellow"), f": {text}"), soft_wrap=True)


def _print_warning(event: Event) -> None:
    if isinstance(event, Notice) and event.level is not Level.INFO:
        console().print(event.text, style="yellow", soft_wrap=True)
