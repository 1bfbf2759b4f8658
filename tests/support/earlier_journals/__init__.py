"""Journals as earlier versions of the program made them, with something in each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.manual_clock import START

_HERE = Path(__file__).parent
#: Tables of each shape that there ever was, one after another; the first have one number in their headers.
EARLIER = sorted(_HERE.glob("[0-9]*.sql"))
_CONTENT = (_HERE / "content.sql").read_text(encoding="utf-8")


def build(path: Path, file: Path) -> None:
    """Make a journal as an earlier Poolwright left it."""
    path.parent.mkdir(exist_ok=True)
    at = START.isoformat(timespec="microseconds")
    schema = file.read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
        connection.execute("PRAGMA journal_mode = WAL")
        batch: dict[str, object] = {
            "batch_id": "list-1",
            "source": "orders.csv",
            "columns": '["PO"]',
            "notices": "[]",
            "accepted_at": at,
        }
        if "next_position" in schema:
            batch["next_position"] = 4
        places = ", ".join("?" * len(batch))
        connection.execute(f"INSERT INTO batches ({', '.join(batch)}) VALUES ({places})", tuple(batch.values()))  # noqa: S608
        connection.executescript(_CONTENT)
