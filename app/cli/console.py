"""The terminal, as every command writes to it."""

from __future__ import annotations

import os
import sys
from typing import IO

from rich.console import Console


class Terminal(Console):
    """A console that falls silent when its reader has gone (``| head``): the work behind it goes on."""

    def on_broken_pipe(self) -> None:
        """Write nowhere from here on, so that nothing fails at the interpreter's end either."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def console(stream: IO[str] | None = None) -> Terminal:
    """A console on standard output, or on ``stream``. Texts are shown as they are."""
    return Terminal(file=stream or sys.stdout, markup=False, emoji=False, highlight=False)
