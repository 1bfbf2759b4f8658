"""Faults that the demo portal can simulate: their kinds, the requests that they affect, and how often.

A fault is either registered by the admin API (``FaultRegistry``), or requested for one request (``__fault`` in its
query). This module does no I/O; ``request_filters`` applies the faults.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import anyio
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class FaultScope(StrEnum):
    """The requests that a fault affects."""

    ORDER_PAGE = "order_page"
    ATTACHMENT_LIST = "attachment_list"
    DOWNLOAD = "download"
    LOGIN = "login"
    ALL = "all"


class _FaultModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Latency(_FaultModel):
    """The normal response, after a delay or when the faults are cleared."""

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(default=300, ge=0, le=600_000)


class ErrorStatus(_FaultModel):
    """An error page with this status, optionally with Retry-After."""

    kind: Literal["status"] = "status"
    status: int = Field(default=500, ge=400, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)


class Hang(_FaultModel):
    """No response until the client disconnects."""

    kind: Literal["hang"] = "hang"


class Drop(_FaultModel):
    """The connection closes after this many bytes of the body."""

    kind: Literal["drop"] = "drop"
    after_bytes: int = Field(default=2048, ge=0)


class Maintenance(_FaultModel):
    """The maintenance page, with status 503 and without Retry-After."""

    kind: Literal["maintenance"] = "maintenance"


class SecondFactorRedirect(_FaultModel):
    """A redirect to the page that asks for a one-time code."""

    kind: Literal["second_factor"] = "second_factor"


class LoginRedirect(_FaultModel):
    """A redirect to the login page for this request only; the session stays active."""

    kind: Literal["logged_out"] = "logged_out"


class FatPage(_FaultModel):
    """The order page with a script that allocates this much memory."""

    kind: Literal["fat"] = "fat"
    size_mb: int = Field(default=300, ge=1, le=4000)


class CrashPage(_FaultModel):
    """The order page with a script that crashes its renderer within two seconds."""

    kind: Literal["crash"] = "crash"


class ChangedPage(_FaultModel):
    """The order on a page without any of the known ids, classes and texts."""

    kind: Literal["changed"] = "changed"


PageFault = FatPage | CrashPage | ChangedPage
"""Faults in the content of an order page; valid for order pages only."""

Fault = Latency | ErrorStatus | Hang | Drop | Maintenance | SecondFactorRedirect | LoginRedirect | PageFault

_FAULT: TypeAdapter[Fault] = TypeAdapter(
    Annotated[Fault, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)

_AMOUNTS = {"latency": "delay_ms", "drop": "after_bytes", "fat": "size_mb"}


class FaultRule(_FaultModel):
    """A fault that affects ``times`` requests, or all requests until it is cleared.

    With ``order`` it affects only the page, list and downloads of that order.
    """

    fault: Annotated[Fault, Field(discriminator="kind")]
    scope: FaultScope = FaultScope.ORDER_PAGE
    order: str | None = None
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.fault, PageFault) and self.scope is not FaultScope.ORDER_PAGE:
            raise ValueError(
                f"A {self.fault.kind} fault affects order pages only, not {self.scope}. Choose scope order_page."
            )
        if self.order is not None and self.scope is FaultScope.LOGIN:
            raise ValueError("The login belongs to no order. Omit the order, or choose another scope.")
        return self

    def applies_to(self, scope: FaultScope, order: str | None) -> bool:
        """Return whether the fault affects a request of this scope for this order."""
        return self.scope in (FaultScope.ALL, scope) and self.order in (None, order)


def fault_from_query(text: str, scope: FaultScope) -> Fault:
    """Parse the short form of a fault: its kind or an HTTP status, optionally with a colon and an amount.

    ``500``, ``503:30`` (Retry-After in seconds), ``latency:300`` (ms), ``fat:400`` (MB), ``drop:100`` (bytes) ...

    Raises:
        ValueError: The fault is unknown, or is not valid for this scope.
    """
    word, _, amount = text.partition(":")
    fields: dict[str, str] = {"kind": word}
    if word.isdecimal():
        fields = {"kind": "status", "status": word}
    if amount:
        fields[_AMOUNTS.get(word, "retry_after_s")] = amount
    return FaultRule(fault=_FAULT.validate_python(fields), scope=scope).fault


class FaultRegistry:
    """The registered faults, in the order of their registration."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        #: Set when the current faults are cleared.
        self.cleared = anyio.Event()

    def add(self, rule: FaultRule) -> None:
        """Register a fault, from the next request on."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Remove all faults, and end the delays of current requests."""
        self._rules.clear()
        self.cleared.set()
        self.cleared = anyio.Event()

    def rules(self) -> list[FaultRule]:
        """Return the remaining faults; ``times`` counts down."""
        return list(self._rules)

    def consume(self, scope: FaultScope, order: str | None) -> list[Fault]:
        """Return the faults of one request, and count down their ``times``."""
        faults: list[Fault] = []
        remaining: list[FaultRule] = []
        for rule in self._rules:
            if not rule.applies_to(scope, order):
                remaining.append(rule)
                continue
            faults.append(rule.fault)
            if rule.times is None:
                remaining.append(rule)
            elif rule.times > 1:
                remaining.append(rule.model_copy(update={"times": rule.times - 1}))
        self._rules = remaining
        return faults
