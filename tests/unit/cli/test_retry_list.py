"""``poolwright retry-list``: what can be tried again, as lists that ``run`` takes as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.support.commands import Command, FakeRun

ROW = {"row_no": 2, "cells": ["PO4500000001", "Acme"], "outcome": "FAILED"}


@pytest.fixture
def report(program: Path) -> Path:
    """A report as JSON with one order that failed."""
    path = program / "orders-report.json"
    path.write_text('{"summary": {},\n"columns": ["PO", "Supplier"],\n"rows": [\n' + json.dumps(ROW) + "\n]}\n")
    return path


@pytest.mark.usefixtures("report")
def test_its_list_is_taken_by_run_as_it_is(command: Command, fake_run: FakeRun) -> None:
    result = command("retry-list", "orders-report.json")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "failed       1 row: orders-failed.csv\n"
    assert command("run", "orders-failed.csv").exit_code == ExitCode.DONE
    [job] = fake_run.jobs
    assert [task.po_number for task in job.orders.tasks] == ["PO4500000001"]
    assert [(job.orders.columns, row.cells) for row in job.orders.rows] == [
        (("PO", "Supplier"), ("PO4500000001", "Acme"))
    ]


@pytest.mark.usefixtures("report")
def test_it_is_told_as_json_too(command: Command, program: Path) -> None:
    (program / "lists").mkdir()

    result = command("retry-list", "orders-report.json", "--class", "failed", "--to", "lists", "--json")

    assert json.loads(result.stdout) == {
        "type": "retry_list",
        "class": "failed",
        "path": "lists/orders-failed.csv",
        "row_count": 1,
    }


@pytest.mark.usefixtures("report")
def test_nothing_to_try_again_is_said(command: Command, program: Path) -> None:
    result = command("retry-list", "orders-report.json", "--class", "partial")

    assert result.stdout == "No order of this report is to be tried again.\n"
    assert not list(program.glob("*.csv"))


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("orders-report.json", "--class", "odd"), ExitCode.USAGE, "There is no class 'odd'; the classes are failed,"),
        (("nowhere.json",), ExitCode.INPUT, "There is no report 'nowhere.json'."),
        (("list.csv",), ExitCode.INPUT, "'list.csv' is not a report of Poolwright as JSON. Name the .json of a report"),
    ],
)
@pytest.mark.usefixtures("report")
def test_errors_are_sentences(
    command: Command, program: Path, arguments: tuple[str, ...], code: ExitCode, sentence: str
) -> None:
    (program / "list.csv").write_text("PO\n1\n")

    result = command("retry-list", *arguments)

    assert result.exit_code == code
    assert sentence in " ".join(result.stderr.split())
