"""The template of an order's folder, such as ``{supplier}/{number}``: checked once, then filled in for each order."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Self

from poolwright.domain.errors import OptionsError
from poolwright.domain.tasks import POTask, Report
from poolwright.files.names import safe_folder

DEFAULT_TEMPLATE = "{supplier}/{number}"
#: The default for portals whose pages show no supplier.
_TEMPLATE_WITHOUT_SUPPLIER = "{number}"
#: Fields that every order has, whatever its page shows.
OWN_FIELDS = ("number", "portal_number", "outcome", "year", "month", "day")
#: The text for an empty field, alone or beside other text.
_UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class LiteralText:
    """Literal text of the template."""

    text: str


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A field of the template, which each order fills in."""

    name: str


PatternPart = LiteralText | Placeholder


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTemplate:
    """The levels of folders below the output folder, the order's own folder last."""

    levels: tuple[tuple[PatternPart, ...], ...]

    @classmethod
    def parse(cls, text: str, known_fields: Collection[str] | None = None) -> Self:
        """Parse a template: levels between ``/``, fields in braces.

        Args:
            text: The template.
            known_fields: The fields of this portal's pages; without it any field is accepted.

        Raises:
            OptionsError: The template is not valid, leads out of the output folder, or has an unknown field.
        """
        if not text.strip():
            raise OptionsError(f"The folder template is empty. The default is {DEFAULT_TEMPLATE}.")
        if "\\" in text or text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
            raise OptionsError(
                f"The folder template {text!r} must be relative to the output folder and use / between its levels."
            )
        levels = _split_levels(_pieces(text))
        _check_levels(text, levels)
        _check_fields(text, levels, known_fields)
        return cls(levels=levels)

    def render(self, task: POTask, report: Report, at: datetime) -> tuple[str, ...]:
        """Return the folder levels for one order, each a safe name; ``at`` is the time of filing, aware UTC."""
        values = {
            **report.fields,
            "number": task.po_number,
            "portal_number": task.portal_number,
            "outcome": report.outcome.value,
            "year": f"{at:%Y}",
            "month": f"{at:%m}",
            "day": f"{at:%d}",
        }
        return tuple(safe_folder("".join(_text(piece, values) for piece in level)) for level in self.levels)


def default_template(known_fields: Collection[str]) -> str:
    """Return the default template for a portal with these fields on its pages."""
    return DEFAULT_TEMPLATE if "supplier" in known_fields else _TEMPLATE_WITHOUT_SUPPLIER


def _pieces(text: str) -> list[PatternPart]:
    parts: list[PatternPart] = []
    try:
        for words, name, form, conversion in string.Formatter().parse(text):
            if words:
                parts.append(LiteralText(words))
            if name is None:
                continue
            if not name.strip() or form or conversion:
                raise OptionsError(f"The folder template {text!r} must have a plain field name in each pair of braces.")
            parts.append(Placeholder(name.strip()))
    except ValueError as error:
        if isinstance(error, OptionsError):
            raise
        raise OptionsError(
            f"The folder template {text!r} has an unmatched brace; fields look like {{number}}."
        ) from error
    return parts


def _split_levels(pieces: list[PatternPart]) -> tuple[tuple[PatternPart, ...], ...]:
    levels: list[list[PatternPart]] = [[]]
    for piece in pieces:
        match piece:
            case LiteralText(text=text):
                first, *others = ([LiteralText(part)] if part else [] for part in text.split("/"))
                levels[-1].extend(first)
                levels.extend(list[PatternPart](other) for other in others)
            case Placeholder():
                levels[-1].append(piece)
    return tuple(tuple(level) for level in levels)


def _check_levels(text: str, levels: tuple[tuple[PatternPart, ...], ...]) -> None:
    for level in levels:
        text_of_level = "".join(piece.text for piece in level if isinstance(piece, LiteralText))
        has_field = any(isinstance(piece, Placeholder) for piece in level)
        if not has_field and not text_of_level.strip(" ."):
            raise OptionsError(f"The folder template {text!r} has a level that is empty or consists of dots.")


def _check_fields(text: str, levels: tuple[tuple[PatternPart, ...], ...], known_fields: Collection[str] | None) -> None:
    if known_fields is None:
        return
    allowed = {*OWN_FIELDS, *known_fields}
    for piece in chain.from_iterable(levels):
        if isinstance(piece, Placeholder) and piece.name not in allowed:
            raise OptionsError(
                f"The folder template {text!r} uses the unknown field {{{piece.name}}};"
                f" known fields: {', '.join(sorted(allowed))}."
            )


def _text(piece: PatternPart, values: Mapping[str, str]) -> str:
    match piece:
        case LiteralText(text=text):
            return text
        case Placeholder(name=name):
            return values.get(name, "").strip() or _UNKNOWN
