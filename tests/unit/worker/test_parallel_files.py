"""How many files of an order are asked for at the same time: as many as the pack allows."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from pydantic import ValidationError

from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import PageLimits
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.processors.download_results import DownloadResults
from poolwright.worker.processors.purchase_orders import _fetch_all
from tests.support.raw_portal import raw_pack
from tests.support.sessions import task_for

LINK_COUNT = 6


class CountingDownloads:
    """Downloads that stay open until no further one begins; count how many were open."""

    def __init__(self) -> None:
        self.open_count = self.most_open = 0

    @contextlib.asynccontextmanager
    async def for_order(self, *_: object) -> AsyncGenerator[CountingDownloads]:
        yield self

    async def fetch(self, link: PageLink, part: Path) -> list[Any]:
        self.open_count += 1
        self.most_open = max(self.most_open, self.open_count)
        await anyio.wait_all_tasks_blocked()
        self.open_count -= 1
        return []


def link(number: int) -> PageLink:
    return PageLink(
        address=f"https://portal.test/{number}", selector="a", index=number, names={"text": f"{number}.pdf"}
    )


async def most_open(pack: Pack) -> int:
    downloads = CountingDownloads()
    reading = SimpleNamespace(links=[link(number) for number in range(LINK_COUNT)], list_page=1)
    page: Any = SimpleNamespace(pack=pack, reading=reading, page=None)
    results = DownloadResults()
    tab: Any = SimpleNamespace(staging=Path("staging"))
    await _fetch_all(tab, task_for("1"), page, cast("Any", SimpleNamespace(downloads=downloads)), results)
    assert len(results.fetched) == LINK_COUNT
    return downloads.most_open


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_as_many_files_are_asked_for_at_once_as_the_pack_allows(count: int) -> None:
    limits = raw_pack().limits.model_copy(update={"parallel_files": count})

    assert await most_open(raw_pack().model_copy(update={"limits": limits})) == count


async def test_a_pack_that_says_nothing_has_three() -> None:
    assert await most_open(raw_pack()) == 3


@pytest.mark.parametrize("count", [0, 33])
def test_a_number_out_of_bounds_is_refused(count: int) -> None:
    with pytest.raises(ValidationError, match="parallel_files"):
        PageLimits.model_validate({"parallel_files": count})
