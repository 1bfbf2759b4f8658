"""Normalises numbers as people and spreadsheets write them: the characters around, within and beside them. Pure.

These rules are the same for every portal; ``numbers`` decides which text is an order number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

#: In front of a number, they make a spreadsheet read it as text.
_APOSTROPHES = "'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
#: Signs that look like a hyphen but have another category in Unicode.
_HYPHENS = (
    "\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}\N{HEAVY MINUS SIGN}\N{BOX DRAWINGS LIGHT HORIZONTAL}"
)
_FORMULA = re.compile(r'="(.*)"|=(\d+)')
#: Ends in zeros after a point. ``450.000`` does not match: it may have a thousands separator.
_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0{1,2}|(\d{4,})[.,]0+|(\d{1,4}(?: \d{3})+)[.,]0{1,2}")
#: Digits were lost: with a signed exponent, or a fraction before a bare one.
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:(?:[.,]\d+)?E[+-]\d+|[.,]\d+E\d+)", re.IGNORECASE)
_ZERO = re.compile(r"[+-]?0+(?:[.,]0+)?")
#: Characters that force a direction on digits too, which others leave alone.
_OVERRIDES = frozenset("\N{RIGHT-TO-LEFT OVERRIDE}")
#: The mark before each line of a pasted list: a bullet, a number, a checkbox.
#: Three digits in brackets, or digits that begin with a zero, are the area code of a telephone number.
_LIST_MARK = re.compile(
    r"(?:[-*•‣◦▪●○·>①-⒛❶-➓]|\([1-9]\d?\)|[1-9]\d{0,2}[.)]|\[[ x✓]?\]) (?:\[[ x✓]?\] )?(?=\w)", re.IGNORECASE
)
_ENDS = re.compile(r"([\"'<(\[“„«])(.*)([\"'>)\]”“»])|(.*\w)[,;.'\N{RIGHT SINGLE QUOTATION MARK}]")
#: Points, commas or apostrophes between thousands; a different sign is before a fraction of zeros.
_THOUSANDS = re.compile(
    r"[1-9]\d{0,2}(?:([.,'])\d{3}(?:\1\d{3})+|(?:'\d{3})|\.\d{3}(?=,)|,\d{3}(?=\.))(?:(?!\1)[.,]0{1,2})?"
)
#: Either thousands or a fraction: that depends on the country, which is not known.
_UNSURE_THOUSANDS = re.compile(r"(\d{1,3})[.,](\d{3})")
#: Four numbers with points between, none of them with a zero in front.
_FOUR_NUMBERS = re.compile(r"(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}")
_BYTE_MAX = 255
_DATE = re.compile(
    r"(?:[12]\d{3}|3\d{3})[- ](?:0?[1-9]|1[0-2])(?:[- ](?:0?[1-9]|[12]\d|3[01]))?"
    r"|(?:(?:0?[1-9]|[12]\d|3[01])[- ])?(?:0?[1-9]|1[0-2])[- ](?:19|20)\d{2}"
    r"|(?:0?[1-9]|1[0-2])[- ](?:0?[1-9]|[12]\d|3[01])[- ](?:19|20)?\d{2}"
)
#: Letters that look like digits, and Cyrillic and Greek letters that look like Latin ones.
_DIGIT_LIKE = str.maketrans({**dict.fromkeys("OoОоΟο", "0"), **dict.fromkeys("Il|", "1")})  # noqa: RUF001  # meant
_LATIN_LIKE = str.maketrans(
    "АВЕКМНОРСТХУІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # noqa: RUF001  # meant
    "ABEKMHOPCTXYISJABEZHIKMNOPTYX",
)
#: Shorter groups are as likely a date, a time or a telephone number.
_GROUP_LENGTH_MIN = 3


def plain_text(text: str, unseen: str = "") -> str:
    """Return a text without the characters that spreadsheets, web pages and keyboards add around and into it.

    Args:
        text: The cell.
        unseen: Replaces invisible characters; with the default, the characters beside them are joined.
    """
    if not (text.isascii() and text.isprintable()):
        runs = (_normal(run, is_small=is_small) for is_small, run in groupby(text, _is_small_number))
        text = "".join(_plain_character(character, unseen) for run in runs for character in run)
    text = " ".join(text.split())
    formula = _FORMULA.fullmatch(text)
    if formula:
        text = formula[1] or formula[2] or ""
    text = text.lstrip(_APOSTROPHES).strip()
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole[1] or whole[2] or whole[3] if whole else text


def bare_texts(plain: str) -> Iterator[str]:
    """Yield the text, then without a list mark before it, then without quotes, brackets and stops around it."""
    yield plain
    bare = _LIST_MARK.sub("", plain, count=1) if _LIST_MARK.match(plain) else plain
    if bare != plain:
        yield bare
    ends = _ENDS.fullmatch(bare)
    if ends:
        yield plain_text(ends[4] or ends[2])


def is_shortened(plain: str) -> bool:
    """Return whether a spreadsheet shortened the number to its first digits: ``4.5E+09``."""
    return bool(_SCIENTIFIC.fullmatch(plain))


def is_zero(plain: str) -> bool:
    """Return whether a text is zero: no order has this number, and formulas without a value give it."""
    return bool(_ZERO.fullmatch(plain))


def is_reversed(text: str) -> bool:
    """Return whether an invisible character changes the order in which digits are seen."""
    return not text.isascii() and not _OVERRIDES.isdisjoint(text)


def is_date(plain: str) -> bool:
    """Return whether the digits form a date with blanks or hyphens."""
    return bool(_DATE.fullmatch(plain))


def without_thousands(text: str) -> str:
    """Return the text without thousands separators, if its signs can be nothing else: ``4.500.010.001,00``."""
    apostrophes_alike = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if not _THOUSANDS.fullmatch(apostrophes_alike):
        return text
    return re.sub(r"[.,']0{1,2}$|[.,']", "", apostrophes_alike)


def unsure_thousands(text: str) -> str:
    """Return the digits of ``450.001``, a whole number in some countries and a fraction in others; else empty."""
    unsure = _UNSURE_THOUSANDS.fullmatch(text)
    return unsure[1] + unsure[2] if unsure else ""


def is_address(text: str) -> bool:
    """Return whether a text can be an IP address: ``192.168.100.200``."""
    return bool(_FOUR_NUMBERS.fullmatch(text)) and all(int(part) <= _BYTE_MAX for part in text.split("."))


def is_one_number(parts: Sequence[str]) -> bool:
    """Return whether parts are one number in groups of digits: ``4 500 012 345``, ``4500 012 345``.

    Telephone numbers begin with a zero; their groups, and those of dates and times, are short or uneven.
    """
    if not all(map(str.isdigit, parts)):
        return True
    lengths = {len(part) for part in parts[1:]}
    is_phone = parts[0].startswith("0") and not parts[0].startswith("000")
    return len(lengths) == 1 and min(lengths) >= _GROUP_LENGTH_MIN and not is_phone


def as_digits(text: str) -> str:
    """Return the text with letters that look like digits replaced by them: ``45OO01`` was typed or scanned."""
    return text.translate(_DIGIT_LIKE)


def as_latin(text: str) -> str:
    """Return the text with Latin letters in place of those of other scripts that look alike; its length is the same."""
    return text.translate(_LATIN_LIKE)


def _is_small_number(character: str) -> bool:
    """Return whether a character is a raised, lowered or circled number, which mostly refers to a note."""
    return unicodedata.category(character) == "No"


def _normal(run: Iterator[str], *, is_small: bool) -> str:
    """Return characters in their usual form; a note's number is separated by blanks, as it is not part of the text."""
    text = "".join(run)
    return f" {text} " if is_small else unicodedata.normalize("NFKC", text)


def _plain_character(character: str, unseen: str) -> str:
    """Return any decimal digit as ASCII, any dash as a hyphen, and ``unseen`` for an invisible character."""
    if character.isspace():
        return " "
    if character in _HYPHENS:
        return "-"
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case "Cc" | "Cf":
            return unseen
        case _:
            return character
