"""The properties of a storm: what must be true of a list when it is over, whatever happened to it. Pure.

They are asked twice. After the storm, an order may have ended by bad luck: the portal failed three times, or two
workers died on it; then it says so, with a reason that bad luck can have, and what lies on the disk is still true.
After one more start in calm weather, with ``--redo unfinished``, there is no excuse: every order is as the portal has
it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from poolwright.cli.process_exit import ExitCode
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import TASK, TaskEvent, TaskStatus
from poolwright.service.batch import BatchEnding
from tests.support.storm.lifecycles import move_breaches
from tests.support.storm.scenario import Attempt, Order, Scenario

#: Default of the program.
MAX_ATTEMPTS = 3
#: How an order can end by accidents alone. No other reason may stand for a dead process or a failing portal.
BAD_LUCK = frozenset(
    {
        Reason.WORKER_LOST,
        Reason.KILLS_WORKERS,
        Reason.NO_WORKERS,
        Reason.TAB_CRASHED,
        Reason.TASK_TIMEOUT,
        Reason.PAGE_TOO_SLOW,
        Reason.PORTAL_ERROR,
        Reason.PORTAL_BUSY,
        Reason.PORTAL_UNREACHABLE,
        Reason.DOWNLOAD_FAILED,
        Reason.SOME_FILES_FAILED,
    }
)
#: Ways in which a start can end: by itself, or by the signals of a storm. -15: before it listened for signals.
_KILLED = frozenset({-9, -15})
_EXITS = frozenset({ExitCode.DONE, ExitCode.NOT_ALL_DONE, ExitCode.STOPPED, ExitCode.RESOURCES})


def breaches(scenario: Scenario) -> list[str]:
    """Everything that is against a property, each with that property's name. Empty when all is well."""
    return [f"{name}: {sentence}" for name, find in PROPERTIES.items() for sentence in find(scenario)]


def _one_outcome(scenario: Scenario) -> Iterator[str]:
    counts = Counter(order.number for order in scenario.orders)
    yield from (f"{number} is no order of the list" for number in counts if number not in scenario.truths)
    yield from (f"{number} was never accepted" for number in scenario.truths if number not in counts)
    yield from (f"{number} has {count} tasks" for number, count in counts.items() if count > 1)
    for order in scenario.orders:
        if order.status != TaskStatus.DONE.name or order.outcome is None:
            yield f"{order.number} is {order.status} and has the outcome {order.outcome}"
    outcomes = {order.number: order.outcome for order in scenario.orders}
    if sorted(scenario.rows) != sorted((number, outcomes.get(number)) for number in scenario.truths):
        odd = [row for row in scenario.rows if outcomes.get(row[0]) != row[1]]
        yield f"the report has {len(scenario.rows)} rows; those that are not as the journal says: {odd}"


def _true_outcome(scenario: Scenario) -> Iterator[str]:
    for order in scenario.orders:
        truth = scenario.truths.get(order.number)
        if truth and order.outcome != truth.outcome and not (_is_unlucky(order) and not scenario.is_calm):
            yield f"{order.number} is {order.outcome} ({order.reason}), and the portal has {truth.outcome}"


def _right_files(scenario: Scenario) -> Iterator[str]:
    """Every file once, by content. A file that bad luck kept away may be missing, a wrong one may never be there."""
    found = {folder.number: folder.digests for folder in scenario.folders}
    for order in scenario.orders:
        truth = scenario.truths.get(order.number)
        if truth is None:
            continue
        expected = Counter(file.sha256 for file in truth.attachments if file.good)
        here = Counter(found.get(order.number, {}).values())
        if surplus := here - expected:
            yield f"{order.number} has {surplus.total()} files that the portal does not have so, or has only once"
        may_lack = _is_unlucky(order) and not scenario.is_calm
        if (missing := expected - here) and not may_lack:
            yield f"{order.number} lacks {missing.total()} of {expected.total()} files"


def _one_folder(scenario: Scenario) -> Iterator[str]:
    paths: dict[str, list[str]] = defaultdict(list)
    for folder in scenario.folders:
        paths[folder.number].append(folder.path)
        if dict(folder.digests) != dict(folder.vouched):
            yield f"{folder.path} holds {sorted(folder.digests)}, and its manifest says {sorted(folder.vouched)}"
    yield from (f"{number} has the folders {own}" for number, own in paths.items() if len(own) > 1)
    for order in scenario.orders:
        if order.folder and paths.get(order.number, []) != [order.folder]:
            yield f"{order.number} is in {order.folder!r} by the journal, and in {paths.get(order.number)} on the disk"


