"""What a program of the comparison gets: a job, as a file of JSON.

Programs in other environments read it too, so this module needs the standard library alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What the demo portal shows when its list of attachments is there, and the links in it.
LOADED, LINKS = "#attachments[data-state=loaded]", ".attachment_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The orders and what a program needs for them."""

    #: Paths of the browser's program, and of the driver of Selenium (empty if there is none).
    browser: str
    driver: str
    #: A profile of its own that is logged in, and its cookies as Playwright takes them.
    profile: str
    cookies: list[dict[str, Any]]
    #: Folder for the files: one folder for each order in it.
    folder: str
    #: Pages of the orders.
    addresses: list[str]
    tab_count: int
    #: Whether an HTTP client brings the attachments, where a program knows both ways.
    is_by_http: bool = False


def read_job(path: str) -> Job:
    """Read the job of a file."""
    return Job(**json.loads(Path(path).read_text(encoding="utf-8")))


def tell_done(address: str) -> None:
    """Print the line that says that an order is done."""
    print(json.dumps({"type": "task_ended", "address": address}), flush=True)
