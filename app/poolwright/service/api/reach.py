"""Who can reach a daemon at an address, and by which names it answers there."""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import replace
from ipaddress import ip_address

from poolwright.domain.errors import OptionsError
from poolwright.service.api.limits import LOOPBACK_NAMES, RequestLimits, is_address

WARNING = (
    "This daemon can be reached from the network: anyone with its token has full control, and the token is "
    "sent unencrypted. Put a proxy with TLS in front of it."
)


def is_local(host: str) -> bool:
    """Return whether only programs on this machine can connect to the host."""
    return host.lower().removesuffix(".") == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def check_reach(host: str, *, allows_remote: bool) -> None:
    """Make sure that a daemon is not opened to the network by accident.

    Raises:
        OptionsError: Others can ask there, and nobody said that they may.
    """
    if not is_local(host) and not allows_remote:
        raise OptionsError(
            f"host is {host!r}, which can be reached from the network. Add --allow-remote if this is intended."
        )


def limits_at(host: str, upload_bytes: int, further_names: Collection[str] = ()) -> RequestLimits:
    """What requests may be there. Names are answered that a web page of somebody else cannot take for itself.

    Args:
        host: Where the daemon listens.
        upload_bytes: Of a list that is sent.
        further_names: Those that a proxy in front is asked by, and hands on.
    """
    names = {_as_asked(name) for name in (host, *further_names)}
    own = RequestLimits(upload_bytes=upload_bytes, hosts=LOOPBACK_NAMES | names)
    if is_local(host):
        return own
    return replace(own, hosts={*own.hosts, socket.gethostname().lower()}, takes_addresses=True)


def _as_asked(name: str) -> str:
    """A name as browsers send it: letters beyond ASCII in the form that the network knows, and no dot at its end."""
    plain = name.lower().removesuffix(".")
    try:
        return plain.encode("idna").decode()
    except UnicodeError:  # an address, or none that any browser asks
        return plain
