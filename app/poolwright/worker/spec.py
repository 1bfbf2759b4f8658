"""The rules of a portal pack as ``reading.js`` takes them. Pure."""

from __future__ import annotations

from typing import Any

from poolwright.portal.pack import Marks, Pack
from poolwright.portal.pack_schema import NoAttachmentsMark
from poolwright.portal.triage import ORDER, Verdict, marks_of


def rules_of(pack: Pack) -> dict[str, Any]:
    """What a pack tells of pages, for a look at any of them."""
    marks = {verdict: found for verdict in ORDER if (found := marks_of(pack.triage, verdict)) is not None}
    found = pack.attachments
    return {
        "selectors": _distinct(marks, "selector"),
        "within": _distinct(marks, "within"),
        "trouble": [_shown(mark) for verdict, mark in marks.items() if verdict is not Verdict.READY],
        "ready": _shown(marks[Verdict.READY]),
        "links": list(found.links),
        "clicks": list(found.clicks),
        "address_attributes": list(found.address_attributes),
        "count": found.count.model_dump() if found.count else None,
        "empty": _shown(found.empty) if found.empty else None,
        "fields": {name: rule.model_dump(include={"selector", "attribute"}) for name, rule in pack.fields.items()},
    }


def _shown(mark: Marks | NoAttachmentsMark) -> dict[str, list[str]]:
    """What of a mark is to be seen on the page itself."""
    return {"selector": list(mark.selector), "text": list(mark.text), "within": list(mark.within)}


def _distinct(marks: dict[Verdict, Marks], kind: str) -> list[str]:
    return sorted({selector for mark in marks.values() for selector in getattr(mark, kind)})
