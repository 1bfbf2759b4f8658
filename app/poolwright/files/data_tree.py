"""Parses JSON and XML into one kind of tree, for answers that a portal's interface sends.

Objects are mappings, lists are lists, all else is as it came; an element is an object of its attributes and children.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage] - it has no public name

DataTree: TypeAlias = Mapping[str, object]

#: What only wraps an answer, whatever else its name begins with: ``GetFileResponse``.
_WRAPPERS = re.compile(
    r"(?:\w{0,40}(?:response|result|reply|return|answer|output))|root|data|body|payload|envelope|xml|message|content|"
    r"value|d|rsp|document|item|object|header|head|meta|status"
)
_WRAPPED_DEPTH = 4
#: A document has more in it, or rows.
_LEAVES_MIN, _LEAVES_DEPTH, _ROWS_DEPTH = 12, 20, 4
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")


def parse_json(text: str) -> object:
    """Parse JSON or JSON lines; None if the text is neither."""
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        lines = [cast("object", json.loads(line)) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return lines if len(lines) > 1 else None


def parse_xml(text: str) -> DataTree | None:
    """Parse XML into a tree under its root's name; None if it is not XML. Truncated XML gives what was read."""
    from lxml import etree  # noqa: PLC0415 - most files are no XML, and the library is a large one

    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, count=1).encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return None
    if root is None:  # pyright: ignore[reportUnnecessaryComparison]  # where recovery found nothing
        return None
    return {_local(root): _tree_of_element(root)}


def fold_keys(told: Mapping[object, object]) -> DataTree:
    """The same with keys as everybody writes them: ``errorCode``, ``error_code`` and ``Error-Code`` are one."""
    return {str(key).lower().replace("_", "").replace("-", "").replace(" ", ""): value for key, value in told.items()}


def unwrap(told: object) -> Iterator[DataTree]:
    """An answer, and what is in it as long as there is nothing but a wrapper around it."""
    for _ in range(_WRAPPED_DEPTH):
        if not isinstance(told, Mapping):
            return
        found = fold_keys(cast("Mapping[object, object]", told))
        yield found
        names = [name for name in found if not name.startswith("xmlns")]
        if len(names) != 1 or not is_wrapper(names[0]):
            return
        told = found[names[0]]


def is_wrapper(name: str) -> bool:
    """Whether a name, folded, is that of something that only wraps an answer."""
    return bool(_WRAPPERS.fullmatch(name))


def innermost(told: object) -> object:
    """What is left where everything is wrapped in a single thing."""
    for _ in range(_LEAVES_DEPTH):
        if not isinstance(told, Mapping):
            break
        values = list(cast("Mapping[object, object]", told).values())
        if len(values) != 1:
            return values
        told = values[0]
    return told


def is_data(told: object) -> bool:
    """Whether there are rows, or so many values that it is more than a message."""
    return _has_rows(told, _ROWS_DEPTH) or _leaf_count(told, _LEAVES_DEPTH) >= _LEAVES_MIN


def _has_rows(told: object, depth: int) -> bool:
    if _is_list(told):
        rows = cast("Sequence[object]", told)
        return any(isinstance(row, Mapping) or _is_list(row) for row in rows) and bool(_leaf_count(rows, _LEAVES_DEPTH))
    if not isinstance(told, Mapping) or not depth:
        return False
    return any(_has_rows(value, depth - 1) for value in cast("Mapping[object, object]", told).values())


def _leaf_count(told: object, depth: int) -> int:
    """How many values there are; what lies too deep is one."""
    if depth and isinstance(told, Mapping):
        return sum(_leaf_count(value, depth - 1) for value in cast("Mapping[object, object]", told).values())
    if depth and _is_list(told):
        return sum(_leaf_count(value, depth - 1) for value in cast("Sequence[object]", told))
    return int(told not in (None, ""))


def _is_list(told: object) -> bool:
    return isinstance(told, list)


def _tree_of_element(element: Element) -> object:
    children = [child for child in element if isinstance(child.tag, str)]
    text = " ".join((element.text or "").split())
    if not children and not element.attrib:
        return text
    told: dict[str, object] = {str(name).rpartition("}")[2]: value for name, value in element.attrib.items()}
    for child in children:
        name, found = _local(child), _tree_of_element(child)
        if name not in told:
            told[name] = found
        elif isinstance(before := told[name], list):
            cast("list[object]", before).append(found)
        else:
            told[name] = [before, found]
    if text:
        told["text"] = text
    return told


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
