"""The interface over HTTP: what it takes and gives, and what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import anyio
import httpx
import pytest
from openpyxl import Workbook

from poolwright.domain.events import TaskEnded
from poolwright.domain.states import PoolStatus, WorkerStatus
from poolwright.service.api.middleware import RequestLimits
from poolwright.service.api.token_auth import WRONG_TOKENS_MAX
from tests.process.daemon.tmp_daemons import TOKEN, number, order_list, running_daemon, task_id

pytestmark = pytest.mark.timeout(90)
LISTS = "/api/v1/lists"


def workbook(*indexes: int) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Company", "PO_NUMBER"])
    for index in indexes:
        sheet.append(["A100", number(index)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


async def test_numbers_come_home_and_their_report_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        taken = await running.post(LISTS, {"numbers": [number(1), number(2), "x"], "name": "close"}, 201)
        await running.done(2)
        view = await running.get(f"{LISTS}/{taken['list_id']}")
        reports = {
            form: await running.client.get(f"{LISTS}/{taken['list_id']}/report", params={"format": form})
            for form in ("xlsx", "csv", "json")
        }

    assert (taken["new_count"], taken["source"]) == (2, "close")
    assert [(row["row_no"], row["reason"]) for row in taken["invalid"]] == [(3, "bad_number")]
    assert (view["counts"]["DONE"], view["outcomes"]) == (2, {"COMPLETED": 2})
    assert reports["xlsx"].content.startswith(b"PK")
    assert number(1) in reports["csv"].text
    assert "close" in reports["csv"].headers["content-disposition"]
    assert json.loads(reports["json"].text)


async def test_a_file_keeps_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        file = ("../../etc/orders march.xlsx", workbook(1, 2))
        answer = await running.client.post(f"{LISTS}/upload", files={"file": file})
        await running.done(2)
        report = await running.client.get(f"{LISTS}/{answer.json()['list_id']}/report?format=csv")
        lists = await running.get(LISTS)

    assert answer.status_code == 201
    assert answer.json()["source"] == "orders march.xlsx"
    assert [one["source"] for one in lists] == ["orders march.xlsx"]
    assert report.text.startswith("\ufeffCompany,PO_NUMBER,")
    assert not (tmp_path / "etc").exists()


async def test_a_column_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"PO_NUMBER,Other\n{number(1)},{number(2)}\n"
    async with running_daemon(tmp_path, monkeypatch) as running:
        told = {"column": "Other", "redo": "nothing"}
        answer = await running.client.post(f"{LISTS}/upload", files={"file": ("a.csv", text)}, data=told)
        await running.done(1)
        orders = await running.get("/api/v1/orders")

    assert answer.status_code == 201
    assert [one["number"] for one in orders["orders"]] == [number(2)]


async def test_orders_are_found_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["fail:no_permission", "finish"]}}
    async with running_daemon(tmp_path, monkeypatch, script) as running:
        await running.daemon.submit(order_list(*range(1, 8)))
        await running.done(7)
        pages: list[list[str]] = []
        after: str | None = None
        while not pages or after:
            page = await running.get("/api/v1/orders", params={"limit": 3, **({"after": after} if after else {})})
            pages.append([one["task_id"] for one in page["orders"]])
            after = page["next"]
        by = {
            asked: await running.get(f"/api/v1/orders?{asked}")
            for asked in (
                "outcome=FORBIDDEN",
                "reason=all_saved",
                "state=QUEUED",
                "text=15000004",
                "list_id=no",
            )
        }
        one = await running.get(f"/api/v1/orders/{quote(task_id(1), safe='')}")
        gone = await running.client.get("/api/v1/orders/demo:no")

    assert [one for page in pages for one in page] == [task_id(index) for index in range(1, 8)]
    assert [len(found["orders"]) for found in by.values()] == [1, 6, 0, 1, 0]
    assert (one["outcome"], one["reason"]) == ("FORBIDDEN", "no_permission")
    assert "administrator" in one["next_step"]
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


async def test_failures_are_grouped_and_a_class_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["fail:no_permission", "fail:no_permission", "finish"]}}
    async with running_daemon(tmp_path, monkeypatch, script) as running:
        await running.daemon.submit(order_list(1, 2, 3))
        await running.done(3)
        (failure,) = await running.get("/api/v1/failures")
        retried = await running.post("/api/v1/orders/retry", {"reason": "no_permission"})
        await running.until(lambda: sum(isinstance(event, TaskEnded) for event in running.events) == 5)
        after = await running.get("/api/v1/failures")

    assert (failure["reason"], failure["count"], failure["outcome"]) == ("no_permission", 2, "FORBIDDEN")
    assert failure["sentence"] == "The portal did not allow this login to see the order."
    assert {one["number"] for one in failure["orders"]} == {number(1), number(2)}
    assert retried == {"count": 2}
    assert after == []


async def test_the_pool_is_steered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.until(lambda: running.daemon.pool.workers[0].status is WorkerStatus.READY)
        ready = await running.client.get("/readyz")
        await running.post("/api/v1/pool/pause", status=204)
        await running.until(lambda: running.daemon.pool.status is PoolStatus.PAUSED)
        taken = await running.post(LISTS, {"numbers": [number(1)]}, 201)
        status = await running.get("/api/v1/status")
        called_off = await running.post("/api/v1/orders/cancel", {"list_id": taken["list_id"]})
        ended = (await running.get("/api/v1/status"))["ended_count"]
        view = await running.get(f"{LISTS}/{taken['list_id']}")
        await running.post("/api/v1/pool/resume", status=204)
        await running.until(lambda: running.daemon.pool.status is PoolStatus.READY)
        await running.post("/api/v1/workers/1/restart", status=202)
        await running.until(lambda: running.daemon.pool.workers[0].ref.generation == 2)
        missing = await running.client.post("/api/v1/workers/9/restart")
        await running.post("/api/v1/pool/drain", status=204)
        unready = await running.client.get("/readyz")
        refused = await running.client.post(LISTS, json={"numbers": [number(2)]})
        alive = await running.client.get("/healthz")

    assert (ready.status_code, ready.json()) == (200, {"is_ready": True, "reasons": []})
    assert (status["pool"]["status"], status["pool"]["open_count"]) == ("PAUSED", 1)
    assert status["workers"][0]["memory_bytes"] >= 0
    assert called_off == {"count": 1}
    assert (status["ended_count"], ended) == (0, 1), "a cancelled order has ended"
    assert (view["open_count"], view["ended_count"]) == (0, 1)
    assert missing.status_code == 404
    assert (unready.status_code, unready.json()["reasons"][0]) == (503, "The daemon is draining.")
    assert (refused.status_code, "Restart it to continue." in refused.json()["detail"]) == (503, True)
    assert alive.status_code == 200


async def test_lists_come_in_pages_and_say_that_there_are_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        for index in (1, 2, 3):
            await running.daemon.submit(order_list(index, source=f"list {index}"))
        first = await running.client.get(LISTS, params={"limit": 2})
        rest = await running.client.get(f"{LISTS}{first.links['next']['url']}")
        refused = await running.client.get(LISTS, params={"limit": 0})

    assert [one["source"] for one in first.json()] == ["list 3", "list 2"]
    assert ([one["source"] for one in rest.json()], rest.links) == (["list 1"], {})
    assert refused.status_code == 422


async def test_events_come_as_they_happen_and_go_on_where_a_reader_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(client: httpx.AsyncClient, count: int, after: str | None = None) -> list[tuple[str, str]]:
        headers = {} if after is None else {"Last-Event-ID": after}
        found: list[tuple[str, str]] = []
        async with client.stream("GET", "/api/v1/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            async for line in answer.aiter_lines():
                kind, _, value = line.partition(": ")
                name = value if kind == "id" else name
                if kind == "event":
                    found.append((name, value))
                if len(found) == count:
                    break
        return found

    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.daemon.submit(order_list(1))
        await running.done(1)
        life = f"{running.daemon.started_at.timestamp():.0f}"
        first = await read(running.client, 3, f"{life}-0")
        rest = await read(running.client, 2, first[0][0])
        other_life = await read(running.client, 1, "1-7")
        with anyio.fail_after(30):
            while running.daemon.events.subscriber_count:
                await anyio.lowlevel.checkpoint()

    assert [name for name, _ in first] == [f"{life}-{number}" for number in (1, 2, 3)]
    assert rest == first[1:]
    assert other_life == [("", "missed")], "what an earlier daemon told is gone"


class TestRefusals:
    async def test_without_the_token_nothing_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            document = (await running.client.get("/openapi.json")).json()
            async with httpx.AsyncClient(base_url=running.url) as other:
                answers = {
                    f"{method} {path}": (await other.request(method, path.format_map(Anything()))).status_code
                    for path, methods in document["paths"].items()
                    for method in methods
                    if path.startswith("/api/")
                }
        assert len(answers) >= 15
        assert set(answers.values()) == {401}

    async def test_wrong_tokens_are_few(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            wrong = [
                await running.client.get("/api/v1/status", headers={"Authorization": f"Bearer {TOKEN[:-1]}x"})
                for _ in range(WRONG_TOKENS_MAX + 1)
            ]
            right = await running.client.get("/api/v1/status")
            alive = await running.client.get("/healthz")

        assert [answer.status_code for answer in wrong] == [401] * WRONG_TOKENS_MAX + [429]
        assert int(wrong[-1].headers["retry-after"]) > 0
        assert (right.status_code, alive.status_code) == (200, 200), "nobody can lock the owner out"

    async def test_what_is_too_large_is_not_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = RequestLimits(body_bytes=1000, upload_bytes=5000)
        async with running_daemon(tmp_path, monkeypatch, limits=limits) as running:

            async def untold_length() -> AsyncGenerator[bytes]:
                for _ in range(3):
                    yield b"x" * 1000

            told = await running.client.post(LISTS, content=b"x" * 1001)
            as_json = {"Content-Type": "application/json"}
            untold = await running.client.post(LISTS, content=untold_length(), headers=as_json)
            upload = await running.client.post(f"{LISTS}/upload", files={"file": ("a.csv", b"x" * 6000)})
            small = await running.client.post(f"{LISTS}/upload", files={"file": ("a.csv", f"PO\n{number(1)}\n")})

        assert [told.status_code, untold.status_code, upload.status_code, small.status_code] == [413, 413, 413, 201]
        assert "split the list" in told.json()["detail"]

    async def test_what_comes_too_slowly_is_let_go(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = RequestLimits(body_s=0.2)
        async with running_daemon(tmp_path, monkeypatch, limits=limits) as running:
            host, port = running.url.removeprefix("http://").split(":")
            async with await anyio.connect_tcp(host, int(port)) as stream:
                head = f"POST {LISTS} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n"
                await stream.send(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
                with anyio.fail_after(30):
                    answer = await stream.receive()

        assert b" 408 " in answer.split(b"\r\n")[0]

    async def test_another_host_name_is_not_answered(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            answers = [
                (await running.client.get("/healthz", headers={"Host": host})).status_code
                for host in ("evil.example", "localhost:1", "127.0.0.1", "[::1]:8", "localhost.evil.example")
            ]

        assert answers == [421, 200, 200, 200, 421]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (LISTS, {"numbers": []}),
            (LISTS, {"numbers": ["x" * 300]}),
            (LISTS, {"numbers": ["PO1"], "more": 1}),
            (LISTS, {"numbers": "PO1"}),
            (LISTS, [1]),
            ("/api/v1/orders/retry", {}),
            ("/api/v1/orders/cancel", {"task_ids": []}),
            ("/api/v1/orders/retry", {"reason": "bad luck"}),
        ],
    )
    async def test_misshapen_requests_are_told_where(
        self, path: str, body: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            answer = await running.client.post(path, json=body)

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("body")

    async def test_a_list_without_orders_is_refused_in_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            answers = [
                await running.client.post(f"{LISTS}/upload", files={"file": (name, content)})
                for name, content in (("a.csv", b""), ("a.pdf", b"%PDF-1.7 x"), ("a.csv", b"Name\nAcme\n"))
            ]

        assert [answer.status_code for answer in answers] == [422] * 3
        assert "a PDF file" in answers[1].json()["detail"]

    async def test_evidence_is_that_of_the_order_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running_daemon(tmp_path, monkeypatch) as running:
            await running.daemon.submit(order_list(1))
            await running.done(1)
            order = f"/api/v1/orders/{quote(task_id(1), safe='')}/evidence"
            answers = [
                (await running.client.get(f"{order}/{name}")).status_code
                for name in ("page.png", "..%2f..%2ftoken", "%2e%2e", "..%5c..%5ctoken", "a.txt")
            ]

        assert set(answers) == {404}


class Anything(dict[str, str]):
    """Fills any place of a path."""

    def __missing__(self, key: str) -> str:
        return "1"
