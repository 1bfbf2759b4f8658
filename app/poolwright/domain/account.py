"""Whose orders stand under a number: the portal where it is, and the profile that asks there.

Two companies at one vendor, or a portal's test and its real one, know the same numbers and mean other orders by them.
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
        """The account at an address as people write it."""
        return cls(portal=portal, address=plain_address(address), profile=profile)

    @property
    def prefix(self) -> str:
        """How the ids of its orders begin."""
        return task_prefix(self.portal)

    def may_show(self, page_url: str) -> bool:
        """Whether a page can be this portal's, for all that its address tells: its host, however it is written."""
        own, other = urlsplit(self.address), urlsplit(page_url)
        are_usual = _port(own) == _PORTS.get(own.scheme) and _port(other) == _PORTS.get(other.scheme)
        return _host(own) == _host(other) and (are_usual or _port(own) == _port(other))

    def __str__(self) -> str:
        """Read as ``https://acme.example, profile work`` in messages."""
        return f"{self.address}, profile {self.profile}"


def plain_address(address: str) -> str:
    """An address in the one way of writing that equal ones share: without what a browser adds or drops by itself."""
    parts = urlsplit(address.strip())
    port = _port(parts)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS.get(parts.scheme.lower()):
        place = f"{place}:{port}"
    return f"{parts.scheme.lower()}://{place}{parts.path.rstrip('/')}"


def origin_of(page_url: str) -> str:
    """Where a page is from, in words; the whole when it is no address."""
    parts = urlsplit(page_url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else page_url


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:  # beyond all ports
        return None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.")
