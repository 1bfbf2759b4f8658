"""Rules on the requests of an order's page, so that a run changes nothing on the portal. Pure.

A page is not ours, and runs with a person's login. So requests that could change data are blocked unless the pack
allows them (``site.posts``), and the page may navigate only to the portal's hosts and to those of its login
(``login.hosts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase

from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import OtherHosts
from poolwright.portal.page_facts import leads_to

#: Methods that change nothing, by the HTTP standard.
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestRuling(Enum):
    """The decision on a request."""

    ALLOWED = auto()
    #: It could change data.
    BLOCKED = auto()
    #: It navigates away from the portal.
    OFF_PORTAL = auto()
    #: It goes to a host that the pack does not name, and the pack blocks all of these.
    OTHER_HOST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request of a page before it is sent."""

    method: str
    url: str
    #: Whether the page itself navigates to the address.
    is_navigation: bool
    #: Origin of the page that sends it, if it is known.
    sender: str = ""
    #: Whether the worker clicks elements that the pack names (``clicks``) at the same time.
    is_clicking: bool = False
    #: Whether it opens a WebSocket, on which anything may be sent.
    is_socket: bool = False


def rule_on_request(pack: Pack, base_url: str, request: PageRequest) -> RequestRuling:
    """Return the ruling on a request of an order's page.

    Args:
        pack: The portal's pack.
        base_url: Address of the portal.
        request: The request.
    """
    if origin_of(request.url) is None:
        return RequestRuling.ALLOWED  # not a network request: blob, data and the like
    is_portal = pack.may_fetch(base_url, request.url)
    is_idle = not request.is_clicking  # the address of a clicked file is checked with its download
    if request.is_navigation and is_idle and not is_portal and not pack.is_login_host(request.url):
        return RequestRuling.OFF_PORTAL
    is_named = is_portal or pack.is_login_host(request.url)
    if pack.site.other_hosts is OtherHosts.BLOCK and not is_named and not (request.is_navigation and not is_idle):
        return RequestRuling.OTHER_HOST
    if request.method in _READING and not request.is_socket:
        return RequestRuling.ALLOWED
    is_login = request.is_navigation and (pack.is_login_host(request.url) or pack.is_login_host(request.sender))
    is_pressed = request.is_clicking and request.method == "POST" and not request.is_socket
    may_go = is_login or (is_portal and (is_pressed or leads_to(pack.site.posts, request.url)))
    return RequestRuling.ALLOWED if may_go else RequestRuling.BLOCKED


def is_named(pack: Pack, base_url: str, url: str) -> bool:
    """Return whether the pack names the host of an address, so that it may be in any network."""
    return pack.may_fetch(base_url, url) or pack.is_login_host(url)


#: Beginnings of the hosts that are not on the internet, as the browser writes them; ``?`` is any character.
_LOCAL_HOSTS = (
    "localhost",
    "*.localhost",
    "0.",
    "10.",
    "100.",
    "127.",
    "169.254.",
    "172.1?.",
    "172.2?.",
    "172.3?.",
    "192.168.",
    "[",
)


def local_patterns(base_url: str) -> tuple[str, ...]:
    """Return the patterns of addresses that are checked whatever they are for, since they may not be on the internet.

    Without those that the portal itself matches: each of its images would be checked.
    """
    portal = origin_of(base_url)
    host = "" if portal is None else f"[{portal.host}" if ":" in portal.host else portal.host
    return tuple(f"*://{start}*" for start in _LOCAL_HOSTS if not fnmatchcase(host, f"{start.replace('[', '[[]')}*"))
