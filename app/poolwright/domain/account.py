"""The account to which order numbers belong: a portal at an address, as one profile sees it.

Two companies at one vendor, or a test portal and the real one, use the same numbers for different orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from poolwright.domain.ids import task_prefix

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One portal, at one address, as one profile sees it."""

    #: Name of the portal's pack, which begins the ids of its orders.
    portal: str
    #: As ``plain_address`` writes it.
    address: str
    #: Name of the profile.
    profile: str

    @classmethod
    def at(cls, address: str, *, portal: str, profile: str) -> Account:
        """Return the account at an address, which is normalized."""
        return cls(portal=portal, address=plain_address(address), profile=profile)

    @property
    def prefix(self) -> str:
        """The prefix of its orders' task ids."""
        return task_prefix(self.portal)

    def may_show(self, page_url: str) -> bool:
        """Whether a page can be of this portal, judged by the host and port of its address."""
        own, other = urlsplit(self.address), urlsplit(page_url)
        are_usual = _port(own) == _PORTS.get(own.scheme) and _port(other) == _PORTS.get(other.scheme)
        return _host(own) == _host(other) and (are_usual or _port(own) == _port(other))

    def __str__(self) -> str:
        """Return ``https://acme.example, profile work``, as messages show it."""
        return f"{self.address}, profile {self.profile}"


def plain_address(address: str) -> str:
    """Normalize an address: equal ones become the same text, without what a browser adds or drops."""
    parts = urlsplit(address.strip())
    port = _port(parts)
    host = parts.hostname or ""
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS.get(parts.scheme.lower()):
        authority = f"{authority}:{port}"
    return f"{parts.scheme.lower()}://{authority}{parts.path.rstrip('/')}"


def page_origin(page_url: str) -> str:
    """Return scheme, host and port of a page's address; the text itself if it is no address."""
    parts = urlsplit(page_url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else page_url


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:  # larger than any port
        return None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.")
