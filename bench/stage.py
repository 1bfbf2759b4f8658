"""A demo portal, a profile that is logged in, and plain orders: the same for every program that is compared."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from bench.peers.job import Job
from poolwright.demo.catalogue.order import LinkForm
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.profile.clone import clone_profile
from poolwright.system.browser_choice import BrowserWish, BrowserWork, find_browser

#: Orders of the portal from which the plain ones are taken, for each that is wanted.
LISTED_PER_ORDER = 20
#: Size of all files of a plain order.
LIGHT_BYTES = 2_000_000
#: Longer names, or those with other letters, are work of their own, which most programs leave undone.
NAME_MAX_CHARS = 80
#: Links whose click is a download.
CLICKED = frozenset({LinkForm.ANCHOR, LinkForm.DOWNLOAD_ANCHOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where programs are compared."""

    #: For all that they write.
    folder: Path
    portal: PortalClient
    #: The profile that is logged in.
    base: Path
    #: The orders, and how many files they have in all.
    numbers: list[str]
    file_count: int
    #: Variables of a program that is Poolwright, and those of any other.
    environment: Mapping[str, str]
    plain_environment: Mapping[str, str]
    #: The browser that Poolwright takes by itself.
    browser: str

    async def write_job(
        self, name: str, *, tab_count: int, browser: str = "", driver: str = "", is_by_http: bool = False
    ) -> Path:
        """Write the job of one run, with a clone of the profile and a folder of its own, and return its path."""
        clone = self.folder / f"{name}-profile"
        await anyio.to_thread.run_sync(clone_profile, self.base, clone)
        job = Job(
            browser=browser or self.browser,
            driver=driver,
            profile=str(clone),
            cookies=json.loads(self.base.with_name("cookies.json").read_bytes()),
            folder=str(self.files_of(name)),
            addresses=[self.portal.order_url(number) for number in self.numbers],
            tab_count=tab_count,
            is_by_http=is_by_http,
        )
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(asdict(job)), encoding="utf-8")
        return path

    def files_of(self, name: str) -> Path:
        """Return the folder for the files of one run."""
        return self.folder / f"{name}-files"

    def remove(self, name: str) -> None:
        """Remove what one run has left. Blocking."""
        for path in self.folder.glob(f"{name}-*"):
            shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def open_stage(order_count: int) -> AsyncGenerator[Stage]:
    """Set the stage for so many orders, and remove it at the end."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    listed_count = order_count * LISTED_PER_ORDER
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        folder = Path(name)
        async with running_portal(order_count=listed_count) as portal:
            environment = own | {
                "POOLWRIGHT_USER": portal.user,
                "POOLWRIGHT_PASSWORD": portal.password,
                "POOLWRIGHT_RUNS_DIR": str(folder / "runs"),
                "POOLWRIGHT_PROFILE": "demo",
            }
            create = ("profile", "create", "demo", "--portal", "demo", "--base-url", portal.url)
            await anyio.run_process([sys.executable, "-m", "poolwright", *create], cwd=folder, env=environment)
            truths = await _plain_orders(portal, listed_count, order_count)
            yield Stage(
                folder=folder,
                portal=portal,
                base=folder / "profiles" / "demo" / "base",
                numbers=[truth.number for truth in truths],
                file_count=sum(len(truth.attachments) for truth in truths),
                environment=environment,
                plain_environment=own | {"PYTHONPATH": str(Path.cwd())},
                browser=str(find_browser(BrowserWish(), None, BrowserWork()).browser.path),
            )


async def _plain_orders(portal: PortalClient, listed_count: int, count: int) -> list[OrderTruth]:
    """Return the orders with files that any click brings, the first ones of the portal's list."""
    numbers = [order.number for order in await portal.orders(listed_count)]
    truths = await portal.truth(*numbers)
    return [truths[number] for number in numbers if _is_plain(truths[number])][:count]


def _is_plain(truth: OrderTruth) -> bool:
    files = truth.attachments
    is_light = sum(file.size_bytes for file in files) <= LIGHT_BYTES
    names = {file.name for file in files if file.name.isascii() and len(file.name) <= NAME_MAX_CHARS}
    is_clicked = all(file.good and file.link_form in CLICKED for file in files)
    return bool(files) and is_light and is_clicked and len(names) == len(files)
