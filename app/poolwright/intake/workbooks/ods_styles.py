"""Reads the styles of an OpenDocument workbook that cross out, and the conditional formats that do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

from poolwright.intake.workbooks.parts import Element, PackageParts, attribute, local_name
from poolwright.intake.workbooks.sheet_rows import areas_of
from poolwright.intake.workbooks.strike_rules import (
    Condition,
    StrikeRule,
    by_comparison,
    by_formula,
    by_text,
    is_of_row,
)

#: The part with named styles; the content has further ones.
STYLES = "styles.xml"
#: Styles of other things may have the same names.
_FAMILIES = frozenset({"", "table-cell", "paragraph", "text"})
_COMPARED = re.compile(r"(?:cell-content\(\))?\s*(!=|<>|<=|>=|=|<|>)\s*(.+)", re.DOTALL)
_BETWEEN = re.compile(r"(?:cell-content-is-)?(not-)?between\((.+),(.+)\)", re.DOTALL)
_FORMULA = re.compile(r"(?:formula-is|is-true-formula)\((.+)\)", re.DOTALL)
_TEXT = re.compile(r"(contains|not-contains|begins-with|ends-with)(?:-text)?\(\"(.*)\"\)", re.DOTALL)
_TEXTS: Mapping[str, str] = MappingProxyType(
    {"contains": "contains", "not-contains": "lacks", "begins-with": "begins", "ends-with": "ends"}
)


@dataclass(slots=True)
class StruckStyles:
    """The styles that cross out, by themselves or through their parent style."""

    _explicit: dict[str, bool] = field(default_factory=dict[str, bool])
    _parents: dict[str, str] = field(default_factory=dict[str, str])
    #: Styles with rules of their own, and the style that each rule gives.
    _maps: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])

    def add(self, style: Element) -> None:
        """Add a style."""
        name = attribute(style, "name")
        if attribute(style, "family") not in _FAMILIES or not name:
            return
        self._parents[name] = attribute(style, "parent-style-name")
        for look in style:
            match local_name(look) if isinstance(look.tag, str) else "":
                case "text-properties" if (is_line_through := _is_line_through(look)) is not None:
                    self._explicit[name] = is_line_through
                case "map":
                    rule = attribute(look, "condition"), attribute(look, "apply-style-name")
                    self._maps.setdefault(name, []).append(rule)
                case _:
                    pass

    def names(self) -> frozenset[str]:
        """Return the names of all styles that cross out."""
        return frozenset(name for name in self._parents if self._is_struck(name))

    def rules(self) -> list[StrikeRule]:
        """Return the conditional rules of styles that cross out; their areas are not known."""
        return [
            StrikeRule(areas=(), written=condition)
            for rules in self._maps.values()
            for condition, style in rules
            if self._is_struck(style)
        ]

    def _is_struck(self, name: str) -> bool:
        seen: set[str] = set()
        while name and name not in self._explicit and name not in seen:
            seen.add(name)
            name = self._parents.get(name, "")
        return self._explicit.get(name, False)


def add_named_styles(parts: PackageParts, styles: StruckStyles) -> None:
    """Add the named styles, which have a part of their own."""
    if STYLES not in parts:
        return
    for _, style in parts.walk(STYLES, ["{*}style"]):
        styles.add(style)


def strike_rules(block: Element, struck: AbstractSet[str]) -> Iterator[StrikeRule]:
    """Yield the rules of one conditional format that cross out."""
    areas = tuple(areas_of(attribute(block, "target-range-address")))
    for rule in block:
        if isinstance(rule.tag, str) and attribute(rule, "apply-style-name") in struck:
            written = attribute(rule, "value")
            formula = _FORMULA.fullmatch(written)
            is_row_rule = formula is not None and is_of_row(formula[1])
            yield StrikeRule(areas=areas, condition=_condition(written), written=written, is_of_row=is_row_rule)


def _condition(written: str) -> Condition | None:
    if match := _FORMULA.fullmatch(written):
        return by_formula(match[1])
    if match := _TEXT.fullmatch(written):
        return by_text(_TEXTS[match[1]], match[2].replace('""', '"'))
    if match := _BETWEEN.fullmatch(written):
        return by_comparison("outside" if match[1] else "between", [match[2], match[3]])
    if match := _COMPARED.fullmatch(written):
        return by_comparison("<>" if match[1] == "!=" else match[1], [match[2]])
    return None


def _is_line_through(look: Element) -> bool | None:
    """Return whether letters are crossed out; ``None`` if the style does not define it."""
    lines = [line for what in ("style", "type") if (line := attribute(look, f"text-line-through-{what}"))]
    return any(line != "none" for line in lines) if lines else None
