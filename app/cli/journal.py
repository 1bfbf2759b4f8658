"""``poolwright journal compact``: the journal forgets what it need not know, and gives room back to the disk."""

from __future__ import annotations

from pathlib import Path

import anyio

from app.archive.tree import PRIVATE_NAME
from app.cli.console import console
from app.cli.options import SettingsCommand
from app.domain.events import Level
from app.domain.failures import OptionsError
from app.service.clock import SystemClock
from app.service.out import JOURNAL_NAME
from app.service.upkeep import Upkeep, Upkept
from app.settings import Settings
from app.store.journal import SqliteJournal

COMPACT_HELP = (
    "Make the journal smaller: forget what ended long ago, and give room back to the disk.\n\n"
    "Forgets nothing unless --retention-days says after how many days. What an order brought stays known, so no order "
    "is fetched again. A running daemon does the same once a day; while one works, this command is refused."
)
COMPACT_EXAMPLES = (
    "poolwright journal compact --out /srv/orders",
    "poolwright journal compact --retention-days 90",
)


@SettingsCommand.taking("out", "retention_days")
def compact(settings: Settings) -> None:
    """Forget, compact, tell what came of it."""
    path = settings.out / PRIVATE_NAME / JOURNAL_NAME
    if not path.is_file():
        raise OptionsError(
            f"There is no journal in '{settings.out}'; name the output folder of earlier runs with --out."
        )
    done = anyio.run(_tidied, path, settings.retention_days)
    console().print(done.text or "The journal is as small as it can be; nothing was changed.", soft_wrap=True)


async def _tidied(path: Path, retention_days: int) -> Upkept:
    def note(_: Level, text: str) -> None:
        console().print(text, soft_wrap=True)

    clock = SystemClock()
    async with SqliteJournal(path, clock) as journal:
        return await Upkeep(journal, clock, retention_days=lambda: retention_days, note=note).now()
