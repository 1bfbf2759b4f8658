"""Compares the size of a file with the one that a portal states for people, such as ``12.3 KB``. Pure.

Such a size is rounded, in units of 1000 or 1024 bytes, in the way of any language. So each reading of it is a range,
and a file is of another size only if no reading fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: The powers of 1000 or 1024 of a unit, by its first letter.
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_NUMBER = r"\d{1,15}(?:[ \u00a0\u202f.,'\u2019]\d{1,9}){0,5}"
_UNIT = r"(?:kilo|mega|giga|tera)?(?:bytes?|octets?|oktett|bajt\w{0,3})|[kmgt]i?[bo]|[kmgt]|b|o"
_SIZE = re.compile(rf"(?<![\w.,]){_NUMBER}\s?(?:{_UNIT})(?!\w)", re.IGNORECASE)
_PARTS = re.compile(rf"({_NUMBER})\s?({_UNIT})?", re.IGNORECASE)
#: At the end of a text, or in brackets there; only with a unit, since any other number may mean anything.
_AT_END = re.compile(rf"(?<![\w.,-])({_NUMBER}\s?(?:[kmgt]i?[bo]|bytes?))\s?[)\]]?\s*$", re.IGNORECASE)
_MARKS = re.compile(r"[ \u00a0\u202f'\u2019]")
#: Digits in a group between marks.
_GROUP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSize:
    """A size that a portal states for a file."""

    #: As the portal writes it.
    text: str
    #: The lowest and the highest number of bytes of each reading.
    ranges: tuple[tuple[int, int], ...]

    def fits(self, size_bytes: int) -> bool:
        """Return whether a file of this size can be meant."""
        return any(low <= size_bytes <= high for low, high in self.ranges)

    def problem(self, label: str, size_bytes: int) -> str:
        """Return the sentence that a file has another size; empty if it fits."""
        if self.fits(size_bytes):
            return ""
        return f"{label or 'The file'} has {size_bytes:,} bytes, but the portal states {self.text}."


def parse_size(text: str) -> StatedSize | None:
    """Return the one size that a text states; ``None`` if it states none or several.

    A number without a unit is in bytes, if it is the whole text.
    """
    found = {match[0].strip() for match in _SIZE.finditer(text)} or {text.strip()}
    return _size_of(found.pop()) if len(found) == 1 else None


def size_at_end(text: str) -> StatedSize | None:
    """Return the size with a unit at the end of a line of text, as ``Offer.pdf (12 KB)`` has; ``None`` without one."""
    sizes = [match[1] for line in text.splitlines() if (match := _AT_END.search(line.strip()))]
    return _size_of(sizes[0]) if len(sizes) == 1 else None


def _size_of(text: str) -> StatedSize | None:
    parts = _PARTS.fullmatch(text)
    ranges = tuple(_ranges(parts[1], (parts[2] or "").lower())) if parts else ()
    return StatedSize(text=" ".join(text.split()), ranges=ranges) if ranges else None


def _ranges(number: str, unit: str) -> Iterator[tuple[int, int]]:
    power = _POWERS.get(unit[:1], 0)
    for whole, fraction in _readings(_MARKS.sub("", number) if _is_grouped(number) else number):
        if power == 0:
            if not fraction.strip("0"):
                yield int(whole), int(whole)
            continue
        # Rounded to the nearest, up or down: within one unit of the last digit.
        scaled, step = int(whole + fraction), 10 ** len(fraction)
        yield max(0, (scaled - 1) * 1000**power // step), -(-(scaled + 1) * 1024**power // step)


def _is_grouped(number: str) -> bool:
    """Return whether blanks or apostrophes of a number are between groups of three digits."""
    groups = _MARKS.split(number.replace(",", ".").partition(".")[0])
    return all(len(group) == _GROUP for group in groups[1:])


def _readings(number: str) -> Iterator[tuple[str, str]]:
    """Yield the digits before and behind the decimal mark, for each way in which a number can be read."""
    groups = re.split(r"[.,]", number)
    if not number.replace(".", "").replace(",", "").isdecimal():
        return
    if len(groups) == 1:
        yield number, ""
        return
    has_one_mark = len({char for char in number if not char.isdecimal()}) == 1
    if has_one_mark and all(len(group) == _GROUP for group in groups[1:]) and len(groups[0]) <= _GROUP:
        yield "".join(groups), ""
    if all(len(group) == _GROUP for group in groups[1:-1]) and (len(groups) == 2 or not has_one_mark):  # noqa: PLR2004
        yield "".join(groups[:-1]), groups[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeCheck:
    """What the size of a file tells."""

    #: The reason to refuse the file; empty if its size is right, or if none is stated.
    problem: str = ""
    #: What a person should check in a file that is accepted.
    note: str = ""


def check_size(place: str, texts: Iterable[str], label: str, size_bytes: int) -> SizeCheck:
    """Return whether a file has the size that the portal states for it.

    Args:
        place: What the place for sizes states, which is believed; empty if there is none.
        texts: Other texts of the file's link; a size at the end of one gives only a note.
        label: The name of the file, for the sentence.
        size_bytes: The size of the file.
    """
    if place and (stated := parse_size(place)) is not None:
        return SizeCheck(problem=stated.problem(label, size_bytes))
    found = [size for text in texts if (size := size_at_end(text)) is not None]
    problem = found[0].problem(label, size_bytes) if found else ""
    return SizeCheck(note=f"{problem.removesuffix('.')}: check whether it is the file." if problem else "")
