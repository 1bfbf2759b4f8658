"""Rules on the requests of an order's page, so that a run changes nothing on the portal. Pure.

A page is not ours, and runs with a person's login. So requests that could change data are blocked unless the pack
allows them (``site.posts``), and the page may navigate only to the portal's hosts and to those of its login
(``login.hosts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase

from poolwright.domain.options import Skipped
from poolwright.portal.addresses import origin_of
from poolwright.portal.calls.post_rule import PostRule
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
    #: Its address is listed, but not with such a body.
    OTHER_BODY = auto()
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
    #: The header of that name.
    content_type: str = ""
    #: What it sends; ``None`` if that is not known.
    body: bytes | None = None


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
    if is_login or (is_portal and (is_pressed or leads_to(free_addresses(pack), request.url))):
        return RequestRuling.ALLOWED
    return _rule_on_body(body_problems(pack, request) if is_portal else [])


def _rule_on_body(problems: list[str]) -> RequestRuling:
    if not problems:
        return RequestRuling.BLOCKED
    return RequestRuling.ALLOWED if "" in problems else RequestRuling.OTHER_BODY


def free_addresses(pack: Pack) -> tuple[str, ...]:
    """Return the addresses of a pack's listed calls whose body may be any."""
    return tuple(post for post in pack.site.posts if isinstance(post, str))


def body_problems(pack: Pack, request: PageRequest) -> list[str]:
    """Return, for each listed call with the address of a request, why its body is none of that call.

    An empty text stands for a body that is. What a WebSocket sends is never known.
    """
    rules = [post for post in pack.site.posts if isinstance(post, PostRule) and leads_to((post.address,), request.url)]
    body = None if request.is_socket else request.body
    return [rule.problem_of(request.content_type, body) for rule in rules]


def is_named(pack: Pack, base_url: str, url: str) -> bool:
    """Return whether the pack names the host of an address, so that it may be in any network."""
    return pack.may_fetch(base_url, url) or pack.is_login_host(url)


#: Kinds of requests that the guard leaves out, by the browser's names; images and fonts a browser leaves out by itself.
_SKIPPED_KINDS = {Skipped.MEDIA: "Media"}


def is_skipped(pack: Pack, kind: str, request: PageRequest) -> bool:
    """Return whether an order's page does not need what a request brings, by its pack; never the page itself.

    Args:
        pack: The portal's pack.
        kind: What is requested, by the browser's name.
        request: The request.
    """
    if request.is_navigation:
        return False
    origin = origin_of(request.url)
    is_of_host = origin is not None and any(fnmatchcase(origin.host, host) for host in pack.site.skip_hosts)
    return is_of_host or kind in skipped_kinds(pack)


def skipped_kinds(pack: Pack) -> tuple[str, ...]:
    """Return the kinds of requests that the guard leaves out, by the browser's names."""
    return tuple(kind for skipped, kind in _SKIPPED_KINDS.items() if skipped in pack.site.skip)


def skipped_patterns(pack: Pack) -> tuple[str, ...]:
    """Return patterns of the browser for the addresses of the hosts that the guard leaves out."""
    return tuple(f"*://{host}{rest}" for host in pack.site.skip_hosts for rest in ("/*", ":*"))


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
