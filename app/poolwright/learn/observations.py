"""Defines what was observed of a portal: its pages, and which of them is what. Written by a person or by a window.

A file ``observations.toml`` in a folder of saved pages has these keys; ``docs/portal-learn.md`` explains them.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from poolwright.domain.errors import OptionsError
from poolwright.portal.addresses import origin_of

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

#: What pages write before the name, where a person points at both.
_SUPPLIER_LABEL = re.compile(
    r"^\s*(?:supplier|vendor|seller|lieferant|kreditor|fournisseur|vendeur|proveedor|fornitore|fornecedor|leverancier|"
    r"dostawca)(?:\s+name)?\s*:\s+",
    re.IGNORECASE,
)


class ObservationError(OptionsError):
    """Observations that no pack can be learned from. The message names the page, the problem and what is needed."""


class ObservedTable(BaseModel):
    """A table of the observations: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ShownKind(StrEnum):
    """What a page was, as the person says who showed it."""

    #: The portal asks for user and password.
    LOGIN = "login"
    #: Any page that only a logged-in user sees, and that belongs to no order.
    HOME = "home"
    #: An order, with or without attachments.
    ORDER = "order"
    #: The number of no order.
    NOT_FOUND = "not_found"
    #: An order that this user may not see.
    FORBIDDEN = "forbidden"
    #: The page on which orders are searched for, before the search.
    SEARCH = "search"
    #: What a search for the number of an order found.
    RESULTS = "results"
    #: An order with attachments while its list was still arriving; another page is the whole order.
    LOADING = "loading"


#: Pages that belong to the number of an order.
_NUMBERED = frozenset({ShownKind.ORDER, ShownKind.NOT_FOUND, ShownKind.RESULTS, ShownKind.LOADING})


class ObservedCall(ObservedTable):
    """A request of a page's scripts that could change something, such as a POST."""

    address: Filled
    #: The values of its body that say which call it is, by their places (``site.posts``).
    body: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])


class ObservedResponse(ObservedTable):
    """JSON that the scripts of a page got, which lists the attachments of its order."""

    address: Filled
    #: Name of the file in the folder that has it.
    file: Filled


