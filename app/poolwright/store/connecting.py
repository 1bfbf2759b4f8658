"""How a file of SQLite is opened here: by its address, with transactions in our own hands, from any thread."""

from __future__ import annotations

import sqlite3
from pathlib import Path

#: Mark of ``schema.sql`` in the file's header.
APPLICATION_ID = int.from_bytes(b"Pool", "big")
#: Steps of SQLite between two looks at whether its answer is still wanted: some milliseconds.
STEPS_PER_LOOK = 100_000


def connect(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    """Open a file that is there.

    Args:
        path: Where it is.
        mode: ``ro`` or ``rw``, and what else stands in such an address.
        busy_timeout_s: How long each transaction waits for another program that has the file locked.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def number(connection: sqlite3.Connection, query: str) -> int:
    """The one number that a query answers with."""
    return int(connection.execute(query).fetchone()[0])
