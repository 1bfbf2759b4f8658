"""The file that remembers over a restart what fired: small, private, written anew with each change."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poolwright.files.disk import make_private_folder, replace_private_text
from poolwright.service.schedules.records import Memory

#: Below the private folder of the daemon's output.
LEDGER_NAME = "schedules.json"
#: A file that cannot be read is kept aside under this ending.
BROKEN = ".broken"


class _Page(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    entries: Annotated[dict[str, Memory], Field(default_factory=dict[str, Memory])]


class Ledger:
    """The file that holds the state of every schedule. One reader and writer."""

    def __init__(self, path: Path) -> None:
        """Set the path; reads nothing before ``load``."""
        self._path = path
        self._writing = anyio.Lock()
        self._memories: dict[str, Memory] = {}

    async def load(self) -> str:
        """Read the file, if there is one; returns one sentence when it could not be read, else nothing."""
        page = await anyio.to_thread.run_sync(_read, self._path)
        if page is None:
            return (
                f"The state of the schedules ({self._path}) cannot be read; a damaged file is kept "
                f"beside it with the ending {BROKEN}. Runs missed while the daemon was not running are not known."
            )
        self._memories = dict(page.entries)
        return ""

    def find(self, name: str) -> Memory | None:
        """Return the state of one schedule, or ``None``."""
        return self._memories.get(name)

    async def keep(self, name: str, memory: Memory) -> None:
        """Remember; on the disk when it returns.

        Raises:
            OSError: The disk refuses. It is remembered until the daemon ends.
        """
        self._memories[name] = memory
        await self._write()

    async def forget(self, name: str) -> None:
        """Remember nothing of an entry that is gone.

        Raises:
            OSError: The disk refuses.
        """
        if self._memories.pop(name, None) is not None:
            await self._write()

    async def _write(self) -> None:
        # Whoever writes last writes all that is known then, so a later state is never replaced by an earlier one.
        async with self._writing:
            text = _Page(entries=dict(self._memories)).model_dump_json(indent=1)
            await anyio.to_thread.run_sync(_put, self._path, text)


def _read(path: Path) -> _Page | None:
    """The page; an empty one where there is no file, nothing where it cannot be read."""
    try:
        return _Page.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _Page(entries={})
    except ValidationError:
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + BROKEN))
        return None
    except OSError:
        return None


def _put(path: Path, text: str) -> None:
    make_private_folder(path.parent)
    replace_private_text(path, text)
