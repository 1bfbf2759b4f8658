"""The parts of a packed workbook and how they point to each other, as tolerant as Excel.

Names are compared without case, with either slash, whatever the packing program made of them.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Literal, Self
from urllib.parse import unquote

from lxml import etree

#: The library has no public name for it.
Element = etree._Element  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
_NAME = etree.QName


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One arrow from a part to another."""

    #: The last word of its type: ``worksheet``, ``table``; the words before it differ between strict and usual files.
    kind: str
    target: str


class PackageParts:
    """The parts of one package."""

    def __init__(self, content: bytes) -> None:
        """Open the table of contents.

        Raises:
            zipfile.BadZipFile: It is damaged.
        """
        self._packed = zipfile.ZipFile(io.BytesIO(content))
        self._infos = {folded(info.filename): info for info in reversed(self._packed.infolist())}

    @classmethod
    def of_one(cls, name: str, content: bytes) -> Self:
        """A package with a single part, for kinds of files that come packed and as one file."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as opened:
            opened.writestr(name, content)
        return cls(packed.getvalue())

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._infos

    def open(self, name: str) -> IO[bytes]:
        """A part to read from.

        Raises:
            KeyError: There is none of this name.
        """
        return self._packed.open(self._infos[folded(name)])

    def walk(
        self, name: str, tags: Sequence[str], events: Sequence[Literal["start", "end"]] = ("end",)
    ) -> Iterator[tuple[str, Element]]:
        """The elements of a part as they come, without comments, since the library cuts a text where one stands.

        Raises:
            KeyError: There is none of this name.
            lxml.etree.LxmlError: It is damaged.
        """
        with self.open(name) as part:
            yield from etree.iterparse(
                part,
                events,
                tag=tags,
                resolve_entities=False,
                no_network=True,
                huge_tree=True,
                remove_comments=True,
                remove_pis=True,
            )

    def root(self, name: str) -> Element:  # the library's own name for it
        """A whole part; what is broken in it is left out.

        Raises:
            KeyError: There is none of this name.
            ValueError: Nothing in it can be read.
        """
        with self.open(name) as part:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, recover=True)
            try:
                root = etree.parse(part, parser).getroot()
            except etree.LxmlError as error:
                raise ValueError(name) from error
        if root is None:  # pyright: ignore[reportUnnecessaryComparison]  # where recovery found nothing
            raise ValueError(name)
        return root

    def relations(self, name: str) -> dict[str, Relation]:
        """Where a part points to, by the names that it uses itself; empty when it points nowhere."""
        folder, leaf = posixpath.split(name)
        arrows = posixpath.join(folder, "_rels", f"{leaf}.rels")
        if arrows not in self:
            return {}
        return {
            found.get("Id", ""): Relation(
                kind=found.get("Type", "").rpartition("/")[2].casefold(),
                target=self._target(folder, found.get("Target", "")),
            )
            for found in elements(self.root(arrows), "relationship")
            if found.get("TargetMode", "").casefold() != "external"
        }

    def _target(self, folder: str, written: str) -> str:
        """Where an arrow points; some programs write addresses with blanks as ``%20``, and names without."""
        target = posixpath.normpath(posixpath.join("/", folder, written.replace("\\", "/")))
        return target if target in self else unquote(target)


def folded(name: str) -> str:
    """A name as it is compared."""
    return posixpath.normpath(name.replace("\\", "/")).lstrip("/").casefold()


def elements(root: Element, name: str) -> Iterator[Element]:
    """Everything below of this name, whatever its namespace; compared without case."""
    for element in root.iter("{*}*"):
        if local_name(element).casefold() == name:
            yield element


def has(root: Element, name: str) -> bool:
    """Whether there is anything below of this name. An element without content counts."""
    return next(elements(root, name), None) is not None


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """An attribute by its name without a namespace; empty when there is none."""
    plain = element.get(name)
    if plain is not None:
        return str(plain)
    return next((str(value) for key, value in element.items() if _NAME(str(key)).localname == name), "")


def is_on(text: str) -> bool:
    """Whether an attribute says yes."""
    return text.strip().casefold() in {"1", "true", "on"}
