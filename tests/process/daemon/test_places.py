"""What a foreign file name or an order's evidence leads to, and what is told while the journal is stuck."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import anyio
import httpx
import pytest

from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import WorkerStatus
from poolwright.domain.tasks import Report
from tests.process.daemon.tmp_daemons import number, order_list, running_daemon, task_id


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.timeout(90)
async def test_evidence_is_given_out_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.daemon._journal.accept(order_list(1))  # and no worker learns of it
        report = Report(reason=Reason.PORTAL_CHANGED, evidence=("page.html", "page.png", "gone.png"))
        await running.daemon._journal.finish(TaskId(task_id(1)), report, "")
        private = tmp_path / "out" / ".poolwright"
        folder = private / "evidence" / number(1) / "attempt-0"
        folder.mkdir(parents=True)
        (folder / "page.html").write_text("<script>steal()</script>")
        (folder / "page.png").write_bytes(b"\x89PNG")
        (folder / "other.txt").write_text("not of the report")
        (private / "token").write_text("secret")
        place = f"/api/v1/orders/{quote(task_id(1), safe='')}/evidence"
        source, picture = [await running.client.get(f"{place}/{name}") for name in ("page.html", "page.png")]
        refused = {
            name: await running.client.get(f"{place}/{name}")
            for name in (
                "gone.png",
                "other.txt",
                "..%2F..%2F..%2Ftoken",
                "..%2fattempt-0%2fpage.png",
                "%2e%2e%2ftoken",
                "page.png%00",
                "page.png%2f",
                "%2Fetc%2Fpasswd",
                "..\\token",
            )
        }

    assert source.headers["content-type"] == "text/plain; charset=utf-8"
    assert source.headers["content-disposition"].startswith("attachment")
    assert source.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in source.headers["content-security-policy"]
    assert (picture.headers["content-type"], picture.content) == ("image/png", b"\x89PNG")
    assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(refused, 404)
    assert not [name for name, answer in refused.items() if "secret" in answer.text or "root:" in answer.text]


@pytest.mark.timeout(90)
async def test_whether_it_is_ready_is_told_while_the_journal_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.until(lambda: running.daemon.pool.workers[0].status is WorkerStatus.READY)
        async with running.daemon._journal._writer.free:  # as if a change took for ever
            ready = await running.client.get("/readyz")

    assert ready.json() == {"is_ready": True, "reasons": []}


@pytest.mark.timeout(90)
async def test_reports_of_odd_names_are_read_by_many_at_once_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[httpx.Response] = []
    async with running_daemon(tmp_path, monkeypatch) as running:

        async def fetch(list_id: str, form: str) -> None:
            answers.append(await running.client.get(f"/api/v1/lists/{list_id}/report?format={form}"))

        for index, name in enumerate(("..", "a/../../b\0c", "\U0001f9fe" * 100, "CON", 'x"\r\nSet-Cookie: a=b')):
            body = {"numbers": [number(index)], "name": name}
            taken = await running.post("/api/v1/lists", body, 201)
            async with anyio.create_task_group() as tasks:
                for form in ("xlsx", "csv", "json", "xlsx"):
                    tasks.start_soon(fetch, taken["list_id"], form)
        await running.until(lambda: not names_in(tmp_path / "out" / ".poolwright" / "staging" / "reports"))
        outside = names_in(tmp_path)

    assert [answer.status_code for answer in answers] == [200] * 20
    assert all(len(answer.content) == int(answer.headers["content-length"]) for answer in answers)
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert outside == ["demo", "out", "runs"]