def _no_stray(scenario: Scenario) -> Iterator[str]:
    yield from (f"{path} belongs to no order" for path in scenario.strays)
    yield from (
        f"{folder.path} is no order of the list" for folder in scenario.folders if folder.number not in scenario.truths
    )


def _attempts(scenario: Scenario) -> Iterator[str]:
    """An attempt is the one after those that were spent since the order was last taken up, and at most the limit."""
    rows: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in scenario.attempts:
        rows[attempt.task_id].append(attempt)
    rounds: dict[str, list[str]] = defaultdict(list)
    for move in scenario.moves:
        if move.machine == TASK.name and move.event in {TaskEvent.START.name, TaskEvent.REDO.name}:
            rounds[move.entity].append(move.event)
    for order in scenario.orders:
        yield from _attempts_of(order, rows[order.task_id], rounds[order.task_id])


def _attempts_of(order: Order, rows: list[Attempt], events: list[str]) -> Iterator[str]:
    starts = events.count(TaskEvent.START.name)
    if starts != len(rows):
        yield f"{order.number} was started {starts} times, and has {len(rows)} attempts"
        return
    yield from (f"{order.number} has an attempt that never ended" for row in rows if row.is_open)
    spent_count = 0
    following = iter(rows)
    for event in events:
        if event == TaskEvent.REDO.name:
            spent_count = 0
            continue
        row = next(following)
        if row.number != spent_count + 1 or row.number > MAX_ATTEMPTS:
            yield f"{order.number} has an attempt {row.number} after {spent_count} of at most {MAX_ATTEMPTS}"
        spent_count += row.is_spent


def _moves(scenario: Scenario) -> Iterator[str]:
    killed_count = sum(session.code in _KILLED for session in scenario.sessions)
    yield from move_breaches(scenario.moves, start_count=len(scenario.sessions), killed_count=killed_count)
    last = {move.entity: move.target for move in scenario.moves if move.machine == TASK.name}
    for order in scenario.orders:
        if last.get(order.task_id, TASK.start.name) != order.status:
            yield f"{order.number} is {order.status}, and its last move led to {last.get(order.task_id)}"


def _nothing_left(scenario: Scenario) -> Iterator[str]:
    yield from scenario.left
    for session in scenario.sessions:
        yield from (f"after start {session.number}: {what}" for what in session.left)
        if session.orphaned_s is None:
            yield f"start {session.number} was killed, and its processes lived on"


def _journal_whole(scenario: Scenario) -> Iterator[str]:
    yield from scenario.damage


def _base_untouched(scenario: Scenario) -> Iterator[str]:
    yield from (f"{name} has changed" for name in scenario.base_changes)


def _done_once(scenario: Scenario) -> Iterator[str]:
    for session in scenario.sessions:
        yield from (f"{number} was begun again in start {session.number}" for number in sorted(session.done_twice))


def _known_end(scenario: Scenario) -> Iterator[str]:
    for session in scenario.sessions:
        if session.is_stalled:
            yield f"start {session.number} hung"
        elif session.code not in _EXITS | _KILLED:
            yield f"start {session.number} ended with exit code {session.code}: {session.errors[-300:]}"
        elif session.code == ExitCode.RESOURCES and session.ending != BatchEnding.NO_WORKERS:
            detail = f"{session.summary.get('detail')}{session.errors[-300:]}"
            yield f"start {session.number} ended as {session.ending}: {detail}"
        if "Traceback" in session.errors:
            yield f"start {session.number} showed a traceback: {session.errors[-300:]}"


def _is_unlucky(order: Order) -> bool:
    return order.reason in BAD_LUCK


#: Every property by its name.
PROPERTIES: Mapping[str, Callable[[Scenario], Iterator[str]]] = {
    "one outcome for each order": _one_outcome,
    "the outcome is true": _true_outcome,
    "every file once and right": _right_files,
    "one folder for each order": _one_folder,
    "no foreign file": _no_stray,
    "no attempt above the limit": _attempts,
    "no move outside the tables": _moves,
    "nothing is left": _nothing_left,
    "the journal is whole": _journal_whole,
    "the base profile is untouched": _base_untouched,
    "what is done is not done again": _done_once,
    "the program ends as it says": _known_end,
}
