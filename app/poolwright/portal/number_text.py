"""How people and spreadsheets write a number: the characters around it, within it and beside it. Pure.

What is known here holds for every portal; which text is an order number is for ``numbers`` to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

#: In front of a number they keep a spreadsheet from reading it as one.
_APOSTROPHES = "'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
#: Signs that look like a hyphen and are none by Unicode's categories.
_HYPHENS = (
    "\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}\N{HEAVY MINUS SIGN}\N{BOX DRAWINGS LIGHT HORIZONTAL}"
)
_FORMULA = re.compile(r'="(.*)"|=(\d+)')
#: Ends in zeros after a point. ``450.000`` is left alone: it may be thousands.
_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0{1,2}|(\d{4,})[.,]0+|(\d{1,4}(?: \d{3})+)[.,]0{1,2}")
#: Digits were lost: with a signed exponent, or a fraction before a bare one.
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:(?:[.,]\d+)?E[+-]\d+|[.,]\d+E\d+)", re.IGNORECASE)
#: What stands before each line of a list that was pasted: a bullet, a number, a box to tick.
#: Three digits in brackets are the area of a telephone number, and so are digits that begin with a zero.
_LIST_MARK = re.compile(
    r"(?:[-*•‣◦▪●○·>①-⒛❶-➓]|\([1-9]\d?\)|[1-9]\d{0,2}[.)]|\[[ x✓]?\]) (?:\[[ x✓]?\] )?(?=\w)", re.IGNORECASE
)
_ENDS = re.compile(r"([\"'<(\[“„«])(.*)([\"'>)\]”“»])|(.*\w)[,;.'\N{RIGHT SINGLE QUOTATION MARK}]")
#: Points, commas or apostrophes between thousands; the sign before a fraction of zeros is another one.
_THOUSANDS = re.compile(
    r"[1-9]\d{0,2}(?:([.,'])\d{3}(?:\1\d{3})+|(?:'\d{3})|\.\d{3}(?=,)|,\d{3}(?=\.))(?:(?!\1)[.,]0{1,2})?"
)
#: Either thousands or a fraction: the country decides, and the cell does not tell it.
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
#: Fewer digits in a group are a date, a time or a telephone number as often as a number.
_GROUP_LENGTH_MIN = 3


def plain_text(text: str, unseen: str = "") -> str:
    """The text without what spreadsheets, web pages and keyboards put around and into it.

    Args:
        text: The cell.
        unseen: What stands for characters that nobody sees; nothing lets what is beside them grow together.
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
    """The text, then without a mark of a list before it, then without quotes, brackets and stops around it."""
    yield plain
    bare = _LIST_MARK.sub("", plain, count=1) if _LIST_MARK.match(plain) else plain
    if bare != plain:
        yield bare
    ends = _ENDS.fullmatch(bare)
    if ends:
        yield plain_text(ends[4] or ends[2])


def is_shortened(plain: str) -> bool:
    """Whether a spreadsheet shortened the number to its first digits: ``4.5E+09``."""
    return bool(_SCIENTIFIC.fullmatch(plain))


def is_date(plain: str) -> bool:
    """Whether blanks and hyphens part the digits into a date."""
    return bool(_DATE.fullmatch(plain))


def without_thousands(text: str) -> str:
    """Without signs between thousands, where they can be nothing else: ``4.500.010.001,00``."""
    apostrophes_alike = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if not _THOUSANDS.fullmatch(apostrophes_alike):
        return text
    return re.sub(r"[.,']0{1,2}$|[.,']", "", apostrophes_alike)


def unsure_thousands(text: str) -> str:
    """The digits of ``450.001``, which is one number in some countries and a fraction in others; else nothing."""
    unsure = _UNSURE_THOUSANDS.fullmatch(text)
    return unsure[1] + unsure[2] if unsure else ""


def is_address(text: str) -> bool:
    """Whether this can be an IP address: ``192.168.100.200``."""
    return bool(_FOUR_NUMBERS.fullmatch(text)) and all(int(part) <= _BYTE_MAX for part in text.split("."))


def is_one_number(parts: Sequence[str]) -> bool:
    """Whether parts make one number, as people group its digits: ``4 500 012 345``, ``4500 012 345``.

    Telephone numbers begin with a zero, and their groups, like those of dates and times, are short or uneven.
    """
    if not all(map(str.isdigit, parts)):
        return True
    lengths = {len(part) for part in parts[1:]}
    is_phone = parts[0].startswith("0") and not parts[0].startswith("000")
    return len(lengths) == 1 and min(lengths) >= _GROUP_LENGTH_MIN and not is_phone


def as_digits(text: str) -> str:
    """The text with digits for the letters that people take for them: ``45OO01`` was typed or read off a scan."""
    return text.translate(_DIGIT_LIKE)


def as_latin(text: str) -> str:
    """The text with Latin letters for those of other scripts that look alike; of the same length."""
    return text.translate(_LATIN_LIKE)


def _is_small_number(character: str) -> bool:
    """Whether this is a number in one character, above or below the line or in a circle: mostly that of a note."""
    return unicodedata.category(character) == "No"


def _normal(run: Iterator[str], *, is_small: bool) -> str:
    """Compatible characters as usual ones; a note's number stays by itself, since it is no digit of the number."""
    text = "".join(run)
    return f" {text} " if is_small else unicodedata.normalize("NFKC", text)


def _plain_character(character: str, unseen: str) -> str:
    """Any decimal digit as ASCII, any dash as a hyphen, and what was told for a character that nobody sees."""
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
