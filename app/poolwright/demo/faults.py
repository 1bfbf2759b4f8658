"""Faults that the portal shows on demand: which there are, where they strike, and how often.

Two ways to ask for one: standing faults (``FaultBook``, by the admin API) and a fault for one request alone
(``__fault`` in its address). Here is no I/O; ``strike`` acts them out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import anyio
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class FaultScope(StrEnum):
    """The requests that a fault strikes."""

    ORDER_PAGE = "order_page"
    ATTACHMENT_LIST = "attachment_list"
    DOWNLOAD = "download"
    LOGIN = "login"
    ALL = "all"


class _FaultModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Latency(_FaultModel):
    """The answer comes late, or when the faults are cleared, and is otherwise right."""

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(default=300, ge=0, le=600_000)


class ErrorStatus(_FaultModel):
    """An error page with that status; 429 and 503 may say when to come back."""

    kind: Literal["status"] = "status"
    status: int = Field(default=500, ge=400, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)


class Hang(_FaultModel):
    """No answer until the client goes away."""

    kind: Literal["hang"] = "hang"


class Drop(_FaultModel):
    """The connection breaks after so many bytes of the body."""

    kind: Literal["drop"] = "drop"
    after_bytes: int = Field(default=2048, ge=0)


class Maintenance(_FaultModel):
    """The maintenance page, status 503 without Retry-After."""

    kind: Literal["maintenance"] = "maintenance"


class SecondFactorRedirect(_FaultModel):
    """A redirect to the page that asks for a code."""

    kind: Literal["second_factor"] = "second_factor"


class LoginRedirect(_FaultModel):
    """A redirect to the login page, for this request only: the session lives on."""

    kind: Literal["logged_out"] = "logged_out"


class FatPage(_FaultModel):
    """The order page, whose script takes and keeps that much memory."""

    kind: Literal["fat"] = "fat"
    size_mb: int = Field(default=300, ge=1, le=4000)


class CrashPage(_FaultModel):
    """The order page, whose script kills its renderer within a second or two."""

    kind: Literal["crash"] = "crash"


class ChangedPage(_FaultModel):
    """The order on a page that has none of the known ids, classes and texts."""

    kind: Literal["changed"] = "changed"


PageFault = FatPage | CrashPage | ChangedPage
"""Faults in what an order page holds; they strike nothing but order pages."""

Fault = Latency | ErrorStatus | Hang | Drop | Maintenance | SecondFactorRedirect | LoginRedirect | PageFault

_FAULT: TypeAdapter[Fault] = TypeAdapter(
    Annotated[Fault, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)

_AMOUNTS = {"latency": "delay_ms", "drop": "after_bytes", "fat": "size_mb"}


class FaultRule(_FaultModel):
    """A fault that strikes ``times`` requests, or all of them until it is cleared.

    With ``order`` it strikes the page, list and downloads of that order alone.
    """

    fault: Annotated[Fault, Field(discriminator="kind")]
    scope: FaultScope = FaultScope.ORDER_PAGE
    order: str | None = None
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.fault, PageFault) and self.scope is not FaultScope.ORDER_PAGE:
            raise ValueError(f"A {self.fault.kind} fault strikes order pages only, not {self.scope}.")
        if self.order is not None and self.scope is FaultScope.LOGIN:
            raise ValueError("The login belongs to no order: leave the order out, or choose another scope.")
        return self

    def applies_to(self, scope: FaultScope, order: str | None) -> bool:
        """Whether a request of that scope, for that order, is meant."""
        return self.scope in (FaultScope.ALL, scope) and self.order in (None, order)


def fault_from_query(text: str, scope: FaultScope) -> Fault:
    """Read the short form of a fault: its kind or a status, then perhaps a colon and an amount.

    ``500``, ``503:30`` (Retry-After in seconds), ``latency:300`` (ms), ``fat:400`` (MB), ``drop:100`` (bytes) ...

    Raises:
        ValueError: No fault is called so, or it can't strike here.
    """
    word, _, amount = text.partition(":")
    told: dict[str, str] = {"kind": word}
    if word.isdecimal():
        told = {"kind": "status", "status": word}
    if amount:
        told[_AMOUNTS.get(word, "retry_after_s")] = amount
    return FaultRule(fault=_FAULT.validate_python(told), scope=scope).fault


class FaultRegistry:
    """The standing faults, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._standing: list[FaultRule] = []
        #: Set when the faults that stand now are cleared.
        self.cleared = anyio.Event()

    def add(self, fault: FaultRule) -> None:
        """Let it strike from the next request on."""
        self._standing.append(fault)

    def clear(self) -> None:
        """Let nothing strike any more, and let go what waits."""
        self._standing.clear()
        self.cleared.set()
        self.cleared = anyio.Event()

    def rules(self) -> list[FaultRule]:
        """What is still to strike; ``times`` counts down."""
        return list(self._standing)

    def consume(self, scope: FaultScope, order: str | None) -> list[Fault]:
        """The faults of one request. Each loses one of its times."""
        struck: list[Fault] = []
        left: list[FaultRule] = []
        for standing in self._standing:
            if not standing.applies_to(scope, order):
                left.append(standing)
                continue
            struck.append(standing.fault)
            if standing.times is None:
                left.append(standing)
            elif standing.times > 1:
                left.append(standing.model_copy(update={"times": standing.times - 1}))
        self._standing = left
        return struck
