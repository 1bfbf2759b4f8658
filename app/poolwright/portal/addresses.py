"""Web addresses: the origin that an address leads to, and the addresses that a document names. Pure."""

from __future__ import annotations

import string
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Two addresses with an equal origin are answered by the same server."""

    scheme: str
    #: In lower case and ASCII.
    host: str
    port: int


def origin_of(url: str) -> Origin | None:
    """The origin of a web address; nothing for any other text.

    User names are refused: programs disagree about which part is the host then.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    return Origin(scheme=parts.scheme, host=host, port=_PORTS[parts.scheme] if port is None else port)


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
