"""Texts of Excel since 2007, which come in runs of different looks."""

from __future__ import annotations

import re

from app.intake.workbooks.parts import Element, attribute, local_name

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
    return f" {text} " if is_apart and any(map(str.isdigit, text)) else text


def is_struck_out(text: Element) -> bool:
    """Whether all runs of a text are crossed out."""
    runs = [run for run in text.iterchildren("{*}r") if _run_text(run).strip()]
    is_plain = next(text.iterchildren("{*}t"), None) is not None
    return bool(runs) and not is_plain and all(map(_is_struck_run, runs))


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
