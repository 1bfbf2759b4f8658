"""Where the running daemon of an output folder is, for the commands that ask it: a file that is there while it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.profile.private import replace_file

BEACON_NAME = "daemon.json"


class Beacon(BaseModel):
    """What the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
    url: str
    started_at: datetime


@contextmanager
def lit(folder: Path, url: str, started_at: datetime) -> Generator[None]:
    """Say where the daemon is while the block lasts.

    Raises:
        OSError: The file cannot be written.
    """
    path = folder / BEACON_NAME
    beacon = Beacon(pid=os.getpid(), url=url, started_at=started_at)
    replace_file(path, json.dumps(beacon.model_dump(mode="json")).encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find(folder: Path) -> Beacon | None:
    """What the last daemon said that did not take it back; it may be dead."""
    try:
        return Beacon.model_validate_json((folder / BEACON_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
