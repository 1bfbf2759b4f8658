"""Which requests an order's page may send: reads only, and only to the portal. Pure.

Apart from triage as the one rule that keeps the portal unchanged.

A page belongs to others, and works under a person's login. So nothing goes out of it that could change anything, but
what the pack names (``site.posts``); and the page itself goes to the portal's hosts alone, and to those of its login
(``login.hosts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.portal.triage import leads_to

#: What asks and changes nothing, by the standard of the web.
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestRuling(Enum):
    """The decision on a request."""

    ALLOWED = auto()
    #: It could change something.
    BLOCKED = auto()
    #: It leads the page away from the portal.
    OFF_PORTAL = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request that a page is about to send."""

    method: str
    url: str
    #: Whether the page itself goes there.
    is_navigation: bool
    #: Origin of the page that sends it, where it is told.
    sender: str = ""
    #: Whether we press buttons of the page meanwhile, as the pack names them.
    is_clicking: bool = False


def rule_on_request(pack: Pack, base_url: str, request: PageRequest) -> RequestRuling:
    """Whether a request may leave the page of an order."""
    if origin_of(request.url) is None:
        return RequestRuling.ALLOWED  # no request of the network's: blob, data and the like
    is_home = pack.may_fetch(base_url, request.url)
    is_at_rest = not request.is_clicking  # where a button's file comes from is judged with the file
    if request.is_navigation and is_at_rest and not is_home and not pack.is_login_host(request.url):
        return RequestRuling.OFF_PORTAL
    if request.method in _READING:
        return RequestRuling.ALLOWED
    is_login = request.is_navigation and (pack.is_login_host(request.url) or pack.is_login_host(request.sender))
    is_pressed = request.is_clicking and request.method == "POST"
    may_go = is_login or (is_home and (is_pressed or leads_to(pack.site.posts, request.url)))
    return RequestRuling.ALLOWED if may_go else RequestRuling.BLOCKED
