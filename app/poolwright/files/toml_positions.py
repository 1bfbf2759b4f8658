"""Finds the line and the column of each key of a TOML text.

The standard library reads the values of a TOML file, not their places. The positions come from a syntax tree, which
exists for a broken text too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

#: A key or an index in a list, for each level.
KeyPath = tuple[str | int, ...]

_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_PUNCTUATION = frozenset({"[", "]", ",", "comment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPosition:
    """A place in a text, as editors count it."""

    #: From 1.
    line: int
    #: In characters, from 1.
    column: int


@dataclass(slots=True)
class TomlPositions:
    """The positions of the keys, the tables and the list entries of one TOML text."""

    _lines: list[bytes]
    _found: dict[KeyPath, TextPosition] = field(default_factory=dict[KeyPath, TextPosition])
    #: Last index of each list of tables.
    _last_index: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Find all keys of a text; those in a part that is no TOML may be missing."""
        written = text.encode()
        positions = cls(written.split(b"\n"))
        root = Parser(Language(tree_sitter_toml.language())).parse(written).root_node
        for node in root.children:
            positions._add_statement(node)
        return positions

    def existing(self, path: Sequence[str | int]) -> KeyPath:
        """Return the part of a path that the text has; parts that it does not have are left out."""
        kept: KeyPath = ()
        for part in path:
            kept = (*kept, part) if (*kept, part) in self._found else kept
        return kept

    def find(self, path: Sequence[str | int]) -> TextPosition | None:
        """Return the position of a key, or else that of the table that should have it; ``None`` if there is neither."""
        return self._found.get(self.existing(path))

    def _add_statement(self, node: Node) -> None:
        match node.type:
            case "pair":
                self._add_pair(node, ())
            case "table" | "table_array_element":
                self._add_table(node, is_entry=node.type == "table_array_element")
            case _:
                pass

    def _add_table(self, node: Node, *, is_entry: bool) -> None:
        keys = next((child for child in node.children if child.type in _KEYS), None)
        if keys is None:
            return
        path = self._resolve((), keys)
        if is_entry:
            path = path[:-1] if isinstance(path[-1], int) else path
            self._last_index[path] = self._last_index.get(path, -1) + 1
            path = (*path, self._last_index[path])
            self._note(path, keys)
        for child in node.children:
            if child.type == "pair":
                self._add_pair(child, path)

    def _add_pair(self, node: Node, table: KeyPath) -> None:
        keys, value = node.children[0], node.children[-1]
        if keys.type in _KEYS:
            self._add_value(value, self._resolve(table, keys))

    def _add_value(self, node: Node, path: KeyPath) -> None:
        match node.type:
            case "array":
                entries = [child for child in node.children if child.type not in _PUNCTUATION]
                for index, entry in enumerate(entries):
                    self._note((*path, index), entry)
                    self._add_value(entry, (*path, index))
            case "inline_table":
                for child in node.children:
                    if child.type == "pair":
                        self._add_pair(child, path)
            case _:
                pass

    def _resolve(self, table: KeyPath, keys: Node) -> KeyPath:
        """Return the path of a key below a table, and note each of its levels."""
        path = table
        for key in _simple_keys(keys):
            path = (*path, _key_text(key))
            self._note(path, key)
            if path in self._last_index:
                path = (*path, self._last_index[path])
        return path

    def _note(self, path: KeyPath, node: Node) -> None:
        row, column_bytes = node.start_point
        before = self._lines[row][:column_bytes].decode(errors="replace")
        self._found.setdefault(path, TextPosition(line=row + 1, column=len(before) + 1))


def _simple_keys(node: Node) -> Iterator[Node]:
    if node.type != "dotted_key":
        yield node
        return
    for child in node.children:
        if child.type in _KEYS:
            yield from _simple_keys(child)


def _key_text(node: Node) -> str:
    written = (node.text or b"").decode()
    if node.type == "bare_key":
        return written
    try:
        (key,) = tomllib.loads(f"{written} = 0")
    except tomllib.TOMLDecodeError:
        return written
    return key
