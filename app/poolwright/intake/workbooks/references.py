"""Names of cells and areas, as sheets write them: ``B7``, ``$A$2:C9``, ``Orders.A2:Orders.C9``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from poolwright.intake.budget import COLUMNS_MAX
from poolwright.intake.workbooks.sheet_rows import Area

REFERENCE = re.compile(r"\$?([A-Z]{1,9})\$?(\d+)", re.IGNORECASE)
#: What a name of OpenDocument begins with: the sheet, in quotes where it has to be.
_SHEET = re.compile(r"\$?(?:'(?:[^']|'')*'|[^\s.':]+)?\.(?=\$?[A-Z]+\$?\d)", re.IGNORECASE)


def area_of(text: str) -> Area | None:
    """The area of this name; nothing where it is none."""
    ends = [REFERENCE.fullmatch(end) for end in text.split(":")]
    first, last = ends[0], ends[-1]
    if not first or not last:
        return None
    return Area(top=int(first[2]), bottom=int(last[2]), left=column_of(first[1]), right=column_of(last[1]))


def areas_of(text: str) -> Iterator[Area]:
    """All areas in a list of names."""
    for name in _SHEET.sub("", text).split():
        area = area_of(name)
        if area is not None:
            yield area


@lru_cache(maxsize=COLUMNS_MAX)
def column_of(letters: str) -> int:
    """27 for ``AB``."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
