"""One list through one storm, and through one calm start behind it; judged after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.service.batch import RedoPolicy
from tests.chaos.campaign import Campaign
from tests.support.program import ProgramFolder, open_program
from tests.support.storm.accidents import Storm, count_kinds
from tests.support.storm.fault_injector import FaultInjector, InjectedFault
from tests.support.storm.progress import Progress
from tests.support.storm.properties import breaches
from tests.support.storm.scenario import Scenario, read_base, read_scenario, temp_folder
from tests.support.storm.session import Session

LIST = "orders.xlsx"
#: Starts beyond those that the storm itself makes necessary: slots run out of restarts.
SPARE_STARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StormResult:
    """What came of a storm."""

    hits: tuple[InjectedFault, ...]
    sessions: tuple[Session, ...]
    #: Orders that the storm left with another outcome than the portal's, by reason.
    unlucky: Mapping[str, int]
    #: The storm and the calm start; the portal's own start and the making of the profile are not counted.
    wall_s: float
    breaches: tuple[str, ...]

    def __str__(self) -> str:
        """A few lines for people."""
        struck = tuple(hit.accident for hit in self.hits)
        lost, back = (sum(getattr(one, name) for one in self.sessions) for name in ("crash_count", "restart_count"))
        given_up = sum(one.given_up_count for one in self.sessions)
        orphaned_s = max((one.orphaned_s or 0.0 for one in self.sessions), default=0.0)
        return "\n  ".join(
            (
                f"{self.wall_s:.0f} s, {len(self.sessions)} starts, {sum(one.is_kill for one in struck)} kills",
                f"struck: {count_kinds(struck)}",
                f"workers: {lost} lost, {back} back, {given_up} given up",
                f"orphans of a killed program ended within {orphaned_s:.1f} s",
                f"orders left to the calm start: {dict(self.unlucky)}",
                f"against the properties: {len(self.breaches)}",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _FaultTarget:
    """Where it happens, and how it was before."""

    program: ProgramFolder
    portal: PortalClient
    truths: Mapping[str, OrderTruth]
    base: Mapping[str, str]

    def read(self, campaign: Campaign, *, is_calm: bool) -> Scenario:
        sessions = tuple(campaign.sessions)
        return read_scenario(self.program, self.truths, sessions, self.base, list_name=LIST, is_calm=is_calm)


async def run_storm(storm: Storm, folder: Path, tell: Callable[[str], None]) -> StormResult:
    """Let a storm pass over a list of the demo portal.

    Args:
        storm: What happens.
        folder: Empty, with a short path: browsers put sockets below it.
        tell: Takes a line for people now and then.
    """
    async with (
        running_portal(order_count=storm.order_count, seed=storm.seed) as portal,
        # Pages of the headless shell bear no mark that a later start could find: a frozen one would stay for ever.
        open_program(folder, portal, is_whole_browser=True) as program,
    ):
        place = await _prepare(program, portal, storm)
        begun_s = anyio.current_time()
        campaign = Campaign(program=program, progress=Progress(), list_name=LIST, logs=folder, tell=tell)
        injector = FaultInjector(
            storm=storm, progress=campaign.progress, portal=portal, note=partial(_write_down, folder)
        )
        found = await _brave(campaign, injector)
        stormy = await anyio.to_thread.run_sync(lambda: place.read(campaign, is_calm=False))
        async with anyio.create_task_group() as beside:
            await campaign.start(RedoPolicy.UNFINISHED, beside)
        calm = await anyio.to_thread.run_sync(lambda: place.read(campaign, is_calm=True))
        told = [*found, *(f"after the storm: {one}" for one in breaches(stormy)), *breaches(calm)]
        return StormResult(
            hits=tuple(injector.hits),
            sessions=tuple(campaign.sessions),
            unlucky=_unlucky(stormy),
            wall_s=anyio.current_time() - begun_s,
            breaches=tuple(told),
        )


async def _prepare(program: ProgramFolder, portal: PortalClient, storm: Storm) -> _FaultTarget:
    """Write the list, and have the program's temporary files where they are seen."""
    temp_folder(program).mkdir()
    program.environment["TMPDIR"] = str(temp_folder(program))
    numbers = [order.number for order in await portal.orders(storm.order_count)]
    program.list_of(numbers, LIST)
    truths = await portal.truth(*numbers)
    return _FaultTarget(
        program=program, portal=portal, truths=truths, base=await anyio.to_thread.run_sync(read_base, program)
    )


async def _brave(campaign: Campaign, injector: FaultInjector) -> list[str]:
    """Start the program again and again, until the list is done and the storm is over."""
    redo = RedoPolicy.RETRYABLE
    async with anyio.create_task_group() as beside:
        beside.start_soon(injector.act_out)
        for _ in range(injector.storm.end_count + SPARE_STARTS):
            session = await campaign.start(redo, beside)
            if session.is_finished and injector.is_over:
                await injector.abate()
                return []
            # The rest of the storm needs a list with work in it.
            redo = RedoPolicy.ALL if session.is_finished else RedoPolicy.RETRYABLE
        await injector.abate()
    hit_count, all_count = len(injector.hits), len(injector.storm.accidents)
    return [f"the list was not done after {len(campaign.sessions)} starts, {hit_count} of {all_count} accidents struck"]


def _write_down(folder: Path, hit: InjectedFault) -> None:
    with (folder / "struck.log").open("a") as log:
        log.write(f"{hit}\n")


def _unlucky(scenario: Scenario) -> dict[str, int]:
    truths = scenario.truths
    odd = (one for one in scenario.orders if one.number in truths and one.outcome != truths[one.number].outcome)
    return dict(Counter(str(one.reason) for one in odd))
