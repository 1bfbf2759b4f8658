"""A small pack as an author would write it, and the ways to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import tomli_w

#: The least that a pack must say.
LEAST: Mapping[str, Any] = {
    "schema": 1,
    "name": "acme",
    "title": "Acme",
    "numbers": {"pattern": r"\d{3}", "describe": "3 digits", "example": "123"},
    "site": {"order": "/po/{number}", "probe": "/po"},
    "login": {"ladder": ["revisit"]},
    "triage": {
        "session_lost": {"address": ["^/login"]},
        "forbidden": {"status": [403]},
        "not_found": {"status": [404]},
        "ready": {"selector": ["#order"]},
    },
    "attachments": {"links": ["a.file"]},
}

FORM = {"user": "#user", "password": "#password", "submit": "#submit"}


def written(changes: Mapping[str, Any] | None = None) -> str:
    """The small pack as TOML, with other values at some places; a dotted place is made where it is missing."""
    content = copy.deepcopy(dict(LEAST))
    for place, value in (changes or {}).items():
        *tables, key = place.split(".")
        table: dict[str, Any] = content
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
    return tomli_w.dumps(content)


def without(place: str) -> str:
    """The small pack as TOML with one place left out."""
    content = copy.deepcopy(dict(LEAST))
    *tables, key = place.split(".")
    table: dict[str, Any] = content
    for name in tables:
        table = table[name]
    del table[key]
    return tomli_w.dumps(content)
