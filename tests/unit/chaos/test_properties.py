"""Each property of a storm notices what breaks it, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from poolwright.domain.outcomes import REASONS, Reason
from poolwright.service.batch import RedoPolicy
from tests.support.storm.faultless_scenario import attempt, content, faultless_scenario, folder, path_of, task_id
from tests.support.storm.properties import BAD_LUCK, PROPERTIES, breaches
from tests.support.storm.scenario import Order, Scenario
from tests.support.storm.session import Session

Break = Callable[[Scenario], Scenario]


def an_order(number: str, **changes: str | None) -> Break:
    """One order is otherwise in the journal, and in the report."""

    def break_it(scenario: Scenario) -> Scenario:
        orders = tuple(replace(one, **changes) if one.number == number else one for one in scenario.orders)
        return replace(scenario, orders=orders, rows=tuple((one.number, str(one.outcome)) for one in orders))

    return break_it


def further_tries(number: str, tries: str, *numbers: int) -> Break:
    """An order was given back and begun again, so often as it has further attempts."""

    def break_it(scenario: Scenario) -> Scenario:
        kept = tuple(move for move in scenario.moves if move.entity != task_id(number))
        own = tuple(one for one in scenario.attempts if one.task_id != task_id(number))
        attempts = (*own, *(attempt(number, place) for place in numbers))
        return replace(scenario, moves=(*kept, *path_of("task", task_id(number), tries)), attempts=attempts)

    return break_it


def a_move(machine: str, entity: str, path: str) -> Break:
    return lambda scenario: replace(scenario, moves=(*scenario.moves, *path_of(machine, entity, path)))


def a_session(**changes: object) -> Break:
    return lambda scenario: replace(scenario, sessions=(*scenario.sessions, _session(**changes)))


def _session(**changes: object) -> Session:
    session = Session(number=2, redo=RedoPolicy.RETRYABLE, code=1)
    for name, value in changes.items():
        setattr(session, name, value)
    return session


def given(**changes: object) -> Break:
    return lambda scenario: replace(scenario, **changes)


ONCE, TRUE, FILES, FOLDER, STRAY, TRIES, MOVES, LEFT, WHOLE, BASE, AGAIN, END = PROPERTIES
AGAIN_AND_AGAIN = "QUEUED ASSIGN ASSIGNED START RUNNING" + " GIVE_BACK QUEUED ASSIGN ASSIGNED START RUNNING" * 3
BACK_ONCE = "QUEUED ASSIGN ASSIGNED START RUNNING GIVE_BACK QUEUED ASSIGN ASSIGNED START RUNNING FINISH DONE"
UNLISTED = Order(
    task_id="demo:9", number="9", status="DONE", outcome="NOT_FOUND", reason="portal_says_missing", folder=""
)


def test_a_list_that_came_home_is_against_no_law() -> None:
    assert breaches(faultless_scenario()) == []
    assert breaches(replace(faultless_scenario(), is_calm=False)) == []


@pytest.mark.parametrize(
    ("broken", "break_it"),
    [
        (ONCE, lambda scenario: replace(scenario, orders=scenario.orders[1:])),
        (ONCE, lambda scenario: replace(scenario, orders=(*scenario.orders, UNLISTED))),
        (
            ONCE,
            lambda scenario: replace(
                scenario, orders=(*scenario.orders, replace(scenario.orders[0], task_id="demo:x"))
            ),
        ),
        (ONCE, an_order("101", outcome=None)),
        (ONCE, lambda scenario: replace(scenario, rows=scenario.rows[1:])),
        (ONCE, lambda scenario: replace(scenario, rows=(*scenario.rows[1:], (scenario.rows[0][0], "FAILED")))),
        (TRUE, an_order("101", outcome="COMPLETED", reason="all_saved")),
        (TRUE, an_order("101", outcome="FAILED", reason="worker_lost")),
        (FILES, given(folders=(folder("102", "c.pdf"), folder("100", "a.pdf")))),
        (FILES, given(folders=(folder("102", "c.pdf"), folder("100", "a.pdf", "b.pdf", "x.pdf")))),
        (FILES, given(folders=(folder("102", "c.pdf", "d.pdf"), folder("100", "a.pdf", "b.pdf")))),
        (FOLDER, given(folders=(*faultless_scenario().folders, folder("100", "a.pdf", "b.pdf", path="Other/100")))),
        (FOLDER, an_order("100", folder="Other/100")),
        (FOLDER, given(folders=(folder("102", "c.pdf"), replace(folder("100", "a.pdf", "b.pdf"), vouched={})))),
        (STRAY, given(strays=("Acme/100.part",))),
        (STRAY, given(folders=(*faultless_scenario().folders, folder("9", "a.pdf")))),
        (TRIES, further_tries("101", f"{AGAIN_AND_AGAIN} FINISH DONE", 1, 2, 3, 4)),
        (TRIES, further_tries("101", BACK_ONCE, 1)),
        (TRIES, further_tries("101", BACK_ONCE, 1, 1)),
        (
            TRIES,
            lambda scenario: replace(scenario, attempts=tuple(replace(one, is_open=True) for one in scenario.attempts)),
        ),
        (MOVES, a_move("tab", "t", "OPENING DONE COMPLETED")),
        (MOVES, a_move("tab", "t", "LOADING LOADED PROCESSING")),
        (MOVES, a_move("oven", "o", "COLD HEAT HOT")),
        (MOVES, a_move("worker", "worker-2", "STARTING REPORT_READY READY")),
        (MOVES, a_move("pool", "pool", "INITIALIZING SHUT_DOWN SHUTTING_DOWN CLOSE TERMINATED")),
        (MOVES, lambda scenario: replace(scenario, moves=scenario.moves[:-1])),
        (LEFT, given(left=("runs/r-1a2b3c",))),
        (LEFT, a_session(left=["runs/r-1a2b3c"])),
        (LEFT, a_session(code=-9, orphaned_s=None)),
        (WHOLE, given(damage=("wrong # of entries in index tasks_claimed",))),
        (BASE, given(base_changes=("Default/Cookies",))),
        (AGAIN, a_session(done_twice={"100"})),
        (END, a_session(is_stalled=True)),
        (END, a_session(code=5)),
        (END, a_session(code=6, summary={"ending": "setup_failed"})),
        (END, a_session(errors="Traceback (most recent call last):")),
    ],
)
def test_what_breaks_a_law_is_told(broken: str, break_it: Break) -> None:
    told = breaches(break_it(faultless_scenario()))

    assert told
    assert {sentence.split(":")[0] for sentence in told} >= {broken}


def test_everything_is_told_at_once() -> None:
    told = breaches(replace(faultless_scenario(), strays=("x",), left=("y",), damage=("z",)))

    assert [sentence.split(":")[0] for sentence in told] == [STRAY, LEFT, WHOLE]


@pytest.mark.parametrize("reason", sorted(BAD_LUCK))
def test_bad_luck_is_an_excuse_in_a_storm_and_none_in_calm_weather(reason: Reason) -> None:
    unlucky = an_order("100", outcome=REASONS[reason].outcome.value, reason=reason.value)(faultless_scenario())
    without_files = replace(unlucky, folders=unlucky.folders[1:], orders=_without_folder(unlucky.orders))

    assert breaches(replace(without_files, is_calm=False)) == []
    assert {told.split(":")[0] for told in breaches(without_files)} == {TRUE, FILES}


@pytest.mark.parametrize("reason", sorted(set(Reason) - BAD_LUCK))
def test_no_storm_excuses_a_wrong_judgement(reason: Reason) -> None:
    outcome = REASONS[reason].outcome.value
    judged = an_order("100", outcome=outcome, reason=reason.value)(faultless_scenario())
    alone = replace(judged, is_calm=False, folders=judged.folders[1:], orders=_without_folder(judged.orders))

    assert FILES in {told.split(":")[0] for told in breaches(alone)}


def test_a_wrong_file_has_no_excuse_at_all() -> None:
    unlucky = an_order("102", reason="some_files_failed")(replace(faultless_scenario(), is_calm=False))
    wrong = replace(folder("102", "c.pdf"), digests={"c.pdf": content("?")}, vouched={"c.pdf": content("?")})

    told = breaches(replace(unlucky, folders=(unlucky.folders[0], wrong)))

    assert [sentence.split(":")[0] for sentence in told] == [FILES]


def test_an_order_that_is_taken_up_again_has_all_its_attempts_again() -> None:
    path = f"{AGAIN_AND_AGAIN.rsplit(' GIVE_BACK', 1)[0]} FINISH DONE"
    again = further_tries("101", f"{path} REDO {path}", 1, 2, 3, 1, 2, 3)

    assert breaches(again(faultless_scenario())) == []


def test_an_attempt_that_was_given_back_unspent_is_made_again() -> None:
    scenario = further_tries("101", BACK_ONCE, 1, 1)(faultless_scenario())
    attempts = (*scenario.attempts[:-2], attempt("101", 1, is_spent=False), attempt("101", 1))

    assert breaches(replace(scenario, attempts=attempts)) == []


def test_a_life_may_break_off_where_a_start_was_killed() -> None:
    scenario = faultless_scenario()
    cut = path_of("worker", "worker-1", "STARTING REPORT_READY READY ASSIGN PROCESSING")
    killed = replace(scenario, sessions=(_session(code=-9), *scenario.sessions), moves=(*cut, *scenario.moves))

    assert breaches(killed) == []
    assert [told.split(":")[0] for told in breaches(replace(killed, sessions=(_session(), *scenario.sessions)))] == [
        MOVES
    ]


def _without_folder(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    return tuple(replace(order, folder="") if order.number == "100" else order for order in orders)
