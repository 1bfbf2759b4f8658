"""Safe names for files and folders, which every system accepts and which never lead out of their folder.

Pure functions on text, shared with the worker, which names a file when it saves it. The portal's own name for a file is
kept as its label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count

from pathvalidate import Platform, is_valid_filename, sanitize_filename
from pathvalidate.handler import ReservedNameHandler

from poolwright.files.file_format import ending_of, format_of

#: NAME_MAX is 255 bytes and Windows limits the whole path; this leaves room for folders and " (2)" (profiles rule 25).
FILE_NAME_MAX_BYTES = 150
#: A file may be below several levels of folders.
FOLDER_NAME_MAX_BYTES = 80
#: All levels together: Windows allows 260 characters with the path before them and a file's name behind them.
FOLDERS_MAX_BYTES = 160
#: A level is not made shorter than this, however many there are.
_SHORTENED_MIN_BYTES = 16
#: Folder within an order's folder, for earlier files that the portal changed or withdrew.
SUPERSEDED_NAME = "superseded"
#: Names in an order's folder that no attachment may have: pass them to ``unique_name`` as taken.
RESERVED_NAMES = frozenset({"manifest.json", SUPERSEDED_NAME})
#: Folders within the staging folder of an attempt: for attachments, and for evidence of a failure.
STAGED_FILES, STAGED_EVIDENCE = "files", "evidence"

_NAMELESS_FILE = "file"
_NAMELESS_FOLDER = "Unknown"
#: Control and format characters (they can reverse text, so that ``exe`` reads as ``pdf``) and lone surrogates.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_EXTENSION = re.compile(r"(?:\.tar)?\.\w{1,12}$", re.IGNORECASE)
#: An ending that is not in the table: one short word with a letter.
_LIKE_ENDING = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9_~-]{1,10}$")
#: Types that contain many file formats: the ending in the portal's name is more precise.
_PLAIN_TEXT = "text/plain"
_VAGUE_TYPES = frozenset({_PLAIN_TEXT, "application/zip", "application/xml", "application/json"})
#: Windows consoles; the library has the other device names.
_MORE_DEVICES = ("CONIN$", "CONOUT$")


def safe_name(label: str) -> str:
    """Return the file name for a portal's ``label``: its last path part, at most 150 bytes of UTF-8.

    Valid on Linux, macOS and Windows, never hidden, never empty, with its extension; safe names stay unchanged.
    """
    parts = [part for part in re.split(r"[/\\]", _visible(label)) if part.strip(" .")]
    return _legal(parts[-1], FILE_NAME_MAX_BYTES) if parts else _NAMELESS_FILE


def safe_folder(text: str, limit_bytes: int = FOLDER_NAME_MAX_BYTES) -> str:
    """Return a folder name for ``text``, at most 80 bytes of UTF-8; ``Unknown`` if no readable character is left."""
    visible = _visible(text)
    return _legal(visible, min(limit_bytes, FOLDER_NAME_MAX_BYTES)) if visible.strip(" .") else _NAMELESS_FOLDER


def safe_folders(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of nested folders. If they are too long together for Windows, the longest ones are shortened."""
    levels = list(texts)
    names = tuple(map(safe_folder, levels))
    limit_bytes = FOLDER_NAME_MAX_BYTES
    while sum(len(name.encode()) for name in names) > FOLDERS_MAX_BYTES and limit_bytes > _SHORTENED_MIN_BYTES:
        limit_bytes -= 1
        names = tuple(safe_folder(text, limit_bytes) for text in levels)
    return names


def has_ending(name: str) -> bool:
    """Whether a name has a dot and a known ending."""
    return format_of(name) is not None


def with_ending(name: str, media_type: str, *, is_given: bool = False) -> str:
    """Return ``name`` with the ending of its content, if it has none; a dot alone makes no ending.

    Args:
        name: A safe name.
        media_type: The media type of the content.
        is_given: Whether it is the portal's own name for the file and not a text on a page: then unknown letters behind
            a dot are an ending too, and a text file may have none.
    """
    wanted = ending_of(media_type)
    if not wanted or has_ending(name):
        return name
    looks_ended = bool(_LIKE_ENDING.search(name, 1))
    if looks_ended and (is_given or media_type in _VAGUE_TYPES):
        return name
    return name if is_given and media_type == _PLAIN_TEXT and "." not in name else f"{name}.{wanted}"


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, or ``name (2).ext`` and so on if ``taken`` has a name that a file system treats as the same."""
    keys = {name_key(other) for other in taken}
    return next(variant for variant in _file_variants(name) if name_key(variant) not in keys)


class UniqueNames:
    """Allocates unique names within one folder, in constant time for each."""

    def __init__(self, taken: Iterable[str] = RESERVED_NAMES) -> None:
        """Start with the names that are taken."""
        self._keys = {name_key(name) for name in taken}
        #: The next number to try, by the key of the requested name.
        self._numbers: dict[str, int] = {}

    def allocate(self, name: str) -> str:
        """Return ``name``, or ``name (2).ext`` and so on, like ``unique_name``, and mark it as taken."""
        key = name_key(name)
        if key not in self._keys:
            self._keys.add(key)
            return name
        numbered = ((number, _numbered(name, number)) for number in count(self._numbers.get(key, 2)))
        number, variant = next(pair for pair in numbered if name_key(pair[1]) not in self._keys)
        self._keys.add(name_key(variant))
        self._numbers[key] = number + 1
        return variant


def folder_variants(name: str) -> Iterator[str]:
    """Yield ``name``, ``name (2)``, ``name (3)`` ... for orders with the same folder name."""
    yield name
    yield from (f"{name} ({number})" for number in count(2))


def name_key(name: str) -> str:
    """Return a key that is equal for names that a file system may treat as the same, by case or composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def well_formed(text: str) -> str:
    """Return ``text`` with a question mark for each lone surrogate: scripts can make them, UTF-8 cannot encode them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _visible(text: str) -> str:
    """Return composed text on one line, without invisible characters."""
    visible = (char for char in text if char.isspace() or unicodedata.category(char) not in _UNSEEN_CATEGORIES)
    return unicodedata.normalize("NFC", " ".join("".join(visible).split()))


def _legal(visible: str, limit_bytes: int) -> str:
    """Return a name that every system accepts, from visible text with a character other than dot and space."""
    text = _clip(re.sub(r" +\.", ".", visible).strip(" ."), limit_bytes)
    # The library would put its mark behind every repetition of a device name; here only the first one gets it.
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
    extension = _EXTENSION.search(name, 1)
    return (name[: extension.start()], extension[0]) if extension else (name, "")


def _cut(stem: str, limit_bytes: int) -> str:
    return stem.encode()[:limit_bytes].decode(errors="ignore").rstrip(" .")
