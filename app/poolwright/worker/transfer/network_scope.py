"""The scope of a network address, and whether a host that the pack does not name may be requested. Pure.

What the pack does not name is only reached on the internet: a page or a redirect must not lead into this machine or
into a network that only this machine sees.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from enum import StrEnum


class NetworkScope(StrEnum):
    """The scope of a network address."""

    PUBLIC = "the internet"
    PRIVATE = "a private network"
    LINK_LOCAL = "the local link"
    LOOPBACK = "this machine"
    RESERVED = "a reserved network"


#: Addresses of IPv6 whose last 32 bits are one of IPv4, which a translator in the network reaches.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def network_scope(address: str) -> NetworkScope:
    """Return the scope of a numeric network address; ``RESERVED`` for any other text."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return NetworkScope.RESERVED
    inner = _inner(ip) if isinstance(ip, ipaddress.IPv6Address) else ip
    if inner.is_loopback:
        return NetworkScope.LOOPBACK
    if inner.is_link_local:
        return NetworkScope.LINK_LOCAL
    if inner.is_unspecified or inner.is_multicast or inner.is_reserved:
        return NetworkScope.RESERVED
    is_site_local = isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local
    return NetworkScope.PUBLIC if inner.is_global and not is_site_local else NetworkScope.PRIVATE


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address of IPv4 that an address of IPv6 contains and leads to; else the address itself."""
    if any(ip in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


def network_problem(host: str, addresses: Collection[str]) -> str:
    """Return the reason not to request a host that the pack does not name; empty if it may be requested.

    Args:
        host: The name of the host, for the sentence.
        addresses: Its network addresses; empty if only a proxy can find them.
    """
    wrong = next((scope for scope in map(network_scope, addresses) if scope is not NetworkScope.PUBLIC), None)
    return (
        "" if wrong is None else f"its address leads to {host} in {wrong}, and the portal pack does not name that host"
    )
