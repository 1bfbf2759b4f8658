"""Parses JSON and XML replies of a portal's API into one kind of tree.

JSON objects are mappings, lists are lists, other values stay unchanged; an XML element is a mapping of its attributes
and children.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage] - it has no public name

DataTree: TypeAlias = Mapping[str, object]

#: Names of elements or keys that only wrap a reply, such as ``GetFileResponse``.
_WRAPPERS = re.compile(
    r"(?:\w{0,40}(?:response|result|reply|return|answer|output))|root|data|body|payload|envelope|xml|message|content|"
    r"value|d|rsp|document|item|object|header|head|meta|\w{0,40}status|"
    r"operationoutcome"
)
#: Keys that only identify a reply beside one of these wrappers.
_IDENTIFIED = frozenset({"result", "response", "data", "d", "body", "payload"})
_IDENTIFYING = frozenset({"id", "jsonrpc", "requestid", "traceid", "correlationid", "timestamp"})
#: Values that wrap nothing.
_NOTHING: tuple[object, ...] = (None, "", [], {})
_WRAPPED_DEPTH = 4
#: A document has at least this many values, or rows.
_LEAVES_MIN, _LEAVES_DEPTH, _ROWS_DEPTH = 12, 20, 4
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")


def parse_json(text: str) -> object:
    """Parse JSON or JSON lines; ``None`` if the text is neither."""
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
    """Parse XML into a tree under its root's name; ``None`` if it is not XML. Truncated XML gives its readable part."""
    from lxml import etree  # noqa: PLC0415 - most files are no XML, and the library is a large one

    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, count=1).encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return None
    if root is None:  # pyright: ignore[reportUnnecessaryComparison]  # if recovery found no element
        return None
    return {_local(root): _tree_of_element(root)}


def fold_keys(mapping: Mapping[object, object]) -> DataTree:
    """Return a mapping with normalized keys: ``errorCode``, ``error_code`` and ``Error-Code`` become the same."""
    return {
        str(key).lower().replace("_", "").replace("-", "").replace(" ", ""): value for key, value in mapping.items()
    }


def unwrap(node: object) -> Iterator[DataTree]:
    """Yield a reply, then its content, as long as it only wraps a single value."""
    for _ in range(_WRAPPED_DEPTH):
        if not isinstance(node, Mapping):
            return
        fields = fold_keys(cast("Mapping[object, object]", node))
        yield fields
        names = _wrapped_names(fields)
        if len(names) != 1 or not is_wrapper(names[0]):
            return
        node = fields[names[0]]


def _wrapped_names(fields: DataTree) -> list[str]:
    """Return the names of the values that a reply has, without namespaces, empty values and its own id."""
    names = [name for name, value in fields.items() if not name.startswith("xmlns") and value not in _NOTHING]
    if _IDENTIFIED.isdisjoint(names):
        return names
    return [name for name in names if name not in _IDENTIFYING]


def is_wrapper(name: str) -> bool:
    """Whether a normalized name is that of an element or key that only wraps a reply."""
    return bool(_WRAPPERS.fullmatch(name))


def innermost(node: object) -> object:
    """Return the content of nested mappings that each have a single value."""
    for _ in range(_LEAVES_DEPTH):
        if not isinstance(node, Mapping):
            break
        values = list(cast("Mapping[object, object]", node).values())
        if len(values) != 1:
            return values
        node = values[0]
    return node


def is_data(node: object) -> bool:
    """Whether a tree has rows, or more values than a message."""
    return _has_rows(node, _ROWS_DEPTH) or _leaf_count(node, _LEAVES_DEPTH) >= _LEAVES_MIN


def _has_rows(node: object, depth: int) -> bool:
    if _is_list(node):
        rows = cast("Sequence[object]", node)
        return any(isinstance(row, Mapping) or _is_list(row) for row in rows) and bool(_leaf_count(rows, _LEAVES_DEPTH))
    if not isinstance(node, Mapping) or not depth:
        return False
    return any(_has_rows(value, depth - 1) for value in cast("Mapping[object, object]", node).values())


def _leaf_count(node: object, depth: int) -> int:
    """Return the number of values; a subtree beyond the depth limit counts as one."""
    if depth and isinstance(node, Mapping):
        return sum(_leaf_count(value, depth - 1) for value in cast("Mapping[object, object]", node).values())
    if depth and _is_list(node):
        return sum(_leaf_count(value, depth - 1) for value in cast("Sequence[object]", node))
    return int(node not in (None, ""))


def _is_list(node: object) -> bool:
    return isinstance(node, list)


def _tree_of_element(element: Element) -> object:
    children = [child for child in element if isinstance(child.tag, str)]
    text = " ".join((element.text or "").split())
    if not children and not element.attrib:
        return text
    fields: dict[str, object] = {str(name).rpartition("}")[2]: value for name, value in element.attrib.items()}
    for child in children:
        name, child_value = _local(child), _tree_of_element(child)
        if name not in fields:
            fields[name] = child_value
        elif isinstance(before := fields[name], list):
            cast("list[object]", before).append(child_value)
        else:
            fields[name] = [before, child_value]
    if text:
        fields["text"] = text
    return fields


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
