"""Parses web addresses: the origin of an address, and the addresses in a document. Pure."""

from __future__ import annotations

import re
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


#: A host of a pack: a name, all names below one (``*.x``), and in front a scheme where it is not HTTPS.
_FILE_HOST = re.compile(r"(?:(https?)://)?(\*\.(?=[^.]+\.))?([^\s/:@?#\\*]+)(?::(\d{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHost:
    """A host whose files may be fetched, as a pack names it: ``files.test``, ``*.files.test``, ``http://files.test``."""

    #: The origin of the host, or of the name above all hosts that are meant.
    origin: Origin
    #: Whether all hosts below this name are meant, and not the name itself.
    is_wildcard: bool

    @classmethod
    def parse(cls, text: str) -> FileHost | None:
        """Return the host that a text of a pack names; ``None`` if it names none."""
        match = _FILE_HOST.fullmatch(text)
        if match is None or (match[4] and not match[1]):
            return None
        port = f":{match[4]}" if match[4] else ""
        origin = origin_of(f"{(match[1] or 'https').lower()}://{match[3]}{port}")
        return None if origin is None else cls(origin=origin, is_wildcard=bool(match[2]))

    @property
    def is_exact(self) -> bool:
        """Return whether it is one named host over HTTPS, which may have cookies of the portal."""
        return self.origin.scheme == "https" and not self.is_wildcard

    def includes(self, origin: Origin) -> bool:
        """Return whether an origin is this host, or one of the hosts below this name."""
        if not self.is_wildcard:
            return origin == self.origin
        is_below = origin.host.endswith(f".{self.origin.host}")
        return is_below and (origin.scheme, origin.port) == (self.origin.scheme, self.origin.port)


def is_sent_to(host: str, cookie_domain: str) -> bool:
    """Return whether a browser sends a cookie of a domain to a host; only domain and host are compared."""
    domain = cookie_domain.lower()
    return host == domain.lstrip(".") or (domain.startswith(".") and host.endswith(domain))


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
