"""Reads styles of OOXML workbooks: number formats, and fonts and conditional formats that cross out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

from openpyxl.styles.numbers import BUILTIN_FORMATS

from poolwright.intake.workbooks.parts import Element, PackageParts, attribute, elements, local_name
from poolwright.intake.workbooks.sheet_rows import areas_of
from poolwright.intake.workbooks.strike_rules import (
    Condition,
    StrikeRule,
    by_comparison,
    by_formula,
    by_text,
    is_of_row,
)

GENERAL = "General"
#: Dates of eastern Asia, whose form depends on the language of the program.
_EASTERN_DATES = (*range(27, 37), *range(50, 59))
_BUILTIN = {**dict.fromkeys(_EASTERN_DATES, "yyyy/m/d"), **BUILTIN_FORMATS}


@dataclass(slots=True)
class Styles:
    """Number formats and crossed-out fonts by the number of a style."""

    codes: list[str] = field(default_factory=list[str])
    #: Whether each style has a font that crosses out.
    strikes: list[bool] = field(default_factory=list[bool])
    #: Numbers of the differential styles (of conditional formats) that cross out.
    struck_looks: frozenset[str] = frozenset()
    #: A cell has a style that does not exist.
    is_lacking: bool = False

    def code(self, style: str | None) -> str:
        """Return the number format of a cell by the number of its style."""
        code = self._code_of(style)
        if code is None:
            self.is_lacking = self.is_lacking or (style or "").strip() != "0"
        return code or GENERAL

    def text_code(self, style: str | None) -> str:
        """Return the number format of a cell of text, which loses no zeros if its style does not exist."""
        return self._code_of(style) or GENERAL

    def is_struck(self, style: str | None) -> bool:
        """Return whether a cell of this style is crossed out."""
        number = int(style) if style and style.isdigit() else 0
        return number < len(self.strikes) and self.strikes[number]

    def _code_of(self, style: str | None) -> str | None:
        if not style:
            return self.codes[0] if self.codes else GENERAL
        return self.codes[int(style)] if style.isdigit() and int(style) < len(self.codes) else None


def read_styles(parts: PackageParts, name: str) -> Styles:
    """Return the styles of a workbook; empty ones if it has no such part."""
    if name not in parts:
        return Styles()
    try:
        root = parts.root(name)
    except ValueError:
        return Styles()
    own = {attribute(element, "numFmtId"): attribute(element, "formatCode") for element in elements(root, "numfmt")}
    styles = list(_children(root, "cellxfs", "xf"))
    fonts = [any(map(is_strike, font)) for font in _children(root, "fonts", "font")]
    struck = {str(number) for number, is_struck in enumerate(fonts) if is_struck}
    named = list(_children(root, "cellstylexfs", "xf"))
    looks = enumerate(_children(root, "dxfs", "dxf"))
    return Styles(
        codes=[_code(attribute(style, "numFmtId"), own) for style in styles],
        strikes=[_is_struck(style, named, struck) for style in styles] if struck else [],
        struck_looks=frozenset(str(number) for number, look in looks if any(map(is_strike, look.iter("{*}strike")))),
    )


def _is_struck(style: Element, named: Sequence[Element], struck: Collection[str]) -> bool:
    """Return whether a style crosses out by its own font, or by that of the named style that it inherits."""
    font, of_named = attribute(style, "fontId").strip(), attribute(style, "xfId").strip()
    is_own = bool(font) and attribute(style, "applyFont").strip().casefold() not in {"0", "false"}
    if (font or "0") in struck or is_own or not of_named.isdecimal() or int(of_named) >= len(named):
        return (font or "0") in struck
    return (attribute(named[int(of_named)], "fontId").strip() or "0") in struck


def _children(root: Element, table: str, name: str) -> Iterator[Element]:
    for child in next(elements(root, table), ()):
        if isinstance(child.tag, str) and local_name(child).casefold() == name:
            yield child


def is_strike(look: Element) -> bool:
    """Return whether this is the element of a font that crosses out."""
    is_strike_element = isinstance(look.tag, str) and local_name(look).casefold() == "strike"
    return is_strike_element and attribute(look, "val").strip().casefold() not in {"0", "false"}


def _code(number: str, own: dict[str, str]) -> str:
    if number in own:
        return own[number]
    return _BUILTIN.get(int(number), GENERAL) if number.isdigit() else GENERAL


#: Operators by their names in the file format.
_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "equal": "=",
        "notEqual": "<>",
        "lessThan": "<",
        "greaterThan": ">",
        "lessThanOrEqual": "<=",
        "greaterThanOrEqual": ">=",
        "between": "between",
        "notBetween": "outside",
    }
)
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "containsText": "contains",
        "notContainsText": "lacks",
        "beginsWith": "begins",
        "endsWith": "ends",
        "containsBlanks": "blank",
        "notContainsBlanks": "filled",
    }
)


def strike_rules(formats: Element, struck_looks: AbstractSet[str]) -> Iterator[StrikeRule]:
    """Yield the rules of one block of conditional formats that cross out, also of an extension of Excel 2010.

    Args:
        formats: The block.
        struck_looks: The numbers of the differential styles that cross out.
    """
    area = attribute(formats, "sqref") or next((element.text or "" for element in formats.iterchildren("{*}sqref")), "")
    areas = tuple(areas_of(area))
    for rule in formats.iterchildren("{*}cfRule"):
        own = any(is_strike(look) for font in elements(rule, "font") for look in font)
        if own or attribute(rule, "dxfId").strip() in struck_looks:
            formulas = [element.text or "" for element in rule if _is_formula(element)]
            written = ", ".join(formulas) or attribute(rule, "type")
            is_row_rule = attribute(rule, "type") == "expression" and is_of_row(written)
            yield StrikeRule(areas=areas, condition=_condition(rule, formulas), written=written, is_of_row=is_row_rule)


def _condition(rule: Element, formulas: list[str]) -> Condition | None:
    kind = attribute(rule, "type")
    if kind == "expression" and len(formulas) == 1:
        return by_formula(formulas[0])
    if kind == "cellIs":
        return by_comparison(_SIGNS.get(attribute(rule, "operator"), ""), formulas)
    words = attribute(rule, "text")
    return by_text(_TEXTS.get(kind, ""), words) if words or kind.endswith("Blanks") else None


def _is_formula(element: Element) -> bool:
    return isinstance(element.tag, str) and local_name(element) in {"formula", "f"}
