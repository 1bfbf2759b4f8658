"""Rules on the requests of an order's page, so that a run changes nothing on the portal. Pure.

A page is not ours, and runs with a person's login. So requests that could change data are blocked unless the pack
allows them (``site.posts``), and the page may navigate only to the portal's hosts and to those of its login
(``login.hosts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
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
    if request.method in _READING:
        return RequestRuling.ALLOWED
    is_login = request.is_navigation and (pack.is_login_host(request.url) or pack.is_login_host(request.sender))
    is_pressed = request.is_clicking and request.method == "POST"
    may_go = is_login or (is_portal and (is_pressed or leads_to(pack.site.posts, request.url)))
    return RequestRuling.ALLOWED if may_go else RequestRuling.BLOCKED
