"""Parses web addresses: the origin of an address, and the addresses in a document. Pure."""

from __future__ import annotations

import string
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Scheme, host and port: addresses with an equal origin are answered by the same server."""

    scheme: str
    #: In lower case and ASCII.
    host: str
    port: int


def origin_of(url: str) -> Origin | None:
    """Return the origin of a web address; ``None`` for any other text.

    An address with a user name has no origin, since programs disagree about which part of it is the host.
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


#: Characters that a browser does not percent-encode.
_UNQUOTED = string.punctuation


def addresses_in(document: str, address: str) -> frozenset[str]:
    """Return all attribute values of a document as absolute addresses without fragments.

    Args:
        document: HTML source.
        address: Address of the document.
    """
    attributes = _Attributes()
    attributes.feed(document)
    base = urljoin(address, attributes.base)
    return frozenset(filter(None, (_absolute(base, value) for value in attributes.values)))


def _absolute(base: str, value: str) -> str:
    try:
        return quote(urldefrag(urljoin(base, value.strip())).url, safe=_UNQUOTED)
    except ValueError:  # such as a bracket in the wrong position
        return ""


class _Attributes(HTMLParser):
    """Collects the values of all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.values: set[str] = set()
        #: Base of relative addresses, if the document names one.
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.values.update(value for _, value in attrs if value)
        if tag == "base" and not self.base:
            self.base = dict(attrs).get("href") or ""
