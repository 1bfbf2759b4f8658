"""The number formats of a workbook's cells, and which are crossed out; no other looks are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from openpyxl.styles.numbers import BUILTIN_FORMATS

from app.intake.workbooks.parts import Element, Parts, attribute, elements, local_name

GENERAL = "General"
#: Dates of eastern Asia; which form they take depends on the language of the program.
_EASTERN_DATES = (*range(27, 37), *range(50, 59))
_BUILTIN = {**dict.fromkeys(_EASTERN_DATES, "yyyy/m/d"), **BUILTIN_FORMATS}


@dataclass(slots=True)
class Styles:
    """Which number format each style has."""

    codes: list[str] = field(default_factory=list[str])
    #: Whether each style has a font that crosses out.
    strikes: list[bool] = field(default_factory=list[bool])
    #: A cell asked for a style that is not there.
    is_lacking: bool = False

    def code(self, style: str | None) -> str:
        """The number format of a cell by the number of its style."""
        code = self._code_of(style)
        if code is None:
            self.is_lacking = self.is_lacking or (style or "").strip() != "0"
        return code or GENERAL

    def text_code(self, style: str | None) -> str:
        """The same for a cell of text, which loses no zeros where the style is not there."""
        return self._code_of(style) or GENERAL

    def is_struck(self, style: str | None) -> bool:
        """Whether a cell of this style is crossed out."""
        number = int(style) if style and style.isdigit() else 0
        return number < len(self.strikes) and self.strikes[number]

    def _code_of(self, style: str | None) -> str | None:
        if not style:
            return self.codes[0] if self.codes else GENERAL
        return self.codes[int(style)] if style.isdigit() and int(style) < len(self.codes) else None


def read_styles(parts: Parts, name: str) -> Styles:
    """The styles of a workbook; none where it has no such part."""
    if name not in parts:
        return Styles()
    try:
        root = parts.root(name)
    except ValueError:
        return Styles()
    own = {attribute(found, "numFmtId"): attribute(found, "formatCode") for found in elements(root, "numfmt")}
    styles = list(_children(root, "cellxfs", "xf"))
    fonts = [any(map(_is_strike, font)) for font in _children(root, "fonts", "font")]
    struck = {str(number) for number, is_struck in enumerate(fonts) if is_struck}
    return Styles(
        codes=[_code(attribute(style, "numFmtId"), own) for style in styles],
        strikes=[attribute(style, "fontId").strip() in struck for style in styles] if struck else [],
    )


def _children(root: Element, table: str, name: str) -> Iterator[Element]:
    for child in next(elements(root, table), ()):
        if isinstance(child.tag, str) and local_name(child).casefold() == name:
            yield child


def _is_strike(look: Element) -> bool:
    is_strike = isinstance(look.tag, str) and local_name(look).casefold() == "strike"
    return is_strike and attribute(look, "val").strip().casefold() not in {"0", "false"}


def _code(number: str, own: dict[str, str]) -> str:
    if number in own:
        return own[number]
    return _BUILTIN.get(int(number), GENERAL) if number.isdigit() else GENERAL
