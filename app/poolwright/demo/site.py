"""Everything that one running portal owns, made once and given to every endpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from poolwright.demo.assets import Asset, make_assets
from poolwright.demo.catalogue.orders import Catalogue
from poolwright.demo.counters import Counters
from poolwright.demo.faults import FaultBook
from poolwright.demo.second_factor import SecondFactor
from poolwright.demo.sessions import Account, Sessions
from poolwright.demo.shelf import Shelf

_SHELF_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One portal. The parts change by their own methods only."""

    admin_token: str
    catalogue: Catalogue
    shelf: Shelf
    sessions: Sessions
    account: Account = field(default_factory=Account)
    #: Nothing where the password is enough.
    second_factor: SecondFactor | None = None
    faults: FaultBook = field(default_factory=FaultBook)
    counters: Counters = field(default_factory=Counters)
    assets: Mapping[str, Asset] = field(default_factory=make_assets)


def make_site(
    *, seed: int, order_count: int, session_minutes: float | None, admin_token: str, totp_secret: str = ""
) -> Site:
    """Set up a portal; sessions unused for ``session_minutes`` end, or never where nothing is given."""
    return Site(
        admin_token=admin_token,
        catalogue=Catalogue(seed, order_count),
        account=Account(totp_secret=totp_secret),
        second_factor=SecondFactor(totp_secret, time.time) if totp_secret else None,  # noqa: TID251 - the clock
        shelf=Shelf(seed=seed, room_bytes=_SHELF_BYTES),
        sessions=Sessions(clock=time.monotonic, lifetime_s=None if session_minutes is None else session_minutes * 60),
    )


def site_of(request: Request) -> Site:
    """The portal that a request came to."""
    site: Site = request.app.state.site
    return site
