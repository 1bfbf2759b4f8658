"""Which server an address leads to, as a browser would read it. An address that could be read in two ways has none."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

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
