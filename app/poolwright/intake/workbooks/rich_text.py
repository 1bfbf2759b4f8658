"""Texts of Excel since 2007, which come in runs of different looks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from poolwright.intake.workbooks.parts import Element, attribute, local_name

#: A character that XML cannot hold, as Excel writes it: ``_x000D_``.
_ESCAPE = re.compile(r"_x([0-9A-F]{4})_", re.IGNORECASE)


def rich_text(element: Element) -> str:
    """The text of all runs; reading aids beside them are no part of it."""
    runs: list[str] = []
    for child in element:
        match local_name(child) if isinstance(child.tag, str) else "":
            case "t":
                runs.append(child.text or "")
            case "r":
                runs.append(_run(child))
            case _:
                pass
    return unescaped("".join(runs))


def _run(run: Element) -> str:
    """The text of a run; raised digits of a note, and struck ones, do not grow together with those beside them."""
    text = _run_text(run)
    is_apart = any(
        attribute(mark, "val") not in {"baseline", "0", "false"}
        for looks in run.iterchildren("{*}rPr")
        for mark in looks.iterchildren("{*}vertAlign", "{*}strike")
    )
    return f" {text} " if is_apart and has_digits(text) else text


def is_struck_out(text: Element) -> bool:
    """Whether a text is crossed out: all of its runs, or one with digits, which may be the order's number."""
    runs = [run for run in text.iterchildren("{*}r") if _run_text(run).strip()]
    is_plain = next(text.iterchildren("{*}t"), None) is not None
    struck = [run for run in runs if _is_struck_run(run)]
    return bool(struck) and (
        (not is_plain and len(struck) == len(runs)) or any(map(has_digits, map(_run_text, struck)))
    )


def join_runs(pieces: Sequence[tuple[str, bool]]) -> tuple[str, bool]:
    """The text of pieces, each with whether it is crossed out; and whether all of it is, or digits are.

    Digits of a piece that is crossed out do not grow together with those beside it.
    """
    if all(is_struck for text, is_struck in pieces if text.strip()):
        return "".join(text for text, _ in pieces), True
    apart = (f" {text} " if is_struck and has_digits(text) else text for text, is_struck in pieces)
    return "".join(apart), any(is_struck and has_digits(text) for text, is_struck in pieces)


def split_runs(text: str, begins: Sequence[tuple[int, bool]], *, is_struck: bool) -> list[tuple[str, bool]]:
    """The pieces of a text that has other fonts from some letters on.

    Args:
        text: All of it.
        begins: Where each other font begins, and whether it crosses out.
        is_struck: Whether the font before the first of them does.
    """
    places = [0, *(begin for begin, _ in begins), len(text)]
    strikes = [is_struck, *(strike for _, strike in begins)]
    return [(text[begin:end], strike) for begin, end, strike in zip(places, places[1:], strikes, strict=False)]


def has_digits(text: str) -> bool:
    """Whether there is a digit among the letters."""
    return any(map(str.isdigit, text))


def _run_text(run: Element) -> str:
    return "".join(found.text or "" for found in run.iterchildren("{*}t"))


def _is_struck_run(run: Element) -> bool:
    marks = (mark for looks in run.iterchildren("{*}rPr") for mark in looks.iterchildren("{*}strike"))
    return any(attribute(mark, "val") not in {"0", "false"} for mark in marks)


def unescaped(text: str) -> str:
    """The characters that were written as numbers; half of one that takes two is none."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
