"""Which addresses a document names, as it came over the line, before any script of it ran. Pure."""

from __future__ import annotations

import string
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin

#: What a browser leaves as it is; everything else it writes in percents.
_KEPT = string.punctuation


def addresses_in(document: str, address: str) -> frozenset[str]:
    """Everything that its attributes may mean as an address, absolute and without what follows a hash.

    Args:
        document: Its source, HTML.
        address: Where it is.
    """
    attributes = _Attributes()
    attributes.feed(document)
    base = urljoin(address, attributes.base)
    return frozenset(filter(None, (_absolute(base, value) for value in attributes.values)))


def _absolute(base: str, value: str) -> str:
    try:
        return quote(urldefrag(urljoin(base, value.strip())).url, safe=_KEPT)
    except ValueError:  # such as a bracket where none may stand
        return ""


class _Attributes(HTMLParser):
    """Takes down every value of every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.values: set[str] = set()
        #: What addresses of the document are relative to, where it says so.
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.values.update(value for _, value in attrs if value)
        if tag == "base" and not self.base:
            self.base = dict(attrs).get("href") or ""
