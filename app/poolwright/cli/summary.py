"""The summary of a run for a person."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from poolwright.cli import terminal
from poolwright.cli.process_exit import DONE_OUTCOMES
from poolwright.cli.progress import Progress
from poolwright.cli.terminal import OUTCOME_STYLES, format_outcome
from poolwright.service.batch import BatchEnding, BatchSummary


def summary_lines(summary: BatchSummary, progress: Progress) -> Iterator[Text]:
    """Yield the headline, the outcomes, the effort of this run, and the path of the report, or why there is none."""
    yield headline(summary)
    yield from _outcomes(summary)
    yield from _groups(summary)
    if summary.done_now_count:
        yield Text(_effort(summary, progress), "dim")
    if summary.refresh is not None:
        yield Text(summary.refresh.sentence, "yellow" if summary.refresh.failed_count else "")
    if summary.report_xlsx is not None:
        yield Text.assemble("Report: ", (str(summary.report_xlsx), "bold"), (_other_formats(summary), "dim"))
    if summary.report_problem:
        yield Text(summary.report_problem, "bold red")


def headline(summary: BatchSummary) -> Text:
    """Return the first line: the result, and the next step if there is one."""
    done_count = sum(count for outcome, count in summary.outcomes.items() if outcome in DONE_OUTCOMES)
    total_count = sum(summary.outcomes.values()) + summary.left_count
    match summary.ending:
        case BatchEnding.FINISHED:
            is_all_done = done_count == total_count and not summary.invalid_count
            style = "bold green" if is_all_done else "bold yellow"
            text = _finished(summary, done_count, total_count)
        case BatchEnding.STOPPED:
            next_step = summary.detail or _remaining(summary.left_count)
            style, text = "bold yellow", f"Stopped: {_done_share(done_count, total_count)}. {next_step}"
        case BatchEnding.LOGIN_REQUIRED:
            style = "bold red"
            login_advice = f"Log in again with `poolwright profile login {summary.profile or 'NAME'}`."
            next_step = f"{login_advice} {_remaining(summary.left_count)}"
            text = f"{summary.detail} {_done_share(done_count, total_count)}. {next_step}"
        case _:
            style = "bold red"
            text = f"{summary.detail} {_done_share(done_count, total_count)}. {_remaining(summary.left_count)}"
    return Text(text.strip(), style)


def _finished(summary: BatchSummary, done_count: int, total_count: int) -> str:
    if not total_count:
        return "There was no valid order in the list." if not summary.report_problem else "Ended."
    if not summary.done_now_count and done_count == total_count:
        return f"Nothing to do: {_all_orders(total_count)} done by an earlier run."
    if done_count == total_count:
        return f"{_all_orders(total_count).capitalize()} done."
    if summary.left_count:
        share = f"{_done_share(done_count, total_count)}."
        return " ".join(filter(None, (share, summary.detail, _remaining(summary.left_count))))
    retry_hint = "" if summary.done_now_count else " None of the rest is retried by default; see --redo."
    return f"{_done_share(done_count, total_count)}.{retry_hint}"


def _all_orders(total_count: int) -> str:
    return "the one order is" if total_count == 1 else f"all {total_count:,} orders are"


def _done_share(done_count: int, total_count: int) -> str:
    return f"{done_count:,} of {terminal.format_count(total_count, 'order')} {'is' if done_count == 1 else 'are'} done"


def _remaining(left_count: int) -> str:
    if not left_count:
        return ""
    orders = terminal.format_count(left_count, "order")
    return f"{orders} {'waits' if left_count == 1 else 'wait'}: start it again to continue."


def _outcomes(summary: BatchSummary) -> Iterator[Text]:
    for outcome, style in OUTCOME_STYLES.items():
        count = summary.outcomes.get(outcome, 0)
        if count:
            yield Text.assemble(f"{count:>8,}  ", (format_outcome(outcome), style))
    if summary.invalid_count:
        yield Text.assemble(f"{summary.invalid_count:>8,}  ", ("rows without a valid order number", "yellow"))
    if summary.left_count:
        yield Text.assemble(f"{summary.left_count:>8,}  ", ("waiting", "yellow"))


def _groups(summary: BatchSummary) -> Iterator[Text]:
    for group, count in summary.set_aside.items():
        orders = terminal.format_count(count, "order")
        name = group if group.isalnum() else f'"{group}"'
        text = f"Group {group} is set aside: {orders} not processed. When the access is there: --resume-group {name}"
        yield Text(text, "yellow")


def _effort(summary: BatchSummary, progress: Progress) -> str:
    orders, duration = (
        terminal.format_count(summary.done_now_count, "order"),
        terminal.format_duration(summary.duration_s),
    )
    files = f"{terminal.format_count(progress.files_count, 'file')}, {terminal.format_size(progress.files_bytes)}"
    return f"This run: {orders} in {duration}; {files}."


def _other_formats(summary: BatchSummary) -> str:
    others = [path.suffix for path in (summary.report_csv, summary.report_json) if path is not None]
    return f" ({' and '.join(others)} next to it)" if others else ""
