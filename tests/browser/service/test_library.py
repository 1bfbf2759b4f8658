"""The pool as a library, on real workers and real Chromium."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from poolwright.domain.errors import SetupError
from poolwright.domain.events import Event, Notice
from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.journal.errors import JournalError
from poolwright.profile.errors import ProfileDamagedError
from poolwright.service.library import Callbacks, new_task
from tests.support import own_processors
from tests.support.machine import ROOMY
from tests.support.own_pool import own_pool
from tests.support.portal import CHROMIUM, needs_chromium

PAGE = "<title>Quotation 7</title>"


@pytest.mark.timeout(90)
@needs_chromium
class TestOpenPool:
    async def test_crash_memory_and_completion_are_told(self, tmp_path: Path) -> None:
        crashes: list[tuple[str, str]] = []
        memory: list[tuple[WorkerRef, int]] = []
        done: list[tuple[POTask, Report]] = []
        measured = anyio.Event()

        def measure(worker: WorkerRef, size_bytes: int) -> None:
            memory.append((worker, size_bytes))
            if size_bytes:
                measured.set()

        watch = Callbacks(
            crash=lambda worker, cause: crashes.append((worker, cause)),
            memory=measure,
            completion=lambda task, report: done.append((task, report)),
        )
        async with own_pool(tmp_path, own_processors.die_once, watch=watch) as pool:
            report = await (await pool.submit_task(new_task("a", PAGE)))
            with anyio.fail_after(30):
                await measured.wait()

        assert crashes == [("worker-1", "its process was killed by signal 9")]
        assert [(task.po_number, task.attempt, told) for task, told in done] == [("a", 2, report)]
        assert report is not None
        assert report.fields == {"title": "Quotation 7"}

    async def test_an_error_of_the_caller_comes_out_as_it_is(self, tmp_path: Path) -> None:
        async def divide() -> None:
            async with own_pool(tmp_path) as pool:
                await pool.submit_task(new_task("a", PAGE))
                _ = 1 / 0

        with pytest.raises(ZeroDivisionError):
            await divide()

    async def test_a_task_left_behind_is_taken_up_by_the_next_pool(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path) as pool:
            pool.pause()
            await pool.submit_task(new_task("a", PAGE))
            pool.stop()
        ended: list[POTask] = []
        async with own_pool(tmp_path, watch=Callbacks(completion=lambda task, _: ended.append(task))) as pool:
            assert await pool.finish() is None

        assert [task.po_number for task in ended] == ["a"]

    async def test_a_task_that_was_called_off_stays_so(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path) as pool:
            pool.pause()
            assert await (await pool.submit_task(new_task("a", PAGE))).cancel()
            pool.stop()
        ended: list[POTask] = []
        async with own_pool(tmp_path, watch=Callbacks(completion=lambda task, _: ended.append(task))) as pool:
            assert await pool.finish() is None
            with anyio.fail_after(30):
                report = await (await pool.submit_task(new_task("a", PAGE)))

        assert ended == []
        assert report is not None
        assert report.reason is Reason.BY_REQUEST

    async def test_a_profile_that_was_cut_off_while_it_was_made_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def die(*, base: Path, **_: object) -> None:
            (base / "Default").mkdir(parents=True)
            raise SetupError("killed")

        private = tmp_path / "out" / ".poolwright"
        with monkeypatch.context() as dying:
            dying.setattr("poolwright.service.library.make_base_profile", die)
            with pytest.raises(SetupError, match="killed"):
                async with own_pool(tmp_path, makes_base=True):
                    pass
        assert not list(private.glob("base*"))
        leftover = private / "base.part" / "leftover"  # of a process that was killed the hard way
        leftover.mkdir(parents=True)

        async with own_pool(tmp_path, makes_base=True) as pool:
            report = await (await pool.submit_task(new_task("a", PAGE)))

        assert report is not None
        assert report.reason is Reason.ALL_SAVED
        assert not (private / "base.part").exists()
        assert not (private / "base" / "leftover").exists()

    async def test_its_own_profile_is_sealed_and_made_anew_when_it_was_damaged_and_removed(
        self, tmp_path: Path
    ) -> None:
        base = tmp_path / "out" / ".poolwright" / "base"
        notices: list[str] = []

        def watch(event: Event) -> None:
            if isinstance(event, Notice):
                notices.append(event.text)

        async with own_pool(tmp_path, makes_base=True, browser_path=CHROMIUM, watch=watch) as pool:
            await (await pool.submit_task(new_task("a", PAGE)))
        (base / "Default/Preferences").write_bytes(b"{}")
        with pytest.raises(ProfileDamagedError, match="Default/Preferences changed") as caught:
            async with own_pool(tmp_path, makes_base=True, browser_path=CHROMIUM):
                pytest.fail("it runs")
        shutil.rmtree(base)
        async with own_pool(tmp_path, makes_base=True, browser_path=CHROMIUM) as pool:
            report = await (await pool.submit_task(new_task("b", PAGE)))

        assert f"Remove {base}; the next start creates it again." in str(caught.value)
        assert not [text for text in notices if "unsealed" in text]
        assert report is not None
        assert report.reason is Reason.ALL_SAVED

    async def test_the_log_tells_where_a_processor_failed(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path, own_processors.fail, max_attempts=1) as pool:
            report = await (await pool.submit_task(new_task("a")))

        assert report is not None
        assert report.reason is Reason.PROCESSOR_ERROR
        lines = (tmp_path / "out" / ".poolwright" / "log.jsonl").read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        assert any("own_processors.py" in text and "in fail" in text for text in texts), texts
        assert any(text.startswith("a FAILED") for text in texts), texts

    async def test_the_log_goes_where_the_settings_say(self, tmp_path: Path) -> None:
        file = tmp_path / "elsewhere" / "log.jsonl"
        async with own_pool(tmp_path, sandbox="off", log_file=file, log_level="error"):
            pass

        assert file.read_text(encoding="utf-8") == ""
        assert not (tmp_path / "out" / ".poolwright" / "log.jsonl").exists()

    async def test_one_folder_has_one_pool(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path):
            with pytest.raises(JournalError):
                async with own_pool(tmp_path):
                    pass

    async def test_purchase_orders_want_a_portal(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path, "po_attachments") as pool:
            handle = await pool.submit_task(new_task("a"))
            with anyio.fail_after(60), pytest.raises(SetupError, match="needs a portal"):
                await handle

    async def test_a_browser_without_its_sandbox_is_told(self, tmp_path: Path) -> None:
        events: list[Event] = []
        async with own_pool(tmp_path, sandbox="off", watch=events.append):
            pass

        assert any("without Chromium's own sandbox" in str(event) for event in events)

    async def test_what_auto_took_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "poolwright.service.capacity.inspect_hardware", lambda *_: replace(ROOMY, processor_count=1)
        )
        events: list[Event] = []
        async with own_pool(tmp_path, workers="auto", watch=events.append) as pool:
            assert len(pool.workers) == 1

        assert any("workers = auto uses 1 worker" in str(event) for event in events)
