"""The folders below the watched one, and every move between them. Blocking; ``OSError`` where the disk refuses.

A list is taken in these steps, each of which a kill may be the last:

1. rename into ``taking/<moment>/``: from here on no writer of that name can replace it, and no other look finds it;
2. read it;
3. submit it: the journal has it when that returns;
4. rename into ``done/``; or, when it is refused, write its reason into ``refused/`` and rename it there.

A list that is found in ``taking`` was cut off between 1 and 4 and goes through 2 to 4 again, under the same moment and
so with the same names. Submitting the same list twice changes nothing: its id is made of its orders, and an order that
the journal knows is not taken up again. So no list is lost and no order is fetched twice.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poolwright.service.inbox.names import stamped
from poolwright.service.inbox.settling import Look

TAKING, DONE, REFUSED = "taking", "done", "refused"
REASON = ".reason.txt"


class LinkedFolderError(OSError):
    """A subfolder of the inbox is a symbolic link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Contents of the watched folder."""

    #: Plain files and how they look now.
    looks: dict[Path, Look]
    #: Links, which are never followed.
    links: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """The watched folder with ``taking``, ``done`` and ``refused`` below it."""

    root: Path

    def look(self) -> Dropped:
        """Scan the watched folder."""
        looks: dict[Path, Look] = {}
        links: list[Path] = []
        for path in self.root.iterdir():
            # One that vanishes meanwhile is not there.
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    looks[path] = Look.of(status)
                elif stat.S_ISLNK(status.st_mode):
                    links.append(path)
        return Dropped(looks=looks, links=tuple(links))

    def taken(self) -> list[Path]:
        """Return lists whose processing was interrupted, the oldest first. Empty folders are removed."""
        return sorted(self._taken())

    def take(self, path: Path, moment: str) -> Path:
        """Move a list into ``taking``, out of reach of its writer; return its new path."""
        self._folder(TAKING).mkdir(exist_ok=True)
        folder = self._folder(TAKING) / moment
        folder.mkdir()
        try:
            return path.rename(folder / path.name)
        except OSError:
            folder.rmdir()
            raise

    def put_done(self, taken: Path) -> Path:
        """Move a submitted list to ``done``."""
        return self._put(taken, DONE)

    def put_refused(self, taken: Path, reason: str) -> Path:
        """Move a refused list to ``refused``, with the reason beside it."""
        name = stamped(taken.name, taken.parent.name)
        note = self._folder(REFUSED) / f"{name}{REASON}"
        note.parent.mkdir(exist_ok=True)
        # First the reason: a list without one would lie there unexplained.
        note.write_text(reason, encoding="utf-8")
        return self._put(taken, REFUSED)

    def _put(self, taken: Path, shelf: str) -> Path:
        folder = self._folder(shelf)
        folder.mkdir(exist_ok=True)
        place = taken.rename(folder / stamped(taken.name, taken.parent.name))
        taken.parent.rmdir()
        return place

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if folder.is_symlink():
            raise LinkedFolderError(0, "it is a symbolic link, which is not followed", str(folder))
        return folder

    def _taken(self) -> Iterator[Path]:
        folder = self._folder(TAKING)
        for place in folder.iterdir() if folder.is_dir() else ():
            if place.is_symlink() or not place.is_dir():
                continue
            files = [path for path in place.iterdir() if path.is_file() and not path.is_symlink()]
            yield from files
            if not files:
                with contextlib.suppress(OSError):
                    place.rmdir()
