"""The views: a picture at 80 and 120 columns, lines for pipes, JSON for programs, a summary for everybody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from poolwright.cli import terminal
from poolwright.cli.batch_views import JsonView, LiveView, PlainView, QuietView, View, format_event, render
from poolwright.cli.progress import Progress, advance
from poolwright.cli.summary import headline, summary_lines
from poolwright.cli.terminal import OUTCOME_STYLES, console
from poolwright.domain.events import Event, Level
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.ports import Accepted
from poolwright.domain.refresh import RefreshCounts
from poolwright.service.batch import BatchEnding, BatchSummary
from tests.support.events import SetClock, ended, file, moved, notice, relieved, returned, seen, started, worker_state

RUNNING: list[Event] = [
    moved("pool", "pool", "PROCESSING"),
    worker_state(1, "PROCESSING"),
    worker_state(2, "CRASHED"),
    notice("Column 'Purchase order' taken for the order numbers; --column names another."),
    *(ended(number, 1, files=(file(size_bytes=1_500_000),)) for number in range(1, 9)),
    ended(9, 2, reason=Reason.PORTAL_SAYS_MISSING),
    started(10, 1),
    started(11, 1),
    seen(1, 412_000_000),
    notice("the browser died; it starts again with the same profile", Level.WARNING, 2),
]

RELIEF = "recycled to free memory: 900 MB before, 300 MB now; whole pool 1,400 MB before, 800 MB now (limit 1,200 MB)"

SUMMARY = BatchSummary(
    ending=BatchEnding.FINISHED,
    accepted=Accepted(new_count=12, waiting_count=0, done_count=0),
    outcomes={Outcome.COMPLETED: 9, Outcome.NO_ATTACHMENTS: 1, Outcome.NOT_FOUND: 2},
    invalid_count=1,
    done_now_count=12,
    duration_s=43.2,
    report_xlsx=Path("downloads/orders-report.xlsx"),
    report_csv=Path("downloads/orders-report.csv"),
    report_json=Path("downloads/orders-report.json"),
)


def begun(total_count: int = 20) -> Progress:
    return Progress.start(total_count=total_count, worker_count=2, tabs_per_worker=2, now_s=0)


def after(events: list[Event]) -> Progress:
    times = iter(range(len(events)))
    return reduce(lambda state, event: advance(state, event, float(next(times))), events, begun())


def picture(progress: Progress, width: int, now_s: float = 65.0) -> list[str]:
    screen = Console(file=io.StringIO(), width=width, record=True, color_system=None)
    screen.print(render(progress, "orders.xlsx", now_s))
    return screen.export_text().rstrip("\n").split("\n")


def test_the_picture_at_80_columns() -> None:
    assert [line.rstrip() for line in picture(after(RUNNING), 80, 20.0)] == [
        "orders.xlsx                                                8 files, 12 MB   0:20",
        "━" * 36,
        "9 of 20 orders  45 %                             30 orders/min   about 0:22 left",
        "8 completed   1 not found",
        "",
        "worker    state       orders                                tabs   memory   done",
        "worker-1  processing  PO4500010  PO4500011                   2/2   412 MB      8",
        "worker-2  crashed                                            0/2               1",
        "",
        "0:03  Column 'Purchase order' taken for the order numbers; --column names",
        "      another.",
        "0:16  worker-2: the browser died; it starts again with the same profile",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_picture_keeps_to_the_width_and_is_never_wider_than_an_eye_can_follow(width: int) -> None:
    lines = picture(after(RUNNING), width)

    assert max(len(line) for line in lines) <= min(width, 110)


@pytest.mark.parametrize("width", [20, 25, 30, 40])
def test_where_the_table_has_no_room_every_value_has_its_title(width: int) -> None:
    text = "\n".join(picture(after(RUNNING), width))

    for value in ("worker: worker-1", "processing", "tabs: 2/2", "memory: 412 MB", "done: 8", "worker: worker-2"):
        assert value in text


@pytest.mark.parametrize("width", [80, 120])
def test_what_counts_is_whole_at_usual_widths(width: int) -> None:
    text = "\n".join(picture(after(RUNNING), width, 20.0))

    for words_ in ("orders.xlsx", "9 of 20 orders", "about 0:22 left", "PO4500010  PO4500011", "412 MB", "crashed"):
        assert words_ in text


def test_the_picture_before_anything_happened() -> None:
    text = "\n".join(picture(begun(), 80, 0.0))

    assert "starting" in text
    assert "waiting" in text
    assert "left" not in text


def test_a_run_that_is_stopping_promises_no_time() -> None:
    text = "\n".join(picture(after([*RUNNING, moved("pool", "pool", "SHUTTING_DOWN")]), 80, 20.0))

    assert "stopping" in text
    assert "left" not in text


def test_an_order_that_is_still_filed_takes_no_tab() -> None:
    shown = "\n".join(picture(after([started(1, 1), started(2, 1), started(3, 1)]), 80))

    assert "PO4500001  PO4500002  PO4500003" in shown
    assert "2/2" in shown


def test_an_empty_run_is_drawn_as_done() -> None:
    assert "0 of 0 orders" in "\n".join(picture(begun(0), 80))


def test_markup_in_names_is_shown_as_it_is() -> None:
    shown = "\n".join(picture(after([notice("[bold]:smile: [/x]")]), 80))

    assert "[bold]:smile: [/x]" in shown


def test_every_outcome_has_a_place_in_views() -> None:
    assert set(OUTCOME_STYLES) == set(Outcome)


def screen(*, is_terminal: bool = False) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=80, force_terminal=is_terminal, markup=False, emoji=False), stream


def test_the_live_view_leaves_only_the_summary_behind() -> None:
    terminal, stream = screen(is_terminal=True)
    view = LiveView(begun(), "orders.xlsx", console=terminal, clock=SetClock())

    with view:
        for event in RUNNING:
            view(event)
        view.notify("finishing 2 orders")
    drawn = stream.getvalue()
    view.show_summary(SUMMARY)

    assert drawn.endswith("\x1b[2K"), "the picture is wiped at the end"
    assert "\x1b[?25h" in drawn, "the cursor is back"
    assert view.progress.notices[-1].notice.text == "finishing 2 orders"
    assert "10 of 12 orders are done" in stream.getvalue().removeprefix(drawn)


def lines_of(make: Callable[[Console], View], events: list[Event]) -> list[str]:
    terminal, stream = screen()
    view = make(terminal)
    with view:
        for event in events:
            view(event)
    view.show_summary(SUMMARY)
    return stream.getvalue().splitlines()


def test_lines_for_pipes() -> None:
    events: list[Event] = [
        *RUNNING[4:6],
        started(30, 1),
        returned(30, why=Reason.TAB_CRASHED, detail="the tab crashed", delay_s=2.0),
        returned(31, why=ReturnReason.DRAINING),
        ended(32, reason=Reason.BAD_NUMBER, detail="two digits are missing"),
        ended(33, reason=Reason.NO_PERMISSION),
        notice("the list has two blank rows"),
        notice("it hangs", Level.WARNING, 2),
        relieved(2),
        relieved(1, has_helped=False),
        notice("x" * 200, Level.ERROR),
    ]

    lines = lines_of(lambda terminal: PlainView(begun(), console=terminal, clock=SetClock()), events)

    assert lines[:10] == [
        "1/20 PO4500001 COMPLETED 1 file 1.5 MB 2.1 s",
        "2/20 PO4500002 COMPLETED 1 file 1.5 MB 2.1 s",
        "PO4500030 tab_crashed: the tab crashed (again in 2.0 s)",
        "3/20 PO4500032 INVALID 2.1 s two digits are missing",
        "4/20 PO4500033 FORBIDDEN 2.1 s Ask the portal's administrator for access to this order.",
        "the list has two blank rows",
        "warning: worker-2: it hangs",
        f"worker-2: {RELIEF}",
        f"warning: worker-1: {RELIEF}; that did not help",
        "error: " + "x" * 200,
    ]
    assert lines[10] == "10 of 12 orders are done."


def test_json_for_programs() -> None:
    events = [*RUNNING, returned(10)]

    lines = lines_of(lambda terminal: JsonView(begun(), console=terminal, clock=SetClock()), events)

    told: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert len(told) == len(events) + 1
    assert {entry["type"] for entry in told} == {
        "moved", "notice", "summary", "task_ended", "task_returned", "task_started", "worker_seen",
    }  # fmt: skip
    done = next(entry for entry in told if entry["type"] == "task_ended")
    assert (done["outcome"], done["task"]["po_number"], done["report"]["files"][0]["size_bytes"]) == (
        "COMPLETED", "PO4500001", 1_500_000,
    )  # fmt: skip
    assert (told[-1]["type"], told[-1]["exit_code"], told[-1]["ending"]) == ("summary", 1, "finished")
    assert told[-1]["report_xlsx"] == "downloads/orders-report.xlsx"


def test_json_lines_are_whole_however_long_and_odd() -> None:
    odd = notice(":smile: [red] \t \x1b[31m " + "ü" * 500)

    line = lines_of(lambda terminal: JsonView(begun(), console=terminal, clock=SetClock()), [odd])[0]

    assert json.loads(line)["text"] == odd.text


def test_the_quiet_view_shows_only_how_it_ended() -> None:
    lines = lines_of(lambda terminal: QuietView(begun(), console=terminal, clock=SetClock()), RUNNING)

    assert lines == [
        "10 of 12 orders are done.",
        "       9  completed",
        "       1  no attachments",
        "       2  not found",
        "       1  rows without a valid order number",
        "This run: 12 orders in 43 s; 8 files, 12 MB.",
        "Report: downloads/orders-report.xlsx (.csv and .json next to it)",
    ]


@pytest.mark.parametrize(
    ("summary", "sentence"),
    [
        (replace(SUMMARY, outcomes={Outcome.COMPLETED: 40}, invalid_count=0), "All 40 orders are done."),
        (replace(SUMMARY, outcomes={Outcome.COMPLETED: 1}, invalid_count=0), "The one order is done."),
        (
            replace(SUMMARY, outcomes={Outcome.COMPLETED: 40}, done_now_count=0, invalid_count=0),
            "Nothing to do: all 40 orders are done by an earlier run.",
        ),
        (
            replace(SUMMARY, done_now_count=0),
            "10 of 12 orders are done. None of the rest is retried by default; see --redo.",
        ),
        (
            replace(SUMMARY, detail="The folder A is gone.", left_count=1),
            "10 of 13 orders are done. The folder A is gone. 1 order waits: start it again to continue.",
        ),
        (replace(SUMMARY, outcomes={}), "There was no valid order in the list."),
        (
            replace(SUMMARY, ending=BatchEnding.STOPPED, left_count=8),
            "Stopped: 10 of 20 orders are done. 8 orders wait: start it again to continue.",
        ),
        (
            replace(SUMMARY, ending=BatchEnding.STOPPED, detail="Start it again.", outcomes={Outcome.COMPLETED: 1}),
            "Stopped: 1 of 1 order is done. Start it again.",
        ),
        (
            replace(SUMMARY, ending=BatchEnding.STOPPED, outcomes={Outcome.COMPLETED: 1}, left_count=1),
            "Stopped: 1 of 2 orders is done. 1 order waits: start it again to continue.",
        ),
        (
            replace(
                SUMMARY,
                ending=BatchEnding.LOGIN_REQUIRED,
                profile="coupa",
                detail="The portal wants a login.",
                left_count=3,
            ),
            (
                "The portal wants a login. 10 of 15 orders are done. "
                "Log in again with `poolwright profile login coupa`. 3 orders wait: start it again to continue."
            ),
        ),
    ],
)
def test_the_headline_says_how_it_ended(summary: BatchSummary, sentence: str) -> None:
    assert headline(summary).plain == sentence


def test_why_there_is_no_report_is_the_last_word() -> None:
    lines = [
        line.plain for line in summary_lines(replace(SUMMARY, report_xlsx=None, report_problem="No room."), begun())
    ]

    assert lines[-1] == "No room."


def test_the_summary_names_the_groups_that_are_set_aside_and_how_to_go_on() -> None:
    lines = [line.plain for line in summary_lines(replace(SUMMARY, set_aside={"2000": 1, "North 1": 3}), begun())]

    told = [line for line in lines if "set aside" in line]
    assert told == [
        "Group 2000 is set aside: 1 order not processed. When the access is there: --resume-group 2000",
        'Group North 1 is set aside: 3 orders not processed. When the access is there: --resume-group "North 1"',
    ]


def test_without_a_report_none_is_promised() -> None:
    lines = [line.plain for line in summary_lines(replace(SUMMARY, report_xlsx=None), begun())]

    assert not any("Report" in line for line in lines)


def test_the_console_shows_texts_as_they_are() -> None:
    stream = io.StringIO()

    console(stream).print("[bold] :smile: [/]")

    assert stream.getvalue() == "[bold] :smile: [/]\n"


@pytest.mark.parametrize(
    ("count_bytes", "told"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (340_000_000, "340 MB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_sizes(count_bytes: int, told: str) -> None:
    assert terminal.format_size(count_bytes) == told


@pytest.mark.parametrize(
    ("seconds", "ticking", "told"),
    [
        (0.04, "0:00", "0.0 s"),
        (7.2, "0:07", "7.2 s"),
        (59.7, "1:00", "1 min 0 s"),
        (760, "12:40", "12 min 40 s"),
        (11100, "3:05:00", "3 h 5 min"),
    ],
)
def test_times(seconds: float, ticking: str, told: str) -> None:
    assert terminal.format_clock(seconds) == ticking
    assert terminal.format_duration(seconds) == told


def test_rates_and_counts() -> None:
    assert terminal.format_rate(2.14) == "2.1 orders/s"
    assert terminal.format_rate(0.2) == "12 orders/min"
    assert terminal.format_count(1, "order") == "1 order"
    assert terminal.format_count(2400, "order") == "2,400 orders"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (RefreshCounts(same_count=1), "Looked at again: 1 order; 1 the same."),
        (
            RefreshCounts(
                same_count=4,
                changed_count=2,
                failed_count=1,
                new_file_count=3,
                changed_file_count=1,
                withdrawn_file_count=4,
            ),
            (
                "Looked at again: 7 orders; 4 the same, 2 changed (3 new, 1 changed and 4 withdrawn files), "
                "1 without success, so its earlier result stays; see the report."
            ),
        ),
        (
            RefreshCounts(failed_count=2),
            "Looked at again: 2 orders; 2 without success, so their earlier results stay; see the report.",
        ),
    ],
)
def test_the_summary_says_what_looking_again_found(counts: RefreshCounts, sentence: str) -> None:
    lines = [line.plain for line in summary_lines(replace(SUMMARY, refresh=counts), begun())]

    assert sentence in lines
    assert not any("Looked" in line.plain for line in summary_lines(SUMMARY, begun()))


def test_the_line_of_an_order_that_was_looked_at_again_says_what_changed() -> None:
    event = ended(1, 1)
    event = replace(event, report=replace(event.report, detail="Looked at again on 2026-11-30: nothing changed."))
    again = replace(event, task=replace(event.task, known_files=()))

    assert "Looked" not in format_event(event, begun(), begun())
    assert format_event(again, begun(), begun()).endswith("nothing changed.")
