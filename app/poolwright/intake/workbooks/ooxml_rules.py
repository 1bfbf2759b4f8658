"""The rules of a sheet of Excel since 2007 that cross cells out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from poolwright.intake.workbooks.parts import Element, attribute, elements, local_name
from poolwright.intake.workbooks.references import areas_of
from poolwright.intake.workbooks.strike_rules import (
    Condition,
    StrikeRule,
    by_comparison,
    by_formula,
    by_text,
    is_of_row,
)
from poolwright.intake.workbooks.styles import is_strike

#: Words of the file format.
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
    """Those of one block of conditional formats, also of one in the words of Excel 2010.

    Args:
        formats: The block.
        struck_looks: The numbers of the looks that cross out.
    """
    area = attribute(formats, "sqref") or next((found.text or "" for found in formats.iterchildren("{*}sqref")), "")
    areas = tuple(areas_of(area))
    for rule in formats.iterchildren("{*}cfRule"):
        own = any(is_strike(look) for font in elements(rule, "font") for look in font)
        if own or attribute(rule, "dxfId").strip() in struck_looks:
            formulas = [found.text or "" for found in rule if _is_formula(found)]
            written = ", ".join(formulas) or attribute(rule, "type")
            is_one = attribute(rule, "type") == "expression" and is_of_row(written)
            yield StrikeRule(areas=areas, condition=_condition(rule, formulas), written=written, is_of_row=is_one)


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
