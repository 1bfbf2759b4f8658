"""Decides from observed numbers and addresses where the number of an order stands, and what numbers look like. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, unquote, urlsplit

from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservationError

#: How much longer or shorter than the numbers that were seen another one may be, in characters.
_SHORTER, _LONGER = 2, 3
#: The end of an encoded sign, such as a quotation mark, which a number may follow.
_ENCODED = r"(?<=%[0-9A-Fa-f]{2})"
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{12,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNumbers:
    """The address of orders, and the rules of their numbers."""

    base_url: str
    #: Path, query and fragment with ``{number}``.
    order: str
    prefixes: tuple[str, ...]
    pattern: str
    #: What people add inside a number; the portal does not have it.
    separators: str
    #: A number that was seen, as the portal's addresses have it.
    example: str
    describe: str
    doubts: tuple[str, ...] = ()


def order_address(orders: Sequence[SeenPage], unknown: Sequence[SeenPage]) -> OrderNumbers:
    """Return where orders are, and what their numbers look like.

    Args:
        orders: Pages of orders.
        unknown: Pages of numbers that no order has; a portal may have redirected them.

    Raises:
        ObservationError: An address does not contain its number, or the pages of orders have different addresses.
    """
    read = _common([_readings(seen) for seen in orders])
    base_url, order = read[0].base_url, read[0].order
    prefixes = tuple(dict.fromkeys(one.prefix for one in read if one.prefix))
    numbers = [one.number for one in read]
    typed = [_without_prefix(seen.page.number.strip(), prefixes) for seen in unknown]
    pattern = number_pattern([*numbers, *(number for number in typed if _kind(number) == _kind(numbers[0]))])
    doubts: list[str] = []
    if len(set(numbers)) == 1:
        doubts.append(f"Only one order was shown ({numbers[0]}); check numbers.pattern against your list.")
    if odd := [number for number in typed if not re.fullmatch(pattern, number)]:
        doubts.append(f"The unknown number {odd[0]} does not look like the other ones; numbers.pattern refuses it.")
    signs = {sign for number in numbers for sign in number if not sign.isalnum()}
    return OrderNumbers(
        base_url=base_url,
        order=order,
        prefixes=prefixes,
        pattern=pattern,
        separators="".join(sign for sign in " -" if sign not in signs) if pattern_is_digits(pattern) else "",
        example=f"{prefixes[0]}{numbers[0]}" if prefixes else numbers[0],
        describe=f"numbers like {numbers[0]}",
        doubts=tuple(doubts),
    )


def number_pattern(numbers: Sequence[str]) -> str:
    """Return a regular expression for numbers of the same kind as those given."""
    if all(_MIXED.fullmatch(number) for number in numbers):  # a key: letters and digits stand anywhere
        return f"^[A-Za-z0-9]{_span(numbers)}$"
    kinds = list(dict.fromkeys(_kind(number) for number in numbers))
    alternatives = [_one_kind([number for number in numbers if _kind(number) == kind]) for kind in kinds]
    return f"^{alternatives[0]}$" if len(alternatives) == 1 else f"^(?:{'|'.join(alternatives)})$"


def pattern_is_digits(pattern: str) -> bool:
    """Return whether a pattern of ``number_pattern`` takes digits alone."""
    return re.fullmatch(r"\^\\d\{\d+,\d+\}\$", pattern) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One place where the number of an order may stand in the address of its page."""

    base_url: str
    order: str
    number: str
    prefix: str

    @property
    def place(self) -> tuple[str, str]:
        """Return what all orders have in common."""
        return self.base_url, self.order


def _common(read: Sequence[Sequence[_Reading]]) -> list[_Reading]:
    """Return the reading of each order that has the same place as those of the others, the likeliest place first.

    Raises:
        ObservationError: There is no such place.
    """
    places = [{one.place: one for one in reversed(readings)} for readings in read]
    for reading in read[0]:
        if all(reading.place in others for others in places):
            return [others[reading.place] for others in places]
    shown = " and ".join(dict.fromkeys("".join(readings[0].place) for readings in read))
    raise ObservationError(f"The orders have different kinds of addresses, {shown}. A pack has only one.")


