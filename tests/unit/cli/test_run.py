"""``poolwright run``: every option reaches the job, every kind of list is taken, every error is one sentence."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from openpyxl import Workbook

from poolwright.cli.order_input import OrderSources, copy_notice
from poolwright.cli.process_exit import ExitCode
from poolwright.domain.errors import LoginRequiredError, PoolError, ProfileError, SetupError
from poolwright.domain.events import Level
from poolwright.domain.ids import BatchId
from poolwright.domain.options import Sandbox
from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import OrderList
from poolwright.files.names import safe_name
from poolwright.portal.pack import parse_json
from poolwright.service.batch import BatchEnding, BatchJob, RedoPolicy
from poolwright.system.sandbox_probe import RefusedStep
from tests.support.commands import BASE_URL, SANDBOX_ALLOWED, Command, FakeRun, portal_of
from tests.support.events import ended, notice, started
from tests.support.machine import GB, with_memory

NUMBERS = ("PO4500000001", "PO4500000002")


def test_an_order_number_becomes_a_job(command: Command, fake_run: FakeRun, profile: Path) -> None:
    result = command("run", *NUMBERS)

    assert result.exit_code == ExitCode.DONE
    (job,) = fake_run.jobs
    assert [task.po_number for task in job.orders.tasks] == list(NUMBERS)
    assert job.pool.base_profile_path == Path("profiles/default/base")
    assert job.pool.base_profile_path.resolve() == profile
    assert (job.out, job.template) == (Path("downloads"), "{supplier}/{number}")
    assert job.journal_path == Path("downloads/.poolwright/journal.db")
    assert (job.pool.worker_count, job.pool.worker.tabs_per_worker, job.pool.max_attempts) == (2, 2, 3)
    assert (job.pool.worker.task_timeout_s, job.pool.shutdown_timeout_s) == (300, 60)
    assert portal_of(job.pool.worker).base_url == BASE_URL
    assert parse_json(portal_of(job.pool.worker).pack_json).name == "demo"
    assert job.redo is RedoPolicy.RETRYABLE
    assert job.pool.worker.browser.sandbox in {Sandbox.ON, Sandbox.OFF}, "a worker is never told auto"


@pytest.mark.parametrize(
    ("option", "seen"),
    [
        (("--workers", "5"), lambda job: job.pool.worker_count == 5),
        (("-w", "5"), lambda job: job.pool.worker_count == 5),
        (("--workers", "auto"), lambda job: job.pool.worker_count == 8),
        (("--tabs", "4"), lambda job: job.pool.worker.tabs_per_worker == 4),
        (("--headed",), lambda job: not job.pool.worker.browser.headless_mode),
        (("--headless",), lambda job: job.pool.worker.browser.headless_mode),
        (("--browser", "/bin/sh"), lambda job: job.pool.worker.browser.executable_path == "/bin/sh"),
        (("--sandbox", "on"), lambda job: job.pool.worker.browser.sandbox is Sandbox.ON),
        (("--sandbox", "off"), lambda job: job.pool.worker.browser.sandbox is Sandbox.OFF),
        (("--task-timeout", "12.5"), lambda job: job.pool.worker.task_timeout_s == 12.5),
        (("--file-max-mb", "3"), lambda job: job.pool.worker.sizes.file_bytes == 3 * 1024**2),
        (("--order-max-mb", "5"), lambda job: job.pool.worker.sizes.order_bytes == 5 * 1024**2),
        (("--max-attempts", "1"), lambda job: job.pool.max_attempts == 1),
        (("--shutdown-timeout", "5"), lambda job: job.pool.shutdown_timeout_s == 5),
        (("--memory-threshold", "0.6"), lambda job: job.pool.memory_threshold == 0.6),
        (("--recycle-after-tasks", "7"), lambda job: job.pool.recycle_after_tasks == 7),
        (("--recycle-after-tasks", "0"), lambda job: job.pool.recycle_after_tasks is None),
        (("--recycle-after-minutes", "1.5"), lambda job: job.pool.recycle_after_s == 90),
        (("--recycle-after-minutes", "0"), lambda job: job.pool.recycle_after_s is None),
        (("--out", "elsewhere"), lambda job: job.out == Path("elsewhere")),
        (("--folder-template", "{year}/{number}"), lambda job: job.template == "{year}/{number}"),
        (("--runs-dir", "r"), lambda job: job.pool.runs_root == Path("r")),
        (("--portal", "coupa"), lambda job: parse_json(portal_of(job.pool.worker).pack_json).name == "coupa"),
        (("--base-url", "https://x.example/"), lambda job: portal_of(job.pool.worker).base_url == "https://x.example"),
        (("--redo", "all"), lambda job: job.redo is RedoPolicy.ALL),
        (("--redo", "nothing"), lambda job: job.redo is RedoPolicy.NOTHING),
        (("--workers", "2"), lambda job: not job.is_refresh),
        (("--limit", "1"), lambda job: [task.po_number for task in job.orders.tasks] == [NUMBERS[0]]),
        (("--sample", "1"), lambda job: len(job.orders.tasks) == 1),
        (("--refresh",), lambda job: job.is_refresh and job.redo is RedoPolicy.RETRYABLE),
        (("--refresh", "--redo", "unfinished"), lambda job: job.is_refresh and job.redo is RedoPolicy.UNFINISHED),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_each_option_acts(
    option: tuple[str, ...], seen: Callable[[BatchJob], bool], command: Command, fake_run: FakeRun
) -> None:
    extra = ("--base-url", "https://x.example") if "--portal" in option else ()

    result = command("run", *NUMBERS, *option, *extra)

    assert result.exit_code == ExitCode.DONE, result.stderr
    assert seen(fake_run.jobs[0])


def test_a_profile_may_be_named_and_lie_elsewhere(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "profiles/default").rename(program / "profiles/second")
    (program / "profiles").rename(program / "elsewhere")

    result = command("run", *NUMBERS, "--profile", "second", "--profiles-dir", "elsewhere")

    assert result.exit_code == ExitCode.DONE
    assert fake_run.jobs[0].pool.base_profile_path == Path("elsewhere/second/base")


def test_user_and_password_come_from_the_environment(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_USER", "anna")
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")

    result = command("run", *NUMBERS, "--verbose")

    portal = portal_of(fake_run.jobs[0].pool.worker)
    assert (portal.user, portal.password.text) == ("anna", "hunter2")
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Portal.example:443/x", "https://portal.example"),
        ("http://127.0.0.1:81", "http://127.0.0.1:81"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_user_and_password_of_http_itself_are_for_the_portal_alone(
    address: str, origin: str, command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_HTTP_USER", "anna")
    monkeypatch.setenv("POOLWRIGHT_HTTP_PASSWORD", "hunter2")

    result = command("run", *NUMBERS, "--verbose", "--base-url", address)

    browser = fake_run.jobs[0].pool.worker.browser
    assert (browser.http_user, browser.http_password.text, browser.http_origin) == ("anna", "hunter2", origin)
    assert "hunter2" not in result.output


def test_a_proxy_is_told_to_the_workers_and_its_password_to_nobody_else(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"PROXY": "http://proxy.test:3128/", "PROXY_USER": "anna", "PROXY_PASSWORD": "hunter2"}
    for name, value in {**given, "PROXY_BYPASS": "login.test, .intern.test"}.items():
        monkeypatch.setenv(f"POOLWRIGHT_{name}", value)

    result = command("run", *NUMBERS, "--verbose")

    proxy = fake_run.jobs[0].pool.worker.browser.proxy
    assert proxy is not None
    assert (proxy.address, proxy.user, proxy.password.text) == ("http://proxy.test:3128", "anna", "hunter2")
    assert proxy.bypass == ("login.test", ".intern.test")
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PROXY": "proxy.test:3128"}, "it must be an address that starts with http://"),
        ({"PROXY": "http://anna:hunter2@proxy.test"}, "proxy has an invalid value"),
        ({"PROXY": "http://proxy.test:99999"}, "it must be an address that starts with http://"),
        ({"PROXY": "socks5://proxy.test", "PROXY_USER": "anna"}, "SOCKS"),
        ({"PROXY_USER": "anna"}, "proxy is not"),
        ({"PROXY_BYPASS": "a.test"}, "proxy is not"),
    ],
)
def test_a_proxy_that_cannot_be_used_as_it_is_set_is_refused(
    given: dict[str, str], told: str, command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"POOLWRIGHT_{name}", value)

    result = command("run", *NUMBERS)

    assert result.exit_code == ExitCode.USAGE
    assert told in " ".join(result.output.split())
    assert "hunter2" not in result.output
    assert not fake_run.jobs


LIST = "Supplier,Order No.,PO\nAcme,PO4500000001,PO4500000009\nNordwind,PO4500000002,PO4500000009\n"


def test_a_list_is_read_from_a_file(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "my orders.csv").write_text(LIST)

    result = command("run", "my orders.csv", "--column", "Order No.")

    assert result.exit_code == ExitCode.DONE
    (job,) = fake_run.jobs
    assert [task.po_number for task in job.orders.tasks] == list(NUMBERS)
    assert job.report_stem == "my orders-report", "the report may lie beside the list and must not replace it"


def test_the_run_says_of_which_workbooks_no_copy_with_results_is_made(tmp_path: Path) -> None:
    orders = OrderList(batch_id=BatchId("b"), source="my.ods", columns=("PO",), rows=(), tasks=(), sheet="Orders")
    names = {name: OrderSources(names=(str(tmp_path / name),)) for name in ("my.ods", "my.xlsx", "my.csv")}

    for name in names:
        (tmp_path / name).touch()

    told = copy_notice(names["my.ods"], orders)

    assert told.startswith(
        "A copy of your workbook with the results is made of .xlsm and .xlsx alone; save my.ods as .xlsx"
    )
    assert copy_notice(names["my.xlsx"], orders) == ""
    assert copy_notice(names["my.csv"], replace(orders, sheet="")) == ""


@pytest.mark.parametrize("stem", ["l" * 240, "ä" * 120, "a:b|c"])
def test_the_report_of_a_list_has_a_name_that_every_disk_takes(
    command: Command, fake_run: FakeRun, program: Path, stem: str
) -> None:
    (program / f"{stem}.csv").write_text(LIST)

    command("run", f"{stem}.csv", "--column", "Order No.")

    (job,) = fake_run.jobs
    assert job.report_stem == f"{safe_name(stem)}-report"
    assert len(f".{job.report_stem} (9).xlsx.new".encode()) < 200


def test_a_list_is_read_from_standard_input(command: Command, fake_run: FakeRun) -> None:
    command("run", "-", stdin="\n".join(NUMBERS))

    (job,) = fake_run.jobs
    assert [task.po_number for task in job.orders.tasks] == list(NUMBERS)
    assert job.report_stem == "orders-report"


def test_a_sheet_may_be_named(command: Command, fake_run: FakeRun, program: Path) -> None:
    workbook = Workbook()
    for name, number in (("First", NUMBERS[0]), ("Second", NUMBERS[1])):
        sheet = workbook.create_sheet(name)
        sheet.append(["PO"])
        sheet.append([number])
    workbook.save(program / "orders.xlsx")

    command("run", "orders.xlsx", "--sheet", "second")

    assert [task.po_number for task in fake_run.jobs[0].orders.tasks] == [NUMBERS[1]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), ExitCode.USAGE, "Missing argument 'SOURCE'"),
        (("--wrokers", "2"), ExitCode.USAGE, "--wrokers"),
        (
            (*NUMBERS, "--workers", "9"),
            ExitCode.USAGE,
            "workers is '9'; it must be a whole number from 1 to 8, or auto",
        ),
        ((*NUMBERS, "--sandbox", "maybe"), ExitCode.USAGE, "auto, on or off"),
        ((*NUMBERS, "--redo", "maybe"), ExitCode.USAGE, "maybe"),
        ((*NUMBERS, "--browser", "/nowhere"), ExitCode.USAGE, "/nowhere"),
        ((*NUMBERS, "--folder-template", "{colour}"), ExitCode.USAGE, "colour"),
        ((*NUMBERS, "--portal", "none-such"), ExitCode.USAGE, "none-such"),
        ((*NUMBERS, "--portal", "coupa"), ExitCode.USAGE, "--base-url"),
        ((NUMBERS[0], "orders.csv"), ExitCode.USAGE, "not several of them"),
        (("-", NUMBERS[0]), ExitCode.USAGE, "not several of them"),
        (("none.csv",), ExitCode.INPUT, "none.csv"),
        (("hello",), ExitCode.INPUT, "hello"),
        ((*NUMBERS, "--profile", "none-such"), ExitCode.PROFILE, "none-such"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    arguments: tuple[str, ...], code: ExitCode, words: str, command: Command, fake_run: FakeRun
) -> None:
    result = command("run", *arguments)

    assert result.exit_code == code
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert fake_run.jobs == []


def test_an_output_folder_that_cannot_be_is_refused(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "file").write_text("")

    result = command("run", *NUMBERS, "--out", "file/below")

    assert result.exit_code == ExitCode.USAGE
    assert "out is 'file/below'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProfileError("It is damaged."), ExitCode.PROFILE),
        (SetupError("No room."), ExitCode.RESOURCES),
        (LoginRequiredError("Log in."), ExitCode.LOGIN),
    ],
)
def test_what_the_run_refuses_is_a_sentence_and_a_code(
    error: PoolError, code: ExitCode, command: Command, fake_run: FakeRun
) -> None:
    fake_run.error = error

    result = command("run", *NUMBERS)

    assert result.exit_code == code
    assert result.stderr.endswith(f"poolwright: {error}\n")
    assert "Traceback" not in result.output


def test_a_defect_is_no_sentence(command: Command, fake_run: FakeRun) -> None:
    fake_run.error = RuntimeError("a defect")

    result = command("run", *NUMBERS)

    assert result.exit_code == 1
    assert isinstance(result.exception, RuntimeError)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "/srv/out/x"), "'/srv/out/x' cannot be used: No space left on device."),
        (OSError(5, "Input/output error"), "The operating system reported an error: Input/output error."),
        (TimeoutError(), "The operating system reported an error: TimeoutError."),
    ],
)
def test_what_the_system_refuses_is_a_sentence_and_an_exit_code(
    error: OSError, told: str, command: Command, fake_run: FakeRun
) -> None:
    fake_run.error = error

    result = command("run", *NUMBERS)

    assert result.exit_code == ExitCode.RESOURCES
    assert f"poolwright: {told} Fix this and start it again." in result.stderr


def test_a_folder_that_is_gone_under_its_command_is_told(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_run.error = gone = FileNotFoundError(2, "No such file or directory")

    def refuse() -> NoReturn:
        raise gone

    monkeypatch.setattr("os.getcwd", refuse)

    result = command("run", *NUMBERS)

    assert result.exit_code == ExitCode.RESOURCES
    assert "poolwright: The current folder no longer exists." in result.stderr


@pytest.mark.parametrize(
    ("ending", "left_count", "code"),
    [
        (BatchEnding.FINISHED, 0, ExitCode.DONE),
        (BatchEnding.STOPPED, 3, ExitCode.STOPPED),
        (BatchEnding.LOGIN_REQUIRED, 3, ExitCode.LOGIN),
        (BatchEnding.PROFILE_DAMAGED, 3, ExitCode.PROFILE),
        (BatchEnding.NO_WORKERS, 0, ExitCode.RESOURCES),
    ],
)
def test_the_ending_becomes_the_exit_code(
    ending: BatchEnding, left_count: int, code: ExitCode, command: Command, fake_run: FakeRun
) -> None:
    fake_run.summary = replace(fake_run.summary, ending=ending, left_count=left_count)

    assert command("run", *NUMBERS).exit_code == code


def test_lines_tell_the_run_where_there_is_no_terminal(command: Command, fake_run: FakeRun) -> None:
    fake_run.events = (started(1, 1), ended(1), notice("it hangs", Level.WARNING))

    lines = command("run", *NUMBERS).stdout.splitlines()

    assert "1/2 PO4500001 COMPLETED 2.1 s" in lines
    assert "warning: it hangs" in lines
    assert lines[-1].startswith("This run: 1 order")


def test_how_the_list_was_read_is_told(command: Command, fake_run: FakeRun) -> None:
    result = command("run", NUMBERS[0], NUMBERS[0], "PO12")

    assert "1 row repeats an order" in result.stdout
    assert "Row 3 has no valid order number" in result.stdout


def test_a_browser_without_its_sandbox_is_told(command: Command, fake_run: FakeRun) -> None:
    assert "without Chromium's own sandbox" in command("run", *NUMBERS, "--sandbox", "off").stdout
    assert "without Chromium's own sandbox" not in command("run", *NUMBERS, "--sandbox", "on").stdout


def test_a_sandbox_that_was_asked_for_and_is_refused_is_told(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = replace(SANDBOX_ALLOWED, refused=RefusedStep.NAMESPACE)
    monkeypatch.setattr("poolwright.system.sandbox.probe_sandbox", lambda _: refused)

    told = " ".join(command("run", *NUMBERS, "--sandbox", "on").stdout.split())

    assert "Chromium's own sandbox is on (as configured), but browsers may fail to start: this system forbids" in told


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("auto", "Chromium's own sandbox is on: this system allows it."),
        ("on", "Chromium's own sandbox is on: as configured."),
        ("off", "The browsers run without Chromium's own sandbox: as configured."),
    ],
)
def test_the_log_tells_the_mode_of_the_sandbox_and_the_reason(
    choice: str, line: str, command: Command, fake_run: FakeRun, program: Path
) -> None:
    shown = command("run", *NUMBERS, "--sandbox", choice, "--verbose")

    entries = [json.loads(text) for text in (program / "downloads/.poolwright/log.jsonl").read_text().splitlines()]
    assert [entry["text"] for entry in entries].count(line) == 1
    assert ("sandbox" in f"{shown.stdout}{shown.stderr}") is (choice == "off"), "what is in order is only logged"


def test_json_is_all_that_programs_read(command: Command, fake_run: FakeRun) -> None:
    fake_run.events = (ended(1),)
    fake_run.summary = replace(fake_run.summary, outcomes={Outcome.FAILED: 1})

    result = command("run", *NUMBERS, "--json", "--sandbox", "on")

    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [entry["type"] for entry in told] == ["task_ended", "summary"]
    assert told[-1]["exit_code"] == result.exit_code == ExitCode.NOT_ALL_DONE


def test_quiet_shows_only_the_end(command: Command, fake_run: FakeRun) -> None:
    fake_run.events = (ended(1), notice("hello"))

    assert command("run", *NUMBERS, "--quiet").stdout.startswith("The one order is done.")


def test_the_whole_log_is_kept_beside_the_journal_for_its_owner_alone(
    command: Command, fake_run: FakeRun, program: Path
) -> None:
    command("run", *NUMBERS)

    assert (program / "downloads/.poolwright/log.jsonl").is_file()
    assert stat.S_IMODE((program / "downloads/.poolwright").stat().st_mode) == 0o700


@pytest.mark.parametrize(("level", "kept"), [("debug", 3), ("info", 2), ("error", 0)])
def test_the_log_may_go_elsewhere_and_hold_more_or_less(
    level: str, kept: int, command: Command, fake_run: FakeRun, program: Path
) -> None:
    command("run", *NUMBERS, "--log-file", "logs/mine.jsonl", "--log-level", level, "--sandbox", "on")

    assert len((program / "logs/mine.jsonl").read_text().splitlines()) == kept
    assert not (program / "downloads/.poolwright/log.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "seen"), [((), ["weighs"]), (("--verbose",), ["notes", "weighs"]), (("--quiet",), [])]
)
def test_people_see_of_the_log_what_they_want(
    options: tuple[str, ...], seen: list[str], command: Command, fake_run: FakeRun
) -> None:
    lines = command("run", *NUMBERS, *options).stderr.splitlines()

    assert len(lines) == len(seen)
    assert all(word in line for word, line in zip(seen, lines, strict=True))


def test_a_dry_run_shows_the_list_and_starts_nothing(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "orders.csv").write_text(f"{LIST}Acme,12,PO4500000009\n")

    result = command("run", "orders.csv", "--column", "Order No.", "--dry-run")

    assert result.exit_code == ExitCode.DONE
    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert shown[0] == "orders.csv: 3 rows, 2 orders, order numbers from column #2 'Order No.'"
    assert "2 PO4500000001 PO4500000001" in shown
    assert any(line.startswith("4 12 INVALID") for line in shown)
    assert fake_run.jobs == []
    assert not (program / "downloads").exists()


def test_a_dry_run_for_programs(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "orders.csv").write_text(LIST)

    told = json.loads(command("run", "orders.csv", "--column", "#2", "--dry-run", "--json").stdout)

    assert (told["type"], told["column"], told["column_position"]) == ("list", "Order No.", 2)
    assert told["orders"] == list(NUMBERS)


def test_a_dry_run_needs_no_profile_when_the_portal_is_named(command: Command, program: Path) -> None:
    result = command("run", *NUMBERS, "--portal", "demo", "--base-url", BASE_URL, "--dry-run")

    assert result.exit_code == ExitCode.DONE


def test_the_profiles_address_serves_only_its_own_portal(command: Command, fake_run: FakeRun) -> None:
    assert command("run", *NUMBERS, "--portal", "demo").exit_code == ExitCode.DONE
    assert portal_of(fake_run.jobs[0].pool.worker).base_url == BASE_URL
    assert command("run", *NUMBERS, "--portal", "coupa").exit_code == ExitCode.USAGE


def test_too_many_workers_for_the_memory_are_refused(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.service.capacity.inspect_hardware", lambda *_: with_memory(2 * GB))

    result = command("run", *NUMBERS, "--workers", "8")

    assert result.exit_code == ExitCode.RESOURCES
    assert "8 workers with 2 tabs each need about 5.5 GB of memory" in result.stderr
    assert "--workers 2 would fit, or --workers auto." in result.stderr
    assert fake_run.jobs == []


def test_what_auto_took_and_what_is_tight_are_told_and_logged(
    command: Command, fake_run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_WORKERS", "auto")
    monkeypatch.setattr("poolwright.service.capacity.inspect_hardware", lambda *_: with_memory(int(0.6 * GB)))

    result = command("run", *NUMBERS)

    assert fake_run.jobs[0].pool.worker_count == 1
    log = Path("downloads/.poolwright/log.jsonl").read_text()
    for words in ("workers = auto uses 1 worker", "1 worker with 2 tabs needs about 0.7 GB"):
        assert result.output.count(words) == 1
        assert words in log


def test_a_dry_run_shows_the_folders_of_the_orders(command: Command, fake_run: FakeRun, program: Path) -> None:
    (program / "orders.csv").write_text(
        "Buyer,PO\nAnn,PO4500000001\nBob,PO4500000001\nA/B,4500 000 002\nAnn,po4500000001\n"
    )
    options = ("--column", "PO", "--folder-template", "{Buyer}/{supplier}/{number}", "--dry-run")

    shown = command("run", "orders.csv", *options)
    told = json.loads(command("run", "orders.csv", *options, "--json").stdout)

    assert shown.exit_code == ExitCode.DONE
    assert "1 order is in rows that differ in Buyer; the folder is that of the first row." in shown.stdout
    assert "'4500 000 002' as '4500000002' (row 4)" in shown.stdout
    tree = [line.strip("│├└─ ") for line in shown.stdout.splitlines()]
    assert tree[tree.index("Ann") :][:6] == ["Ann", "{supplier}", "PO4500000001", "A_B", "{supplier}", "4500000002"]
    assert told["folders"] == ["Ann/{supplier}/PO4500000001", "A_B/{supplier}/4500000002"]
    assert told["changed"] == [{"row_no": 4, "portal_number": "4500000002"}]
    assert fake_run.jobs == []


def test_orders_with_one_name_for_their_folders_are_shown_apart(command: Command, program: Path) -> None:
    options = ("--portal", "demo", "--base-url", BASE_URL, "--folder-template", "x", "--dry-run", "--json")

    assert json.loads(command("run", *NUMBERS, *options).stdout)["folders"] == ["x", "x (2)"]


def test_a_level_that_is_neither_field_nor_column_is_refused(
    command: Command, fake_run: FakeRun, program: Path
) -> None:
    (program / "orders.csv").write_text("Buyer,PO\nAnn,PO4500000001\n")

    result = command("run", "orders.csv", "--folder-template", "{Company}/{number}")

    assert result.exit_code == ExitCode.USAGE
    assert "unknown field {Company}" in result.stderr
    assert "Buyer" in result.stderr


@pytest.mark.parametrize(
    ("redo", "sentence"),
    [
        ("all", "--redo all downloads every file again, and --refresh keeps those that did not change; choose one."),
        ("nothing", "--refresh fetches orders again whose files are missing or changed on the disk; it needs --redo"),
    ],
)
def test_a_refresh_that_another_option_contradicts_is_refused(
    command: Command, fake_run: FakeRun, redo: str, sentence: str
) -> None:
    result = command("run", *NUMBERS, "--refresh", "--redo", redo)

    assert result.exit_code == ExitCode.USAGE
    assert sentence in " ".join(result.stderr.split())
    assert fake_run.jobs == []