class ObservedPage(ObservedTable):
    """One page as it was seen."""

    #: Name of the HTML file in the folder.
    file: Filled
    kind: ShownKind
    #: The final address; empty if the saved file names it, as those that a browser saves do.
    address: str = ""
    #: The HTTP status; 200 unless known otherwise.
    status: int = Field(default=200, ge=100, le=599)
    #: How the server itself asks for user and password, of a login page: ``basic`` for HTTP authentication.
    challenge: Literal["", "basic"] = ""
    #: The number of the order as people write it.
    number: str = ""
    #: Some attachments of an order, by the visible text or the address of each; empty if the order has none.
    attachments: tuple[Filled, ...] = ()
    #: Number of all attachments of the order, if known.
    count: int | None = Field(default=None, ge=0)
    #: The supplier as the page shows it.
    supplier: str = ""
    #: The text of the button to the next page of the list of attachments or results, if it has several; what is named
    #: or shown is on this page.
    next: str = ""
    #: Of a search page: the field for the number, by its label, name, id or placeholder; empty if it is the only one.
    field: str = ""
    #: Of a search page: the text of the button; empty if Enter is pressed in the field.
    button: str = ""
    #: Of a search page: whether the results come while the number is typed, without a button or a key.
    typed: bool = False
    #: Of results: the text of the link or button to the order; empty if it is the number.
    result: str = ""
    #: Addresses that the scripts of the page requested its list of attachments from.
    requests: tuple[Filled, ...] = ()
    #: What the scripts of the page sent by another way than GET, since the client was loaded; of any page but a login.
    calls: tuple[ObservedCall, ...] = ()
    #: JSON that lists the attachments of the order.
    responses: tuple[ObservedResponse, ...] = ()
    #: Whether the portal sent the list with the page, so that no script brings it later.
    served: bool = False

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind in _NUMBERED and not self.number.strip():
            msg = f"{self.file}: a page of an order needs its number"
            raise ValueError(msg)
        own = (self.attachments, self.count, self.supplier, self.requests, self.responses, self.served)
        if self.kind is not ShownKind.ORDER and any(own):
            msg = (
                f"{self.file}: only pages of kind 'order' have attachments, count, supplier, requests, responses and "
                "served"
            )
            raise ValueError(msg)
        if self.count is not None and (self.count < len(self.attachments) or (self.count and not self.attachments)):
            msg = f"{self.file}: count {self.count} does not go with {len(self.attachments)} attachments"
            raise ValueError(msg)
        if self.kind is ShownKind.LOGIN and self.calls:
            msg = f"{self.file}: a login page needs no calls, since logging in is done without the limits of a run"
            raise ValueError(msg)
        if self.challenge and (self.kind is not ShownKind.LOGIN or self.status != HTTPStatus.UNAUTHORIZED):
            msg = f"{self.file}: only a page of kind 'login' with status 401 has a challenge"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _is_consistent_search(self) -> Self:
        if self.next and self.kind not in {ShownKind.ORDER, ShownKind.RESULTS}:
            msg = f"{self.file}: only pages of kind 'order' and 'results' have next"
            raise ValueError(msg)
        if self.kind is not ShownKind.SEARCH and (self.field or self.button or self.typed):
            msg = f"{self.file}: only pages of kind 'search' have field, button and typed"
            raise ValueError(msg)
        if self.button and self.typed:
            msg = f"{self.file}: results that come while the number is typed need no button"
            raise ValueError(msg)
        if self.kind is not ShownKind.RESULTS and self.result:
            msg = f"{self.file}: only pages of kind 'results' have a result"
            raise ValueError(msg)
        return self

    @property
    def supplier_name(self) -> str:
        """Return the supplier without a label before the name and a number in brackets behind it."""
        return re.sub(r"\s*\(\d+\)\s*$", "", _SUPPLIER_LABEL.sub("", self.supplier)).strip()

    @property
    def has_files(self) -> bool:
        """Return whether it is an order with attachments."""
        return bool(self.attachments)


class Observations(ObservedTable):
    """All that was observed of one portal."""

    #: What the portal is called, for people.
    title: Filled
    pages: tuple[ObservedPage, ...]
    #: Numbers of further orders that the learned pack is tried on.
    prove: tuple[Filled, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        files = [page.file for page in self.pages] + [one.file for page in self.pages for one in page.responses]
        if len(set(files)) < len(files):
            msg = "each page and each response needs a file of its own"
            raise ValueError(msg)
        needed = {
            "a login page (kind 'login')": self.of_kind(ShownKind.LOGIN),
            "a page after the login (kind 'home')": self.of_kind(ShownKind.HOME),
            "a number that does not exist (kind 'not_found')": self.of_kind(ShownKind.NOT_FOUND),
            "an order with attachments (kind 'order')": tuple(page for page in self.pages if page.has_files),
        }
        missing = [name for name, pages in needed.items() if not pages]
        if missing:
            msg = f"there is no page for {', '.join(missing)}"
            raise ValueError(msg)
        return self

    def of_kind(self, kind: ShownKind) -> tuple[ObservedPage, ...]:
        """Return the pages of one kind."""
        return tuple(page for page in self.pages if page.kind is kind)


def parse_observations(text: str, name: str) -> Observations:
    """Read the text of a file of observations.

    Raises:
        ObservationError: It is not TOML, or not valid; every problem is named with its key.
    """
    try:
        return Observations.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ObservationError(f"{name} is not readable as TOML: {error}.") from error
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ObservationError(f"{name} is not valid: {'; '.join(problems)}.") from error


def require_address(page: ObservedPage, address: str) -> str:
    """Return the address of a page.

    Raises:
        ObservationError: It is missing, or it is not a web address.
    """
    if origin_of(address) is None:
        raise ObservationError(
            f'The page {page.file} needs its web address (address = "https://..."), as the file does not name it.'
        )
    return address
