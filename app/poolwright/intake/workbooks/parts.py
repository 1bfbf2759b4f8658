"""Opens the parts of a packed workbook and the relations between them, as tolerantly as Excel.

Names are compared without case, and with either kind of slash.
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
    """A relation from a part to another one."""

    #: The last word of its type: ``worksheet``, ``table``; the words before it differ between strict and usual files.
    kind: str
    target: str


class PackageParts:
    """The parts of one package."""

    def __init__(self, content: bytes) -> None:
        """Read the directory of the package.

        Raises:
            zipfile.BadZipFile: It is damaged.
        """
        self._packed = zipfile.ZipFile(io.BytesIO(content))
        self._infos = {folded(info.filename): info for info in reversed(self._packed.infolist())}

    @classmethod
    def from_file(cls, name: str, content: bytes) -> Self:
        """Return a package with a single part, for formats that exist packed and as a single file."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as opened:
            opened.writestr(name, content)
        return cls(packed.getvalue())

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._infos

    def open(self, name: str) -> IO[bytes]:
        """Open a part for reading.

        Raises:
            KeyError: There is no part of this name.
        """
        return self._packed.open(self._infos[folded(name)])

    def walk(
        self, name: str, tags: Sequence[str], events: Sequence[Literal["start", "end"]] = ("end",)
    ) -> Iterator[tuple[str, Element]]:
        """Yield the elements of a part in their order, without comments, since the library splits a text at them.

        Raises:
            KeyError: There is no part of this name.
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
        """Return the root element of a part; broken XML in it is left out.

        Raises:
            KeyError: There is no part of this name.
            ValueError: Nothing in it can be read.
        """
        with self.open(name) as part:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, recover=True)
            try:
                root = etree.parse(part, parser).getroot()
            except etree.LxmlError as error:
                raise ValueError(name) from error
        if root is None:  # pyright: ignore[reportUnnecessaryComparison]  # when nothing could be recovered
            raise ValueError(name)
        return root

    def relations(self, name: str) -> dict[str, Relation]:
        """Return the relations of a part by their ids; empty when it has none."""
        folder, leaf = posixpath.split(name)
        path = posixpath.join(folder, "_rels", f"{leaf}.rels")
        if path not in self:
            return {}
        return {
            element.get("Id", ""): Relation(
                kind=element.get("Type", "").rpartition("/")[2].casefold(),
                target=self._target(folder, element.get("Target", "")),
            )
            for element in elements(self.root(path), "relationship")
            if element.get("TargetMode", "").casefold() != "external"
        }

    def _target(self, folder: str, written: str) -> str:
        """Return the part to which a relation leads; some programs write a blank in the address as ``%20``."""
        target = posixpath.normpath(posixpath.join("/", folder, written.replace("\\", "/")))
        return target if target in self else unquote(target)


def folded(name: str) -> str:
    """Return a name in the form in which it is compared."""
    return posixpath.normpath(name.replace("\\", "/")).lstrip("/").casefold()


def elements(root: Element, name: str) -> Iterator[Element]:
    """Yield the elements of this name in any namespace; the name is compared without case."""
    for element in root.iter("{*}*"):
        if local_name(element).casefold() == name:
            yield element


def has(root: Element, name: str) -> bool:
    """Return whether there is an element of this name. An element without content counts."""
    return next(elements(root, name), None) is not None


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """Return an attribute by its name without a namespace; empty when there is none."""
    plain = element.get(name)
    if plain is not None:
        return str(plain)
    return next((str(value) for key, value in element.items() if _NAME(str(key)).localname == name), "")


def is_on(text: str) -> bool:
    """Return whether the text of an attribute means true."""
    return text.strip().casefold() in {"1", "true", "on"}