def _readings(seen: SeenPage) -> list[_Reading]:
    """Return the places of a number in the address of its page: on its own first, then behind letters (``po17``).

    Raises:
        ObservationError: There is none.
    """
    parts = urlsplit(seen.tree.address)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    typed = seen.page.number.strip()
    base_url = f"{parts.scheme}://{parts.netloc}"
    read = _readings_in(f"{path}#{parts.fragment}" if parts.fragment else path, typed, base_url)
    if parts.fragment and not re.match(r"!?/", parts.fragment):
        read += _readings_in(path, typed, base_url)  # a link to a part of the page leads to the same page
    if not read:
        raise ObservationError(
            f"{seen.page.file}: its address {seen.tree.address} does not contain the number {typed}. A pack opens "
            "orders by an address with their number; look for such an address (for example behind a link in "
            "a mail), and show that. If there is none, show how you search for an order (kinds 'search' and 'results')."
        )
    return read


def _readings_in(address: str, typed: str, base_url: str) -> list[_Reading]:
    read: list[_Reading] = []
    for before in ("A-Za-z0-9", "0-9"):
        for number in _forms(typed):
            for form in dict.fromkeys((quote(number, safe=""), number)):
                found = re.finditer(rf"(?:(?<![{before}])|{_ENCODED}){re.escape(form)}(?![A-Za-z0-9])", address)
                prefix = typed[: -len(number)].rstrip(" -_#:./") if typed.endswith(number) else ""
                read += [
                    _Reading(
                        base_url=base_url,
                        order=address[: match.start()] + "{number}" + address[match.end() :] or "/",
                        number=unquote(number),
                        prefix=prefix,
                    )
                    for match in reversed([*found])
                ]
    return read


def _forms(typed: str) -> list[str]:
    """Return the forms in which an address may have a number: as typed, then without prefix, then without signs."""
    bare = re.sub(r"^[A-Za-z]{1,6}[ \-_#:./]*(?=\d)", "", typed)
    plain = [re.sub(r"[ \-]", "", form) for form in (typed, bare)]
    return list(dict.fromkeys([typed, bare, *plain, typed.lower(), typed.upper()]))


def _without_prefix(number: str, prefixes: Sequence[str]) -> str:
    for prefix in prefixes:
        if number.casefold().startswith(prefix.casefold()):
            return number[len(prefix) :].lstrip(" -_#:./")
    return number


def _one_kind(numbers: Sequence[str]) -> str:
    """Return the pattern of numbers whose digits, letters and signs follow each other in the same way."""
    columns = zip(*(_runs(number) for number in numbers), strict=True)
    return "".join(_run_pattern([text for _, text in column]) for column in columns)


def _runs(number: str) -> list[tuple[str, str]]:
    return [(kind, "".join(signs)) for kind, signs in groupby(number, _sign_kind)]


def _kind(number: str) -> tuple[str, ...]:
    return tuple(kind for kind, _ in _runs(number))


def _sign_kind(sign: str) -> str:
    if sign.isdigit():
        return "digit"
    return "letter" if sign.isalpha() else sign


def _run_pattern(texts: Sequence[str]) -> str:
    first = texts[0]
    if first.isdigit():
        return rf"\d{_span(texts)}"
    if len(set(texts)) == 1:
        return re.escape(first).replace(r"\-", "-")
    return f"[A-Za-z]{_span(texts)}" if first.isalpha() else re.escape(first)


def _span(texts: Sequence[str]) -> str:
    lengths = [len(text) for text in texts]
    return f"{{{max(1, min(lengths) - _SHORTER)},{max(lengths) + _LONGER}}}"
