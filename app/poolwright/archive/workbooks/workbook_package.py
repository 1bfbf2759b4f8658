"""Reads the parts of the user's workbook. Whatever is damaged in them is one kind of error, and nothing else is."""

from __future__ import annotations

import contextlib
import io
import posixpath
import zipfile
import zlib
from collections.abc import Generator, Iterator
from typing import Self

from lxml import etree

from poolwright.archive.workbooks.list_workbook import NotFillableError

_WORKBOOK = "xl/workbook.xml"
_PIECE_BYTES = 1024 * 1024
#: What the libraries raise for a part: it is missing, damaged, in an unknown compression, or has a password.
_PART_ERRORS = (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class WorkbookPackage:
    """A workbook of Excel since 2007: a ZIP container with parts. Used within ``open``."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        """Keep the open container."""
        self._package = package

    @classmethod
    @contextlib.contextmanager
    def open(cls, content: bytes) -> Generator[Self]:
        """Open a workbook for the time of a block.

        Raises:
            NotFillableError: It is no ZIP container, or a damaged one.
        """
        try:
            package = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile as error:
            raise unreadable_error() from error
        with package:
            yield cls(package)

    @property
    def entries(self) -> list[zipfile.ZipInfo]:
        """All parts, in their order."""
        return self._package.infolist()

    def read(self, part: str) -> bytes:
        """Return a whole part.

        Raises:
            NotFillableError: It is missing or damaged.
        """
        return b"".join(self.pieces(part))

    def pieces(self, part: str | zipfile.ZipInfo) -> Iterator[bytes]:
        """Yield a part in pieces.

        Raises:
            NotFillableError: It is missing or damaged.
        """
        try:
            with self._package.open(part) as source:
                while piece := source.read(_PIECE_BYTES):
                    yield piece
        except _PART_ERRORS as error:
            raise unreadable_error() from error

    def sheet_part(self, title: str) -> str:
        """Return the name of the part with a sheet.

        Raises:
            NotFillableError: There is none, or the parts that name it are missing or damaged.
        """
        roots = self._relations("")
        workbook = next((target for kind, target in roots.values() if kind == "officeDocument"), _WORKBOOK)
        relations = self._relations(workbook)
        for sheet in self._root(workbook).iter("{*}sheet"):
            identifier = next((value for name, value in sheet.items() if etree.QName(name).localname == "id"), "")
            if sheet.get("name") == title and identifier in relations:
                return relations[identifier][1]
        raise unreadable_error()

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the relations of a part, or of the whole package: kind and target by id."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}
        for element in self._root(posixpath.join(folder, "_rels", f"{name}.rels")).iter("{*}Relationship"):
            target = posixpath.normpath(posixpath.join("/", folder, element.get("Target") or "")).lstrip("/")
            found[element.get("Id") or ""] = ((element.get("Type") or "").rpartition("/")[2], target)
        return found

    def _root(self, part: str) -> etree._Element:  # pyright: ignore[reportPrivateUsage]
        content, parser = self.read(part), etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            return etree.fromstring(content, parser)
        except etree.LxmlError as error:
            raise unreadable_error() from error


def unreadable_error() -> NotFillableError:
    """Return the error for a workbook that is none, or a damaged one."""
    return NotFillableError("it cannot be read as a workbook of Excel since 2007")
