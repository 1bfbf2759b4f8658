"""How many cookies a profile holds for a site. Never their names or values: both travel and are told to people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCookies:
    """The unexpired cookies of one host, as a browser keeps them apart."""

    #: Host of the cookies; one that begins with a dot covers the hosts below it too.
    site: str
    #: Cookies with an expiry.
    lasting_count: int
    #: Cookies that end with the browser, unless it is told to restore its session.
    session_count: int
