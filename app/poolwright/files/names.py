"""Safe names for files and folders, which every system accepts and which never lead out of their folder.

Pure text work, shared with the worker, which names a file when it saves it. What a portal calls a file is kept apart
as its label; nothing here looks at a disk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count

from pathvalidate import Platform, is_valid_filename, sanitize_filename
from pathvalidate.handler import ReservedNameHandler

from poolwright.files.file_format import ending_of, format_of

#: NAME_MAX is 255 bytes and Windows counts the whole path; this leaves room for folders and " (2)" (profiles rule 25).
FILE_NAME_MAX_BYTES = 150
#: Several levels of folders stand above a file.
FOLDER_NAME_MAX_BYTES = 80
#: Folder within that of an order, for earlier files that the portal changed or withdrew.
SUPERSEDED_NAME = "superseded"
#: Names within an order's folder that are not the portal's to give: pass them to ``unique_name`` as taken.
RESERVED_NAMES = frozenset({"manifest.json", SUPERSEDED_NAME})
#: Where a worker puts what it fetched for one order, within its staging folder: attachments, and traces of a failure.
STAGED_FILES, STAGED_EVIDENCE = "files", "evidence"

_NAMELESS_FILE = "file"
_NAMELESS_FOLDER = "Unknown"
#: Control and format characters (they can turn text round, so that ``exe`` reads as ``pdf``) and lone surrogates.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_EXTENSION = re.compile(r"(?:\.tar)?\.\w{1,12}$", re.IGNORECASE)
#: What may be an ending that is not in the table: letters, and no words.
_LIKE_ENDING = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9_~-]{1,10}$")
#: Many kinds of files are packed or written so; the portal's ending knows better which this is.
_PLAIN_TEXT = "text/plain"
_VAGUE_TYPES = frozenset({_PLAIN_TEXT, "application/zip", "application/xml", "application/json"})
#: Windows consoles; the other device names are known to the library.
_MORE_DEVICES = ("CONIN$", "CONOUT$")


def safe_name(label: str) -> str:
    """The file name for what a portal calls ``label``: its last path part, at most 150 bytes of UTF-8.

    Legal on Linux, macOS and Windows, never hidden, never empty, the extension kept; safe names stay as they are.
    """
    parts = [part for part in re.split(r"[/\\]", _visible(label)) if part.strip(" .")]
    return _legal(parts[-1], FILE_NAME_MAX_BYTES) if parts else _NAMELESS_FILE


def safe_folder(text: str) -> str:
    """One folder level for ``text``, at most 80 bytes of UTF-8; ``Unknown`` when nothing readable is left."""
    visible = _visible(text)
    return _legal(visible, FOLDER_NAME_MAX_BYTES) if visible.strip(" .") else _NAMELESS_FOLDER


def has_ending(name: str) -> bool:
    """Whether a name ends as files do: with a dot and an ending that is known."""
    return format_of(name) is not None


def with_ending(name: str, media_type: str, *, is_given: bool = False) -> str:
    """``name`` with the ending of its content, where it has none; a dot alone makes no ending.

    Args:
        name: A safe name.
        media_type: What the file holds.
        is_given: Whether it is the portal's own name for the file and not a text on a page: then letters behind a dot
            are an ending too when nobody knows them, and a text file may have none.
    """
    wanted = ending_of(media_type)
    if not wanted or has_ending(name):
        return name
    looks_ended = bool(_LIKE_ENDING.search(name, 1))
    if looks_ended and (is_given or media_type in _VAGUE_TYPES):
        return name
    return name if is_given and media_type == _PLAIN_TEXT and "." not in name else f"{name}.{wanted}"


def unique_name(name: str, taken: Iterable[str]) -> str:
    """``name``, or ``name (2).ext`` and so on when one that a file system takes for the same is in ``taken``."""
    keys = {name_key(other) for other in taken}
    return next(variant for variant in _file_variants(name) if name_key(variant) not in keys)


class UniqueNames:
    """Names within one folder, given out one by one; each costs the same, however many there are."""

    def __init__(self, taken: Iterable[str] = RESERVED_NAMES) -> None:
        """Begin with the names that are not to be given."""
        self._keys = {name_key(name) for name in taken}
        #: The number with which to go on, by the key of the name that was wanted.
        self._numbers: dict[str, int] = {}

    def allocate(self, name: str) -> str:
        """``name``, or ``name (2).ext`` and so on, as ``unique_name`` has it."""
        key = name_key(name)
        if key not in self._keys:
            self._keys.add(key)
            return name
        numbered = ((number, _numbered(name, number)) for number in count(self._numbers.get(key, 2)))
        number, variant = next(found for found in numbered if name_key(found[1]) not in self._keys)
        self._keys.add(name_key(variant))
        self._numbers[key] = number + 1
        return variant


def folder_variants(name: str) -> Iterator[str]:
    """``name``, ``name (2)``, ``name (3)`` ... for orders whose folder names fall together."""
    yield name
    yield from (f"{name} ({number})" for number in count(2))


def name_key(name: str) -> str:
    """Equal for names that some file system takes for one: case and Unicode composition don't count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def well_formed(text: str) -> str:
    """``text`` with a question mark for each lone surrogate: scripts can make them, UTF-8 can't hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _visible(text: str) -> str:
    """Composed text on one line, without characters that nobody sees."""
    kept = (char for char in text if char.isspace() or unicodedata.category(char) not in _UNSEEN_CATEGORIES)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _legal(visible: str, limit_bytes: int) -> str:
    """A name that every system takes, of visible text with at least one character that is neither dot nor space."""
    text = _clip(re.sub(r" +\.", ".", visible).strip(" ."), limit_bytes)
    # The library would put its mark behind every repetition of a device name; here it stands behind the first alone.
    legal = sanitize_filename(
        text, replacement_text="_", platform=Platform.UNIVERSAL, reserved_name_handler=ReservedNameHandler.as_is
    )
    root, dot, rest = legal.partition(".")
    is_device = not is_valid_filename(root, platform=Platform.UNIVERSAL, additional_reserved_names=_MORE_DEVICES)
    return _clip(f"{root}_{dot}{rest}" if is_device else legal, limit_bytes)


def _file_variants(name: str) -> Iterator[str]:
    yield name
    yield from (_numbered(name, number) for number in count(2))


def _numbered(name: str, number: int) -> str:
    stem, extension = _split(name)
    ending = f" ({number}){extension}"
    return _cut(stem, FILE_NAME_MAX_BYTES - len(ending.encode())) + ending


def _clip(name: str, limit_bytes: int) -> str:
    """Shorten the stem, never the extension."""
    if len(name.encode()) <= limit_bytes:
        return name
    stem, extension = _split(name)
    return _cut(stem, limit_bytes - len(extension.encode())) + extension


def _split(name: str) -> tuple[str, str]:
    found = _EXTENSION.search(name, 1)
    return (name[: found.start()], found[0]) if found else (name, "")


def _cut(stem: str, limit_bytes: int) -> str:
    return stem.encode()[:limit_bytes].decode(errors="ignore").rstrip(" .")
