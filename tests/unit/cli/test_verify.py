"""``poolwright verify``: whole is exit code 0, anything else is named and is exit code 10; nothing is changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.service.output_folder import DEMO_LIST_NAME, DEMO_MARKER_NAME
from tests.support.commands import Command
from tests.support.filed_trees import file_orders, journal_path
from tests.support.journal_audit import query
from tests.support.profile_folders import fingerprint

ORDERS = {f"PO{number}": {"a.pdf": b"a%d" % number, "b.pdf": b"b%d" % number} for number in range(1, 4)}


@pytest.fixture
def out(program: Path) -> Path:
    out = program / "downloads"
    file_orders(out, ORDERS)
    return out


def summary_of(text: str) -> dict[str, object]:
    return json.loads(text.splitlines()[-1])


def test_a_tree_as_it_was_filed_is_whole_and_stays_as_it_is(command: Command, out: Path) -> None:
    before = fingerprint(out)

    result = command("verify")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "3 orders, 6 files, 12 B checked: every file is as it was filed.\n"
    assert fingerprint(out) == before


def test_one_flipped_byte_in_a_thousand_files_is_found(command: Command, program: Path) -> None:
    out = program / "archive"
    file_orders(out, {f"PO{number}": {f"{i}.pdf": b"%d" % (number * i) for i in range(20)} for number in range(50)})
    assert summary_of(command("verify", "archive", "--json").stdout)["file_count"] == 50 * 20
    path = out / "Acme/PO31/17.pdf"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])

    result = command("verify", "archive")

    assert result.exit_code == ExitCode.NOT_WHOLE
    assert result.stdout.splitlines() == [
        "changed          Acme/PO31/17.pdf was changed: its SHA-256 differs.",
        "50 orders, 1,000 files, 2.5 kB checked: not whole: 1 changed.",
    ]


def test_json_has_a_line_for_each_finding_and_a_summary(command: Command, out: Path) -> None:
    (out / "Acme/PO1/a.pdf").unlink()
    (out / "Acme/PO2/note.txt").write_bytes(b"")

    result = command("verify", str(out), "--json")

    missing, added, summary = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == ExitCode.NOT_WHOLE
    assert missing == {
        "type": "finding",
        "kind": "missing",
        "folder": "Acme/PO1",
        "file": "a.pdf",
        "text": "Acme/PO1/a.pdf is missing.",
    }
    assert (added["kind"], added["file"]) == ("added", "note.txt")
    assert summary["type"] == "summary"
    assert summary["is_whole"] is False
    assert (summary["order_count"], summary["file_count"], summary["notes"]) == (3, 6, [])
    assert {kind: count for kind, count in summary["findings"].items() if count} == {"missing": 1, "added": 1}


def test_notes_of_people_can_be_allowed(command: Command, out: Path) -> None:
    (out / "Acme/PO2/note.txt").write_bytes(b"")

    assert command("verify").exit_code == ExitCode.NOT_WHOLE
    result = command("verify", "--allow-added")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "3 orders, 6 files, 12 B checked: every file is as it was filed.\n"


def test_what_a_demo_put_into_its_folder_itself_is_not_added(command: Command, out: Path) -> None:
    (out / DEMO_LIST_NAME).write_bytes(b"the list")
    assert "added            orders.xlsx belongs to no order." in command("verify").stdout
    (out / DEMO_MARKER_NAME).touch()
    assert command("verify").exit_code == ExitCode.DONE

    (out / "Acme" / DEMO_LIST_NAME).write_bytes(b"another list")
    result = command("verify")

    assert result.exit_code == ExitCode.NOT_WHOLE
    assert result.stdout.splitlines()[0] == "added            Acme/orders.xlsx belongs to no order."


def test_a_folder_that_is_gone_is_known_from_the_journal(command: Command, out: Path) -> None:
    shutil.rmtree(out / "Acme")

    result = command("verify")

    assert result.exit_code == ExitCode.NOT_WHOLE
    assert "Acme/PO1 is missing; the journal has it for PO1." in result.stdout.splitlines()[0]
    assert "not whole: 3 missing" in result.stdout


def test_a_manifest_that_was_edited_to_fit_its_files_contradicts_the_journal(command: Command, out: Path) -> None:
    folder = out / "Acme/PO1"
    (folder / "b.pdf").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [file for file in manifest["files"] if file["name"] != "b.pdf"]
    (folder / "manifest.json").write_text(json.dumps(manifest))

    result = command("verify")

    assert result.exit_code == ExitCode.NOT_WHOLE
    assert "Manifest and journal differ in the files of PO1 in Acme/PO1." in result.stdout


def test_without_a_journal_it_says_what_it_cannot_see(command: Command, out: Path) -> None:
    shutil.rmtree(out / ".poolwright")
    shutil.rmtree(out / "Acme/PO1")

    result = command("verify")

    assert result.exit_code == ExitCode.DONE
    note, summary = result.stdout.splitlines()
    assert note == "There is no journal in this folder, so folders of orders that are gone cannot be noticed."
    assert summary.startswith("2 orders, 4 files")


def test_a_filing_that_was_interrupted_is_told(command: Command, out: Path) -> None:
    private = out / ".poolwright"
    committed = next((private / "filed").iterdir())
    shutil.copy(committed, private / "filing" / committed.name)

    assert "1 order was being filed when a run ended" in command("verify").stdout


@pytest.mark.parametrize("name", ["elsewhere", "empty", "list.csv"])
def test_a_folder_without_orders_is_never_called_whole(command: Command, program: Path, name: str) -> None:
    (program / "empty").mkdir()
    (program / "list.csv").write_bytes(b"")

    result = command("verify", name)

    assert result.exit_code == ExitCode.USAGE
    assert "name the output folder of an earlier run" in result.stderr


def test_a_journal_that_is_damaged_is_an_error(command: Command, out: Path) -> None:
    journal_path(out).write_bytes(b"no journal" * 1000)

    assert command("verify").exit_code == ExitCode.RESOURCES


def test_a_journal_of_an_earlier_version_is_read_and_stays_as_it_is(command: Command, program: Path) -> None:
    from tests.support.earlier_journals import EARLIER, build  # noqa: PLC0415 - only here

    path = journal_path(program / "downloads")
    path.parent.mkdir(parents=True)
    build(path, EARLIER[0])
    version = query(path, "PRAGMA user_version")
    folders = query(path, "SELECT folder FROM reports WHERE folder <> ''")

    result = command("verify", "--json")

    assert folders
    assert summary_of(result.stdout)["findings"] == {
        **dict.fromkeys(
            ("changed", "added", "no_manifest", "damaged_manifest", "newer_manifest", "journal_differs", "unreadable"),
            0,
        ),
        "missing": len(folders),
    }
    assert query(path, "PRAGMA user_version") == version


def test_ctrl_c_says_how_far_it_came(command: Command, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("poolwright.archive.tree_audit.sha256_of", interrupt)

    result = command("verify")

    assert out.is_dir()
    assert result.exit_code == ExitCode.STOPPED
    assert result.stdout == ""
    assert "Not finished: 1 order, 0 files, 0 B checked." in result.stderr
