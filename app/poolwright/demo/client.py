"""A running portal as its user sees it: where it is, how to log in, and the admin API in typed calls."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from poolwright.demo.catalogue.lists import ListedOrder
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.counters import Stats
from poolwright.demo.endpoints.admin import FAULTS, PREFIX, ROWS, STATS, TOKEN_HEADER, TRUTHS, VISITORS
from poolwright.demo.faults import Fault, Scope, StandingFault

_READ_S = 60.0
"""The first truth of thousands of orders takes seconds."""
IN_THE_CLEAR = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody and so loads no certificates, which would take longer than a call: the portal has none itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One running portal. Every call opens a connection of its own and raises ``httpx.HTTPError`` when it fails."""

    url: str
    admin_token: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    pid: int

    def order_url(self, number: str) -> str:
        """The page of an order."""
        return f"{self.url}/order_headers/{number}"

    async def truth(self, *numbers: str) -> dict[str, OrderTruth]:
        """What must come of these orders, by number; of all of them, listed and odd, when none is named."""
        return TRUTHS.validate_json(await self._ask("GET", "/truth", params={"order": list(numbers)}))

    async def orders(self, count: int = 40, *, is_messy: bool = False) -> list[ListedOrder]:
        """The list that a user would bring: clean, or as people type it."""
        variant = "messy" if is_messy else "clean"
        return ROWS.validate_json(await self._ask("GET", "/orders", params={"count": count, "variant": variant}))

    async def stats(self) -> Stats:
        """What was asked of the portal so far."""
        return STATS.validate_json(await self._ask("GET", "/stats"))

    async def reset_stats(self) -> None:
        """Count from zero again."""
        await self._ask("DELETE", "/stats")

    async def add_fault(
        self, fault: Fault, scope: Scope = Scope.ORDER_PAGE, *, order: str | None = None, times: int | None = None
    ) -> None:
        """Let a fault strike ``times`` requests of a scope, or all of them until it is cleared."""
        standing = StandingFault(fault=fault, scope=scope, order=order, times=times)
        await self._ask("POST", "/faults", content=standing.model_dump_json())

    async def faults(self) -> list[StandingFault]:
        """The faults that are still to strike."""
        return FAULTS.validate_json(await self._ask("GET", "/faults"))

    async def clear_faults(self) -> None:
        """End all faults."""
        await self._ask("DELETE", "/faults")

    async def expire_sessions(self, *, after_pages: int = 0, times: int = 1) -> None:
        """Log everybody out: at once, or when the order page after so many more is asked for, so many times over."""
        await self._ask("POST", "/expire", json={"after_pages": after_pages, "times": times})

    async def visitors(self) -> dict[str, str]:
        """Everybody who is logged in: values of the session cookie, each with that of the cookie without expiry."""
        return VISITORS.validate_json(await self._ask("GET", "/sessions"))

    async def admit(self, visitors: Mapping[str, str]) -> None:
        """Let in whoever has these cookies, as ``visitors`` gives them."""
        await self._ask("POST", "/sessions", json=visitors)

    async def require_visit_cookie(self, *, is_required: bool) -> None:
        """Say whether a login needs the cookie without expiry too."""
        await self._ask("POST", "/rules", json={"require_visit_cookie": is_required})

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int | list[str]] | None = None,
        json: Mapping[str, int | bool | str] | None = None,
        content: str | None = None,
    ) -> bytes:
        headers = {TOKEN_HEADER: self.admin_token}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=_READ_S, trust_env=False, verify=IN_THE_CLEAR
        ) as client:
            answer = await client.request(method, PREFIX + path, params=params, json=json, content=content)
        return answer.raise_for_status().content
