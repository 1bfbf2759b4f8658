"""What the text of a cell looks like, before any portal's rules are asked. Pure."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"[^\w\s]?\s?[+-]?\d[\d.,' \N{NO-BREAK SPACE}]*\s?(?:%|[^\w\s]|[A-Z]{3})?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?|\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}")
_FRACTION = re.compile(r".*\d[.,](?!0{1,2}$)\d{1,2}")
#: A long number behind a bullet or a few short words: ``PO No. 4500012345``; a day such as 20240501 may be a title's.
_MARKED = re.compile(r"\W{0,4}(?:[^\W\d]{1,4}\W{1,3}){0,3}(?!(?:19|20)\d{6}\b)\d{6,}\W{0,4}")
#: So many digits, or such a share of them, make a word a code rather than a name.
_CODE_DIGITS, _CODE_SHARE = 3, 1 / 3
#: Longer than any order number that people write.
_ORDER_LENGTH_MAX = 60


def is_data(cell: str) -> bool:
    """Whether this is a value and no name of a column: an amount, a date, or a code such as ``PO-4471``."""
    text = cell.strip()
    return _is_code(text) or any(form.fullmatch(text) for form in (_AMOUNT, _DATE, _MARKED)) if text else False


def can_be_order(cell: str) -> bool:
    """Whether this could be an order number of some portal: it has a digit, and is no date and no amount."""
    text = cell.strip()
    if not text or len(text) > _ORDER_LENGTH_MAX or not any(map(str.isdigit, text)):
        return False
    return not _DATE.fullmatch(text) and not _FRACTION.fullmatch(text)


def _is_code(text: str) -> bool:
    digit_count = sum(map(str.isdigit, text))
    return " " not in text and digit_count >= min(_CODE_DIGITS, max(1, len(text) * _CODE_SHARE))
