"""How a web page tells a spreadsheet program to show its cells: number formats, and what is hidden.

Programs that name a web page ``.xls`` put the format of a cell into its style, where browsers do not look: Excel shows
``0000123456`` where the page has ``123456``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from poolwright.intake.workbooks.cell import Cell, number_cell
from poolwright.intake.workbooks.parts import Element

_RULE = re.compile(r"\.([\w-]+)[^{}]*\{([^{}]*)\}")
_FORMAT = re.compile(r"mso-number-format\s*:\s*(\"[^\"]*\"|'[^']*'|[^;]*)", re.IGNORECASE)
#: A character by its number, or one that would mean something else in a style.
_ESCAPE = re.compile(r"\\(?:00([0-9A-F]{2})|(.))", re.IGNORECASE)
#: One with zeros in front, which a format could only take away, is left as it is seen.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:E[+-]?\d+)?", re.IGNORECASE)
_HIDDEN = re.compile(r"display:none|visibility:(?:collapse|hidden)|mso-ignore:display", re.IGNORECASE)
_STRIKE = re.compile(r"text-decoration[\w-]*\s*:[^;]*line-through", re.IGNORECASE)
_STRUCK = frozenset({"s", "strike", "del"})
#: Dates by their names; all other formats are written out.
_NAMED = {"Short Date": "yyyy-mm-dd", "Long Date": "yyyy-mm-dd", "Medium Date": "yyyy-mm-dd", "Text": "@"}


@dataclass(frozen=True, slots=True)
class Looks:
    """What the styles of a page say, by the names of their classes."""

    classes: dict[str, str]

    @classmethod
    def of(cls, page: Element) -> Looks:
        """The styles that stand in the page itself."""
        sheets = "".join(str(style.text or "") for style in page.iter("style"))
        return cls(dict(_RULE.findall(sheets)))

    def is_hidden(self, element: Element) -> bool:
        """Whether a browser leaves a row or cell out."""
        return element.get("hidden") is not None or bool(_HIDDEN.search(self._told(element).replace(" ", "")))

    def is_struck(self, element: Element) -> bool:
        """Whether a cell is crossed out, or digits in it are, by its style or by what they stand in."""
        if any(_STRIKE.search(self._told(one)) for one in (element, *element.iterancestors("tr"))):
            return True
        within = [_letters(one) for one in element.iterdescendants() if self.strikes(one)]
        return any(letters == _letters(element) or any(map(str.isdigit, letters)) for letters in within if letters)

    def strikes(self, element: Element) -> bool:
        """Whether an element itself crosses out what is in it."""
        return element.tag in _STRUCK or (isinstance(element.tag, str) and bool(_STRIKE.search(self._told(element))))

    def shown(self, text: str, element: Element) -> Cell:
        """A cell as a spreadsheet program shows it: a number by its format, all else as it stands."""
        value = str(element.get("x:num") or "").strip() or text
        found = _FORMAT.search(self._told(element))
        if (not found and value == text) or not _NUMBER.fullmatch(value):
            return Cell(text)
        code = _unescaped(found[1].strip().strip("\"'")) if found else ""
        return number_cell(float(value), _NAMED.get(code, code))

    def _told(self, element: Element) -> str:
        """The element's own style before those of its classes."""
        names = str(element.get("class") or "").split()
        return ";".join([str(element.get("style") or ""), *(self.classes.get(name, "") for name in names)])


def _letters(element: Element) -> str:
    return "".join("".join(map(str, element.itertext())).split())


def _unescaped(code: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], code)
