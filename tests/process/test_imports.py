"""What each entry of the program loads before it does anything: every command, worker and test of ours pays for that.

Held on the modules, not on the time. Who needs one of them imports it where it is used, see ``poolwright.interpreter``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT

_SPREADSHEETS = {"openpyxl", "xlrd", "lxml", "charset_normalizer", "PIL", "numpy"}
_SERVING = {"fastapi", "starlette", "uvicorn"}
#: What hardly anybody needs: plugins of pydantic, patterns that RE2 refuses, the keyring, the terminal of httpx.
_SELDOM = {"regex", "keyring", "pygments", "click", "IPython"}
_TERMINAL = {"rich", "typer"}
#: Of the supervisor and the faces; a worker has none of them.
_ROOMS_OF_OTHERS = {
    "poolwright.archive.output_tree",
    "poolwright.cli",
    "poolwright.profile",
    "poolwright.service",
    "poolwright.settings",
    "poolwright.journal",
    "poolwright.supervisor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One way to start something of ours."""

    arguments: tuple[str, ...]
    #: Shows that it came as far as it should.
    loads: frozenset[str]
    kept_out: frozenset[str]


def entry(*arguments: str, loads: set[str], kept_out: set[str]) -> Entry:
    return Entry(arguments=arguments, loads=frozenset(loads), kept_out=frozenset(kept_out))


ENTRIES = {
    "the version": entry(
        "poolwright",
        "--version",
        loads={"poolwright"},
        kept_out={"anyio", "asyncio", "httpx", "loguru", "psutil", "pydantic", "re2", *_SELDOM, *_SERVING, *_TERMINAL},
    ),
    "a run of a list that is text, until its list is read": entry(
        "poolwright",
        "run",
        "--dry-run",
        "--portal=coupa",
        "--base-url=https://portal.test",
        "orders.csv",
        loads={"pydantic", "rich", "re2", "poolwright.supervisor.pool", "poolwright.journal.sqlite_journal"},
        kept_out={"httpx", "playwright", "filetype", *_SPREADSHEETS, *_SERVING, *_SELDOM},
    ),
    "a daemon, until it starts": entry(
        "poolwright",
        "serve",
        "--help",
        loads={"starlette", "poolwright.supervisor.pool", "poolwright.service.daemon.daemon"},
        kept_out={"playwright", "filetype", *_SPREADSHEETS, *_SELDOM} - {"click"},  # which uvicorn has
    ),
    "a demo, until its portal starts": entry(
        "poolwright",
        "demo",
        "--help",
        loads={"httpx", "poolwright.supervisor.pool", "poolwright.demo.portal_client"},
        kept_out={"fastapi", "uvicorn", "playwright", "filetype", *_SPREADSHEETS, *_SELDOM},
    ),
    "what opens no browser": entry(
        "poolwright",
        "profile",
        "list",
        loads={"pydantic", "poolwright.profile.repository"},
        kept_out={"httpx", "playwright", "poolwright.supervisor", *_SPREADSHEETS, *_SERVING, *_SELDOM},
    ),
    "an engine's question where nothing runs": entry(
        "poolwright",
        "health",
        loads={"pydantic", "poolwright.settings.model"},
        kept_out={
            "httpx",
            "playwright",
            "re2",
            "poolwright.portal.pack",
            "poolwright.supervisor",
            *_SPREADSHEETS,
            *_SERVING,
            *_SELDOM,
        },
    ),
    "a question to a daemon": entry(
        "poolwright",
        "status",
        loads={"httpx", "rich", "poolwright.cli.batch_views"},
        kept_out={
            "playwright",
            "psutil",
            "sqlite3",
            "poolwright.portal.pack",
            "poolwright.journal",
            "poolwright.supervisor",
            *_SPREADSHEETS,
            *_SERVING,
            *_SELDOM,
        },
    ),
    "a worker": entry(
        "poolwright.worker",
        "1",
        "1",
        "stdio",
        loads={"httpx", "playwright", "pydantic", "poolwright.worker.loop"},
        kept_out={
            "psutil",
            "poolwright.worker.download.mails.mail_attachments",
            "pydantic_settings",
            "sqlite3",
            *_ROOMS_OF_OTHERS,
            *_TERMINAL,
            *_SPREADSHEETS,
            *_SERVING,
            *_SELDOM,
        },
    ),
    "the demo portal": entry(
        "poolwright.demo",
        "--help",
        loads={"pydantic", "starlette", "uvicorn"},
        kept_out={"fastapi", "httpx", "playwright", "rich", "typer", *_SPREADSHEETS, "regex", "keyring"},
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_loads_nothing_that_only_others_need(name: str, tmp_path: Path) -> None:
    told = ENTRIES[name]
    (tmp_path / "orders.csv").write_text("PO\nPO4500000001\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-P", "-m", *told.arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )

    modules = set(re.findall(r"^import time:[^|]*\|[^|]*\|\s*([\w.]+)", done.stderr, re.MULTILINE))
    loaded = modules | {module.partition(".")[0] for module in modules}
    assert told.loads <= loaded, done.stdout[-1000:] + done.stderr[-2000:]
    assert loaded & told.kept_out == set()
