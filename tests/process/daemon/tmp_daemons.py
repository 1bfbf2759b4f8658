"""A daemon with scripted workers on a real journal and a real output folder, and somebody who asks it over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from poolwright.cli.remote.health import NO_TLS_CONTEXT
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.events import Event
from poolwright.domain.tasks import OrderList
from poolwright.intake.orders import ReadOptions, orders_from_numbers
from poolwright.portal import pack as packs
from poolwright.service.api.app import ApiDeps, make_app
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server
from poolwright.service.api.middleware import RequestLimits
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.daemon.lifecycle import DaemonConfig, open_daemon
from tests.support.event_capture import EventCapture
from tests.support.scripted_pool import SCRIPTED, pool_options

TOKEN = "t" * 43
FINISH: Mapping[str, Any] = {"*": {"tasks": ["finish"]}}
READING = ReadOptions(portal_name="demo", rules=packs.load("demo").numbers)


def number(index: int) -> str:
    """An order number that the demo portal's rules take."""
    return f"PO{15_000_000 + index}"


def order_list(*indexes: int, source: str = "test") -> OrderList:
    return orders_from_numbers([number(index) for index in indexes], READING, source)


def task_id(index: int) -> str:
    return f"demo:{15_000_000 + index}"


def house(root: Path, **changes: Any) -> DaemonConfig:  # noqa: ANN401 - options by name
    (root / "out" / ".poolwright").mkdir(parents=True, exist_ok=True)
    base = root / "demo" / "base"
    if base.exists():
        changes["base"] = base
    template, group_by = changes.pop("template", "{supplier}/{number}"), changes.pop("group_by", "")
    pool = replace(pool_options(root, **changes), waits_for_login=True, keeps_queue=True)
    return DaemonConfig(
        pool=pool,
        out=root / "out",
        template=template,
        known_fields=frozenset({"supplier"}),
        journal_path=root / "out" / ".poolwright" / "journal.db",
        group_by=group_by,
        account=Account.at("https://portal.example", portal="demo", profile="demo"),
        module=SCRIPTED,
    )


@dataclass(kw_only=True)
class Running:
    """A daemon, and a client that has its token."""

    daemon: Daemon
    client: httpx.AsyncClient
    url: str
    capture: EventCapture

    @property
    def events(self) -> list[Event]:
        """What it told."""
        return self.capture.events

    async def until(self, is_true: Callable[[], object]) -> None:
        """Wait for something that shows with an event; as long as a worker lives there is one every two seconds."""
        with anyio.fail_after(60):
            await self.capture.until(is_true)

    async def done(self, count: int) -> None:
        """Wait until so many orders of the journal are over."""
        with anyio.fail_after(60):
            async with self.daemon.events.subscribe() as happening:
                while (await self.daemon.status()).counts["DONE"] < count:
                    await happening.receive()

    async def get(self, path: str, **asked: Any) -> Any:  # noqa: ANN401 - JSON
        """What a path answers, which must be well."""
        answer = await self.client.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        answer = await self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@asynccontextmanager
async def running_daemon(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: Mapping[str, Any] = FINISH,
    limits: RequestLimits | None = None,
    **changes: Any,  # noqa: ANN401 - options by name
) -> AsyncGenerator[Running]:
    """Open it, serve it on a free port, and leave nothing behind."""
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps(script))
    clock = SystemClock()
    capture = EventCapture()
    with open_listener(ListenAddress(host="127.0.0.1", port=0)) as listener:
        async with open_daemon(house(root, **changes), clock, capture) as daemon:
            door = ApiDeps(
                daemon=daemon,
                reading=READING,
                token=TOKEN,
                monotonic=clock.monotonic,
                limits=limits or RequestLimits(),
            )
            url, headers = listener_url(listener), {"Authorization": f"Bearer {TOKEN}"}
            async with (
                run_server(make_app(door), listener),
                httpx.AsyncClient(base_url=url, headers=headers, timeout=30, verify=NO_TLS_CONTEXT) as client,
            ):
                yield Running(daemon=daemon, client=client, url=url, capture=capture)
                await daemon.close()
    assert list((root / "runs").glob("*")) == []
