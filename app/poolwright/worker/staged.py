"""The files of one attempt, in the folder from which the supervisor takes them: complete, checked, well named.

Every file comes in by ``take``, whether it was downloaded or made; so what a report lists is what lies here.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from poolwright.domain.tasks import FetchedFile
from poolwright.files.content_type import sniff
from poolwright.files.names import STAGED_FILES, UniqueNames, safe_name, with_ending
from poolwright.worker.errors import BadFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A file on disk, checked; it has no final name yet."""

    path: Path
    label: str
    size_bytes: int
    sha256: str
    media_type: str
    source_url: str
    #: What to call it on disk; the label where nothing is said.
    name: str = ""
    #: Whether that is the portal's own name for the file and no text of a page.
    is_name_given: bool = False
    #: Whether it is a page of HTML, whatever it is called.
    is_page: bool = False
    #: Whether it can be read as text.
    is_text: bool = False
    #: Whether one that was cut off would be known by its end.
    shows_end: bool = False
    #: What a person should know of it.
    notes: tuple[str, ...] = ()


class StagedFiles:
    """What one attempt has saved so far."""

    def __init__(self, staging: Path) -> None:
        """Save below the staging folder of an attempt; nothing is made before there is a file."""
        self._staging = staging
        self._numbers = itertools.count(1)
        self._saved: list[FetchedFile] = []
        self._names = UniqueNames()

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """Every file so far, in the order in which they were taken."""
        return tuple(self._saved)

    async def make(self, name: str, content: bytes, source_url: str) -> FetchedFile:
        """Write a file and take it.

        Raises:
            BadFileError: It is empty, or not what its name says.
            OSError: The disk is full or not writable.
        """
        part = self._staging / f"made-{next(self._numbers)}"
        return self.take(await anyio.to_thread.run_sync(_written, part, name, content, source_url))

    def take(self, arrived: Arrived) -> FetchedFile:
        """Give a file its name and put it among the others.

        Raises:
            OSError: The disk is not writable.
        """
        wanted = safe_name(arrived.name or arrived.label)
        name = self._names.give(with_ending(wanted, arrived.media_type, is_given=arrived.is_name_given))
        folder = self._staging / STAGED_FILES
        folder.mkdir(parents=True, exist_ok=True)
        arrived.path.replace(folder / name)
        file = FetchedFile(
            name=name,
            label=arrived.label,
            size_bytes=arrived.size_bytes,
            sha256=arrived.sha256,
            media_type=arrived.media_type,
            source_url=arrived.source_url,
        )
        self._saved.append(file)
        return file


def _written(part: Path, name: str, content: bytes, source_url: str) -> Arrived:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    finding = sniff(part, name, is_own=True)
    if finding.problems:
        part.unlink()
        msg = f"{name} was not saved: {' '.join(finding.problems)}"
        raise BadFileError(msg)
    return Arrived(
        path=part,
        label=name,
        size_bytes=finding.size_bytes,
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=finding.media_type,
        source_url=source_url,
    )
