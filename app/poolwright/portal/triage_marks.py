"""Defines the marks by which pages are told apart: the tables ``[triage.…]`` of a portal pack.

One verdict may have several tables; one that matches is enough. A table matches if one of its own marks is there, every
table of ``all`` matches, and none of ``not`` does.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from poolwright.portal.pack_schema import AddressPattern, Mark, PackTable, Selector


class PageKind(StrEnum):
    """The kinds of pages that are judged by marks."""

    #: The page of an order.
    ORDER = "order"
    #: The probe page, and the pages of a login.
    PROBE = "probe"
    #: A page that came in place of a file.
    FILE = "file"
    #: A further page with files of an order, such as that of its requisition.
    SOURCE = "source"


def _filled(kinds: tuple[PageKind, ...]) -> tuple[PageKind, ...]:
    if not kinds:
        msg = "it must hold at least one"
        raise ValueError(msg)
    return kinds


class ResponseMark(PackTable):
    """A response that a page's scripts got, such as a session error that is sent as JSON with status 200."""

    #: Regular expression, searched in path and query of the request.
    address: AddressPattern
    #: Statuses; if empty, 200 to 299.
    status: tuple[int, ...] = ()
    #: The place of a value in the JSON: keys joined by dots; a number is a place in a list, ``*`` is any place or key.
    field: Mark | None = None
    #: Values, compared as texts without case; if empty, any value but null and false.
    values: tuple[bool | int | float | str, ...] = ()

    @model_validator(mode="after")
    def _has_field(self) -> ResponseMark:
        if self.values and self.field is None:
            msg = "values needs field: the place of the value in the JSON"
            raise ValueError(msg)
        return self


class MarkSet(PackTable):
    """Marks of which one is enough."""

    #: Regular expressions, searched in path and query of the final address; also in the fragment if the portal has
    #: routes (``Pack.is_hash_routed``).
    address: tuple[AddressPattern, ...] = ()
    status: tuple[int, ...] = ()
    selector: tuple[Selector, ...] = ()
    #: Texts that are searched in the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()
    #: Texts that are searched in the page's dialogs (``alert``, ``confirm``).
    dialog: tuple[Mark, ...] = ()
    response: tuple[ResponseMark, ...] = ()

    @property
    def has_marks(self) -> bool:
        """Whether it has any mark."""
        return self.has_visible_marks or bool(self.address or self.status or self.dialog or self.response)

    @property
    def has_visible_marks(self) -> bool:
        """Whether it has marks that are on the page itself."""
        return bool(self.selector or self.text)

    @model_validator(mode="after")
    def _has_marks(self) -> MarkSet:
        if self.text and not self.within:
            msg = "text needs within: the same words may be in an order's own comments"
            raise ValueError(msg)
        if not self.has_marks and not self._has_conditions:
            msg = "it has no marks, so it would never match"
            raise ValueError(msg)
        return self

    @property
    def _has_conditions(self) -> bool:
        return False


class Marks(MarkSet):
    """The marks of a kind of page, with conditions."""

    #: Further tables of which each must match.
    all_of: tuple[MarkSet, ...] = Field(default=(), alias="all")
    #: Tables of which none may match.
    none_of: tuple[MarkSet, ...] = Field(default=(), alias="not")
    #: The kinds of pages that are judged by it.
    on: Annotated[tuple[PageKind, ...], AfterValidator(_filled)] = tuple(PageKind)

    @property
    def sets(self) -> tuple[MarkSet, ...]:
        """Return the table itself and those of its conditions."""
        return (self, *self.all_of, *self.none_of)

    @property
    def is_plain(self) -> bool:
        """Whether it has no conditions, so that any mark decides alone."""
        return not (self.all_of or self.none_of)

    @property
    def _has_conditions(self) -> bool:
        return bool(self.all_of)


class ConsentMarks(Marks):
    """The marks of a page or banner that asks for a consent."""

    #: Elements of which the first visible one is clicked to give the consent; if empty, a person must give it.
    click: tuple[Selector, ...] = ()


def _as_tables(model: type[Marks], value: Any) -> Any:  # noqa: ANN401 - the value comes from a file
    """Return a list of one table for a table, so that a problem is reported at the table itself."""
    return (model.model_validate(value),) if isinstance(value, dict) else value


_Tables = Annotated[
    tuple[Marks, ...],
    BeforeValidator(partial(_as_tables, Marks), json_schema_input_type=Marks | tuple[Marks, ...]),
]
_ConsentTables = Annotated[
    tuple[ConsentMarks, ...],
    BeforeValidator(partial(_as_tables, ConsentMarks), json_schema_input_type=ConsentMarks | tuple[ConsentMarks, ...]),
]


def _on_all_pages(tables: tuple[Marks, ...]) -> tuple[Marks, ...]:
    missing = [kind for kind in (PageKind.ORDER, PageKind.PROBE) if not any(kind in marks.on for marks in tables)]
    if missing:
        msg = f"no table is for the kind of page {missing[0].value!r} (on)"
        raise ValueError(msg)
    return tables


def _not_empty(tables: tuple[Marks, ...]) -> tuple[Marks, ...]:
    if not tables:
        msg = "it must hold at least one table"
        raise ValueError(msg)
    return tables


_SomeTables = Annotated[_Tables, AfterValidator(_not_empty)]
_FullTables = Annotated[_Tables, AfterValidator(_on_all_pages)]


class TriageMarks(PackTable):
    """Tables of marks for each verdict; ``triage`` checks the verdicts in a fixed order."""

    session_lost: _FullTables
    second_factor: _Tables = ()
    consent: _ConsentTables = ()
    busy: _Tables = (Marks(status=(429, 503)),)
    forbidden: _SomeTables
    not_found: _SomeTables
    ready: _FullTables

    @property
    def tables(self) -> tuple[Marks, ...]:
        """Return all tables, of every verdict."""
        return tuple(marks for name in type(self).model_fields for marks in getattr(self, name))

    def for_source(self) -> TriageMarks:
        """Return the marks for a further page of an order, so that they judge it as if it were the order's own.

        Where a verdict has a table that names such pages, only its tables for them count there; else those for orders.
        """
        return self.model_copy(update={name: _for_source(getattr(self, name)) for name in type(self).model_fields})


def _for_source(tables: tuple[Marks, ...]) -> tuple[Marks, ...]:
    if not any(PageKind.SOURCE in marks.on and set(marks.on) != set(PageKind) for marks in tables):
        return tables
    return tuple(
        marks.model_copy(update={"on": (*marks.on, PageKind.ORDER)})
        if PageKind.SOURCE in marks.on
        else marks.model_copy(update={"on": tuple(kind for kind in marks.on if kind is not PageKind.ORDER)})
        for marks in tables
    )


def selectors_of(tables: Collection[Marks]) -> list[str]:
    """Return every selector of marks, sorted."""
    return sorted({selector for marks in tables for one in marks.sets for selector in one.selector})


def places_of(tables: Collection[Marks]) -> list[str]:
    """Return every selector of elements whose text is searched, sorted."""
    return sorted({selector for marks in tables for one in marks.sets for selector in one.within})
