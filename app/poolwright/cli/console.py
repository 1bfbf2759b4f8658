"""The terminal, as every command writes to it."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console


def console(stream: IO[str] | None = None) -> Console:
    """A console on standard output, or on ``stream``. Texts are shown as they are."""
    return Console(file=stream or sys.stdout, markup=False, emoji=False, highlight=False)


def has_all_letters(screen: Console) -> bool:
    """Whether every text can be written there as it is."""
    return screen.encoding.startswith("utf")
