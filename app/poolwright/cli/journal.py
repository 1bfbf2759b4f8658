"""The commands `poolwright journal compact` and `adopt`: shrink a journal, or assign its orders to another account."""

from __future__ import annotations

from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.options import SettingsCommand
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.domain.events import Level
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.journal_maintenance import JournalMaintenance, MaintenanceResult
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.service.portals.portal_config import portal_account, resolve_portal_config
from poolwright.settings import Settings

COMPACT_HELP = (
    "Compact the journal: return its free space to the disk, and delete old history if --retention-days is set.\n\n"
    "With --retention-days it deletes the attempts and state changes of orders that ended earlier than that, and the "
    "lists that contain only such orders. The results of all orders stay, so no order is fetched again. A daemon does "
    "the same once a day; while one is running, this command is refused."
)
COMPACT_EXAMPLES = (
    "poolwright journal compact --out /srv/orders",
    "poolwright journal compact --retention-days 90",
)


ADOPT_HELP = (
    "Assign the orders of an output folder to this profile and portal address.\n\n"
    "An output folder belongs to the portal address and profile of its first run. A run with another one is refused, "
    "since there the same number may be another order. Use this command if it is still the same account: the portal "
    "has a new address, or the profile was created again under another name."
)
ADOPT_EXAMPLES = (
    "poolwright journal adopt --profile coupa-new --out /srv/orders",
    "poolwright journal adopt --base-url https://orders.example",
)


@SettingsCommand.with_settings("profile", "profiles_dir", "portal", "packs_dir", "base_url", "out")
def adopt(settings: Settings) -> None:
    """Assign the orders to the account of the settings."""
    account = portal_account(settings, resolve_portal_config(settings))
    anyio.run(_adopt, _journal_path(settings), account)
    console().print(f"The orders of {account.portal} in '{settings.out}' now belong to {account}.", soft_wrap=True)


@SettingsCommand.with_settings("out", "retention_days")
def compact(settings: Settings) -> None:
    """Prune and compact the journal, and print the result."""
    result = anyio.run(_compact, _journal_path(settings), settings.retention_days)
    console().print(result.text or "The journal is already compact; nothing was changed.", soft_wrap=True)


def _journal_path(settings: Settings) -> Path:
    path = settings.out / PRIVATE_NAME / JOURNAL_NAME
    if not path.is_file():
        raise OptionsError(
            f"There is no journal in '{settings.out}'; set --out to the output folder of an earlier run."
        )
    return path


async def _adopt(path: Path, account: Account) -> None:
    async with SqliteJournal(path, SystemClock()) as journal:
        await journal.transfer_account(account)


async def _compact(path: Path, retention_days: int) -> MaintenanceResult:
    def print_notice(_: Level, text: str) -> None:
        console().print(text, soft_wrap=True)

    clock = SystemClock()
    async with SqliteJournal(path, clock) as journal:
        return await JournalMaintenance(
            journal, clock, retention_days=lambda: retention_days, report=print_notice
        ).run_now()
