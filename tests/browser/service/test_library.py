"""The pool as a library, on real workers and real Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import SetupError
from poolwright.domain.events import Event, Notice
from poolwright.domain.outcomes import Reason
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.profile.errors import ProfileDamagedError
from poolwright.service.library import LIBRARY_BATCH_ID, new_task
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.supervisor.policy.commands import StopCause
from tests.support import own_processors
from tests.support.own_pool import own_pool
from tests.support.portal import CHROMIUM, needs_chromium

PAGE = "<title>Quotation 7</title>"


@pytest.mark.timeout(90)
@needs_chromium
class TestOpenPool:
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

        async with own_pool(tmp_path, makes_base=True, browser_path=CHROMIUM, watch=watch):
            pass
        (base / "Default/Preferences").write_bytes(b"{}")
        with pytest.raises(ProfileDamagedError, match="Default/Preferences changed") as caught:
            async with own_pool(tmp_path, makes_base=True):
                pytest.fail("it runs")
        shutil.rmtree(base)
        async with own_pool(tmp_path, makes_base=True) as pool:
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

    async def test_purchase_orders_want_a_portal_and_cost_no_attempt_without(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path, "po_attachments") as pool:
            handle = await pool.submit_task(new_task("a"))
            with anyio.fail_after(60), pytest.raises(SetupError, match="The processor po_attachments needs a portal"):
                await handle
            end = pool.end
        path = tmp_path / "out" / ".poolwright" / JOURNAL_NAME
        async with SqliteJournal(path, SystemClock()) as journal:
            records = await journal.records(LIBRARY_BATCH_ID)

        assert end is not None
        assert end.cause is StopCause.SETUP_FAILED
        assert [(record.status, record.attempt_count) for record in records] == [("QUEUED", 0)]
