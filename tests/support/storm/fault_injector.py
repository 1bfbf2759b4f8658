"""Acts a storm out: finds the target of each accident among the processes of the run, and hits it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import psutil
from anyio.abc import TaskGroup

from poolwright.demo.portal_client import PortalClient
from tests.support.storm.accidents import Accident, FaultKind, PortalFault, Storm, Target
from tests.support.storm.progress import Progress
from tests.support.target_process import Kind, find, hit

_SIGNALS = {
    FaultKind.KILL: signal.SIGKILL,
    FaultKind.FREEZE: signal.SIGSTOP,
    FaultKind.NAP: signal.SIGSTOP,
    FaultKind.END: signal.SIGTERM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFault:
    """An accident that came about."""

    accident: Accident
    session_no: int
    pid: int
    #: Since the storm began.
    at_s: float

    def __str__(self) -> str:
        """One line for people."""
        accident = self.accident
        frozen = f" for {accident.frozen_s} s" if accident.frozen_s else ""
        return f"{self.at_s:7.1f} s, start {self.session_no}: {accident.target} {accident.blow}{frozen}, pid {self.pid}"


@dataclass(slots=True, kw_only=True)
class FaultInjector:
    """One storm over one progress."""

    storm: Storm
    progress: Progress
    portal: PortalClient
    #: Takes every hit.
    note: Callable[[InjectedFault], None]
    hits: list[InjectedFault] = field(default_factory=list[InjectedFault])
    begun_s: float = field(default_factory=anyio.current_time)
    _acting: TaskGroup = field(init=False)

    @property
    def is_over(self) -> bool:
        """Whether every accident has struck."""
        return len(self.hits) == len(self.storm.accidents)

    async def act_out(self) -> None:
        """Let everything happen, one accident after the other, the portal's troubles beside them."""
        async with anyio.create_task_group() as self._acting:
            self._acting.start_soon(self._make_trouble)
            for accident in self.storm.accidents:
                await self._strike(accident)

    async def abate(self) -> None:
        """Let nothing more happen."""
        self._acting.cancel_scope.cancel()
        await self.portal.clear_faults()

    async def _make_trouble(self) -> None:
        for trouble in self.storm.troubles:
            await self._come_to(trouble)
            fault = trouble.fault
            await self.portal.add_fault(fault.fault, fault.scope, times=fault.times)

    async def _strike(self, accident: Accident) -> None:
        await self._come_to(accident)
        await anyio.sleep(accident.delay_s)
        target = await self.progress.until(lambda: self._hit_one(accident))
        at_s = round(anyio.current_time() - self.begun_s, 1)
        hit_now = InjectedFault(accident=accident, session_no=self.progress.session_no, pid=target.pid, at_s=at_s)
        self.hits.append(hit_now)
        self.note(hit_now)
        if accident.frozen_s:
            await anyio.sleep(accident.frozen_s)
            hit(target, signal.SIGCONT if accident.blow is FaultKind.NAP else signal.SIGKILL)

    async def _come_to(self, point: Accident | PortalFault) -> None:
        await self.progress.until(lambda: self.progress.ended_count >= point.after_count or None)

    def _hit_one(self, accident: Accident) -> psutil.Process | None:
        """Hit one of those that are there; nothing when there are none just now."""
        targets = [one for one in self._targets(accident.target) if not _is_still(one)]
        if not targets:
            return None
        target = targets[int(accident.pick * len(targets))]
        return target if hit(target, _SIGNALS[accident.blow]) else None

    def _targets(self, target: Target) -> list[psutil.Process]:
        if self.progress.pid is None:
            return []
        if target is not Target.SUPERVISOR:
            return find(self.progress.pid, Kind(target.value))
        try:
            return [psutil.Process(self.progress.pid)]
        except psutil.Error:
            return []


def _is_still(process: psutil.Process) -> bool:
    """Whether it was frozen before, or is dead and not yet buried: hitting it again would be no accident."""
    try:
        return process.status() in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    except psutil.Error:
        return True
