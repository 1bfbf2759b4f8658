"""What a worker is asked when its results are to be verified."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.ipc.messages import CheckLogin
from poolwright.supervisor.command_executor import LoginCommandExecutor
from poolwright.supervisor.policy.commands import RequestLoginCheck
from poolwright.supervisor.policy.state import PoolState, UnverifiedResult, UnverifiedResults, WorkerSlot
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.worker import Worker
from tests.support.tasks import WORKER, po_task


async def test_a_check_names_the_results_that_it_verifies_and_none_that_came_later() -> None:
    sent = list[object]()

    async def send(generation: int, message: object) -> None:
        sent.append((generation, message))

    first, later = (
        UnverifiedResult(task=po_task(number), report=Report(reason=Reason.NO_PERMISSION), concurrent_tasks=frozenset())
        for number in (1, 2)
    )
    slot = WorkerSlot(unverified=UnverifiedResults().add(first).begin_check().add(later))
    workers = {WORKER.slot: cast("Worker", SimpleNamespace(send=send))}
    executor = LoginCommandExecutor(context=cast("PoolContext", None), workers=workers, totp=None)

    await executor.execute(RequestLoginCheck(worker=WORKER), PoolState(slots={WORKER.slot: slot}))

    assert sent == [(WORKER.generation, CheckLogin(task_ids=frozenset({first.task_id})))]
