"""Finds the network addresses of hosts that the pack does not name, and checks them."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from poolwright.domain.options import Proxy
from poolwright.portal.addresses import Origin, origin_of
from poolwright.worker.transfer.network_scope import network_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAddresses:
    """What was found out about the host of an address."""

    #: Network addresses that may be connected to; empty if the host is refused, or if a proxy connects to it.
    usable: tuple[str, ...] = ()
    #: Why the host is not requested; empty if it may be.
    problem: str = ""
    #: Whether the same look-up may give another answer later.
    is_unresolved: bool = False


class NameResolver:
    """Looks up names as this machine does, which also reads decimal, octal and hexadecimal forms of an address."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        """Keep the proxy of the settings; ``None`` for that of the system, if it has one."""
        self._proxy = proxy

    async def resolve(self, url: str) -> HostAddresses:
        """Return the network addresses of the host of an address that the pack does not name.

        A name that only a proxy knows has none, and is the business of the proxy.
        """
        origin = origin_of(url)
        if origin is None:
            return HostAddresses(problem="its address is not a web address")
        addresses = await _look_up(origin)
        if problem := network_problem(origin.host, addresses):
            return HostAddresses(problem=problem)
        if self.is_proxied(origin):
            return HostAddresses()
        if not addresses:
            return HostAddresses(problem=f"the host {origin.host} cannot be found", is_unresolved=True)
        return HostAddresses(usable=addresses)

    def is_proxied(self, origin: Origin) -> bool:
        """Return whether a proxy connects to an origin in place of this machine."""
        if self._proxy is not None:
            return not any(_is_named(name, origin.host) for name in self._proxy.bypass)
        proxies = urllib.request.getproxies()
        is_set = origin.scheme in proxies or "all" in proxies
        return is_set and not urllib.request.proxy_bypass(f"{origin.host}:{origin.port}")


def _is_named(name: str, host: str) -> bool:
    """Return whether a name of ``bypass`` means a host; one that begins with a dot means all hosts below it."""
    return host.endswith(name) if name.startswith(".") else host == name


async def _look_up(origin: Origin) -> tuple[str, ...]:
    """Return all network addresses of a host, those of IPv4 first; empty if it cannot be resolved here."""
    try:
        entries: Sequence[tuple[object, object, object, object, Sequence[object]]] = await anyio.getaddrinfo(
            origin.host, origin.port
        )
    except (OSError, UnicodeError):
        return ()
    addresses = dict.fromkeys(str(place[0]) for *_, place in entries)
    return tuple(sorted(addresses, key=lambda address: ":" in address))
