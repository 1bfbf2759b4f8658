"""Reads texts of Excel since 2007, which are split into runs of different fonts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from poolwright.intake.workbooks.parts import Element, attribute, local_name

#: A character that XML cannot contain, as Excel writes it: ``_x000D_``.
_ESCAPE = re.compile(r"_x([0-9A-F]{4})_", re.IGNORECASE)


def rich_text(element: Element) -> str:
    """Return the text of all runs, without phonetic reading aids."""
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
    """Return the text of a run; raised digits of a note and crossed-out digits are separated by blanks."""
    text = _run_text(run)
    is_apart = any(
        attribute(mark, "val") not in {"baseline", "0", "false"}
        for looks in run.iterchildren("{*}rPr")
        for mark in looks.iterchildren("{*}vertAlign", "{*}strike")
    )
    return f" {text} " if is_apart and has_digits(text) else text


def is_struck_out(text: Element) -> bool:
    """Return whether a text is crossed out: all of its runs, or one with digits, which may be the order number."""
    runs = [run for run in text.iterchildren("{*}r") if _run_text(run).strip()]
    is_plain = next(text.iterchildren("{*}t"), None) is not None
    struck = [run for run in runs if _is_struck_run(run)]
    return bool(struck) and (
        (not is_plain and len(struck) == len(runs)) or any(map(has_digits, map(_run_text, struck)))
    )


def join_runs(pieces: Sequence[tuple[str, bool]]) -> tuple[str, bool]:
    """Join pieces, each with a flag whether it is crossed out, and return whether all of it, or digits, are.

    Digits of a piece that is crossed out are separated by blanks from those beside it.
    """
    if all(is_struck for text, is_struck in pieces if text.strip()):
        return "".join(text for text, _ in pieces), True
    apart = (f" {text} " if is_struck and has_digits(text) else text for text, is_struck in pieces)
    return "".join(apart), any(is_struck and has_digits(text) for text, is_struck in pieces)


def split_runs(text: str, begins: Sequence[tuple[int, bool]], *, is_struck: bool) -> list[tuple[str, bool]]:
    """Split a text where its font changes, each piece with a flag whether it is crossed out.

    Args:
        text: All of it.
        begins: Position where each further font begins, and whether it crosses out.
        is_struck: Whether the font at the beginning crosses out.
    """
    positions = [0, *(begin for begin, _ in begins), len(text)]
    strikes = [is_struck, *(strike for _, strike in begins)]
    return [(text[begin:end], strike) for begin, end, strike in zip(positions, positions[1:], strikes, strict=False)]


def has_digits(text: str) -> bool:
    """Return whether a text contains a digit."""
    return any(map(str.isdigit, text))


def _run_text(run: Element) -> str:
    return "".join(piece.text or "" for piece in run.iterchildren("{*}t"))


def _is_struck_run(run: Element) -> bool:
    marks = (mark for looks in run.iterchildren("{*}rPr") for mark in looks.iterchildren("{*}strike"))
    return any(attribute(mark, "val") not in {"0", "false"} for mark in marks)


def unescaped(text: str) -> str:
    """Return the text with escaped characters decoded; half of a surrogate pair becomes a placeholder."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
