"""A program that works with a journal until it is killed; it tells each fact after the journal has it.

Started as ``python -m tests.process.journal.journal_writer WORD ...``.

``work <journal> <count>`` carries a list to its end. ``add <journal> <count>`` makes one task by task. ``hold
<journal>`` only opens it. ``halt <journal> <count>`` stops for ever in the middle of accepting a list. ``forget
<journal>`` forgets all that is over, a few rows at a time. ``compact <journal> <count>`` stops for ever after so many
hundred instructions of writing the file anew.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import anyio

from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.journal import retention
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, orders, po_task, report, task_id


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


async def work(path: Path, count: int) -> None:
    """Every third task is handed back once, spent or not in turn; the others end with two files."""
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.recover(3)
        await journal.accept(orders(*range(count)))
        tell("accepted")
        while claimed := await journal.fetch(BATCH, 4):
            for task in claimed:
                number = int(task.portal_number)
                begun = await journal.start(task.task_id, WORKER)
                if number % 3 == 0 and begun.attempt == 1 and begun.death_count == 0:
                    await journal.count_death(task.task_id)
                    why = (Reason.WORKER_LOST, ReturnReason.DRAINING)[number % 2]
                    await journal.requeue(task.task_id, why, detail="", delay_s=0, is_attempt_spent=number % 2 == 0)
                    continue
                await journal.finish(task.task_id, report(Reason.ALL_SAVED, "a.pdf", "b.pdf"), f"folder/{number}")
                tell("done", task.task_id)
    tell("end")


async def add(path: Path, count: int) -> None:
    """Add what is not there yet; every third task is cancelled as soon as it is known."""
    async with SqliteJournal(path, ManualClock()) as journal:
        for number in range(count):
            if await journal.add(BATCH, [po_task(number, payload={"number": number})]):
                tell("added", task_id(number))
            if number % 3 == 0 and await journal.cancel(task_id(number)):
                tell("cancelled", task_id(number))
    tell("end")


async def hold(path: Path, _: int) -> None:
    async with SqliteJournal(path, ManualClock()):
        tell("open")
        await anyio.sleep_forever()


async def halt(path: Path, count: int) -> None:
    """Stop inside the transaction, when half of the rows are written."""
    left = count // 2

    def watch(statement: str) -> None:
        nonlocal left
        left -= "INSERT INTO rows" in statement
        if left == 0:
            tell("half")
            sys.stdin.read()

    async with SqliteJournal(path, ManualClock()) as journal:
        journal._database._connection.set_trace_callback(watch)
        await journal.accept(orders(*range(count)))


async def forget(path: Path, _: int) -> None:
    """Step by step, each told when it is done."""
    retention.STEP_ROWS = 5
    clock = ManualClock()
    async with SqliteJournal(path, clock) as journal:
        for done in retention.prune(journal._database, clock.now() + timedelta(days=1), ()):
            tell("step", done.move_count, done.attempt_count, done.list_count)
    tell("end")


async def compact(path: Path, count: int) -> None:
    """Stop within the writing."""
    left = count

    def watch() -> int:
        nonlocal left
        left -= 1
        if left == 0:
            tell("within")
            sys.stdin.read()
        return 0

    async with SqliteJournal(path, ManualClock()) as journal:
        journal._database._connection.set_progress_handler(watch, 100)
        await journal.compact()
    tell("end")


def main(what: str, path: str, count: str = "0") -> None:
    part = {"work": work, "add": add, "hold": hold, "halt": halt, "forget": forget, "compact": compact}[what]
    anyio.run(part, Path(path), int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
