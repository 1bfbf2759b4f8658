"""A failure within an open browser leaves pictures of its pages."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.support import failure_record
from tests.support.failure_record import FailureRecord
from tests.support.portal import browsing, needs_chromium
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]
PNG = b"\x89PNG\r\n"


async def show(opened: Any, title: str) -> None:  # noqa: ANN401 - a context of a browser
    page = await opened.new_page()
    await page.set_content(f"<title>{title}</title><h1>{title}</h1>")


async def fail_in(opening: AbstractAsyncContextManager[Any]) -> None:
    async with opening as opened:
        await show(opened.session.driver if hasattr(opened, "session") else opened, "an order")
        raise ZeroDivisionError


def pictures(record: FailureRecord, kept: Path) -> list[bytes]:
    record.keep(kept)
    return [path.read_bytes() for path in (kept / "inner").glob("page-*.png")]


async def test_an_exception_within_a_stage_leaves_a_picture_of_each_page(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    with failure_record.begun("inner") as record, pytest.raises(ZeroDivisionError):
        await fail_in(open_scenario(None, tmp_path / "scenario", is_authenticated=False))

    found = pictures(record, tmp_path / "kept")
    assert len(found) == 2  # the page that a session always holds, and the one of the test
    assert all(picture.startswith(PNG) for picture in found)


async def test_an_exception_within_a_plain_browser_leaves_a_picture(tmp_path: Path) -> None:
    with failure_record.begun("inner") as record, pytest.raises(ZeroDivisionError):
        await fail_in(browsing())

    assert [picture[: len(PNG)] for picture in pictures(record, tmp_path / "kept")] == [PNG]


async def test_nothing_is_pictured_of_a_stage_that_ended_well(tmp_path: Path, open_scenario: OpenScenario) -> None:
    with failure_record.begun("inner") as record:
        async with open_scenario(None, tmp_path / "scenario", is_authenticated=False):
            pass

    assert pictures(record, tmp_path / "kept") == []
