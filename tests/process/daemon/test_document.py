"""The interface against its own document: made-up requests, right and wrong ones, meet no defect."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeAlias

import anyio.to_thread
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.process.daemon.tmp_daemons import TOKEN, order_list, running_daemon

AnyOperation: TypeAlias = APIOperation[Any, Any, Any, Any]
pytestmark = pytest.mark.timeout(120)

#: A stream has no end, and a daemon that drains answers 503 by right.
ELSEWHERE = {"/api/v1/events", "/api/v1/pool/drain"}
RIGHT = {"Authorization": f"Bearer {TOKEN}"}
LIMIT_S = 20
#: Of each kind for each operation. The same ones in every run.
EXAMPLE_COUNT = 8


def ask(operation: AnyOperation, mode: GenerationMode, session: requests.Session) -> None:
    @settings(
        max_examples=EXAMPLE_COUNT,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def meets_no_defect(case: Case[Any]) -> None:
        answer = case.call(session=session, headers=RIGHT, timeout=LIMIT_S)
        told = answer.headers.get("content-type", [""])[0]
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        assert answer.status_code < 400 or told == "application/problem+json", (case.as_curl_command(), answer.text)
        assert answer.status_code != 401

    meets_no_defect()


def ask_everything(url: str) -> tuple[list[str], list[str]]:
    """Ask every operation of the document; returns which were asked, and which of them wrongly too."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    schema.config.generation.update(with_security_parameters=False)  # without the token nothing can be found out
    asked: list[str] = []
    asked_wrongly: list[str] = []
    with requests.Session() as session:
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            if operation.path in ELSEWHERE:
                continue
            ask(operation, GenerationMode.POSITIVE, session)
            with contextlib.suppress(Unsatisfiable):  # some take nothing that could be wrong
                ask(operation, GenerationMode.NEGATIVE, session)
                asked_wrongly.append(operation.path)
            asked.append(f"{operation.method.upper()} {operation.path}")
    return asked, asked_wrongly


async def test_no_request_meets_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["fail:no_permission", "finish"]}}
    async with running_daemon(tmp_path, monkeypatch, script) as running:
        taken = await running.daemon.submit(order_list(1, 2, 3))
        await running.done(3)
        document = await running.get("/openapi.json")

        asked, asked_wrongly = await anyio.to_thread.run_sync(ask_everything, running.url)

        alive = await running.client.get("/healthz")

    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert taken.new_count == 3
    assert operations - set(asked) == {"GET /api/v1/events", "POST /api/v1/pool/drain"}
    assert len(asked_wrongly) >= 6
    assert alive.status_code == 200


async def test_the_document_shows_how_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        document = await running.get("/openapi.json")

    shapes = document["components"]["schemas"]
    assert shapes["NumbersIn"]["examples"]
    assert shapes["OrderSelection"]["examples"]
    assert all(
        method["security"]
        for path, methods in document["paths"].items()
        for method in methods.values()
        if path.startswith("/api/")
    )
