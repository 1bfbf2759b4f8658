from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError, ManifestNewerError
from poolwright.domain.tasks import MissedFile, Report
from poolwright.files.names import RESERVED_NAMES
from poolwright.version import __version__
from tests.support.archive_orders import NOON, fetched, report_for, task_for

FILES = {"Größe.pdf": b"content"}


def write(folder: Path, text: str) -> Path:
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
    return folder


def test_the_page_tells_everything_in_a_steady_order_and_in_readable_letters() -> None:
    text = Manifest.from_report(task_for("PO1", attempt=2), report_for(FILES, missed=("lost",)), NOON).text()

    page = json.loads(text)
    assert list(page) == [
        "schema",
        "program_version",
        "task_id",
        "po_number",
        "portal_number",
        "outcome",
        "reason",
        "detail",
        "supplier",
        "fields",
        "page_url",
        "fetched_at",
        "attempt",
        "links_found_count",
        "files",
        "missed",
        "earlier",
    ]
    assert list(page["files"][0]) == ["name", "label", "size_bytes", "sha256", "media_type", "source_url"]
    assert page["schema"] == 1
    assert page["program_version"] == __version__
    assert page["fetched_at"] == "2026-11-23T12:00:00Z"
    assert page["supplier"] == page["fields"]["supplier"] == "Acme"
    assert page["links_found_count"] == 2
    assert page["attempt"] == 2
    assert page["missed"] == [{"label": "lost", "source_url": "", "problem": "The server closed the connection."}]
    assert '  "po_number": "PO1",\n' in text
    assert "Größe.pdf" in text
    assert text.endswith("}\n")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    manifest = Manifest.from_report(task_for("PO1"), report_for(FILES), NOON)

    assert Manifest.read(write(tmp_path, manifest.text())) == manifest


def test_text_that_utf_8_cannot_hold_is_written_all_the_same(tmp_path: Path) -> None:
    broken = "half \ud83d"
    file = fetched("a.pdf", b"a")
    report = Report(
        reason=report_for(FILES).reason,
        detail=broken,
        fields={broken: broken, "supplier": broken},
        files=(type(file)(name="a.pdf", label=broken, size_bytes=1, sha256=file.sha256, media_type="", source_url=""),),
        missed=(MissedFile(label=broken, source_url=broken, problem=broken, is_retryable=False),),
        page_url=broken,
    )

    manifest = Manifest.read(write(tmp_path, Manifest.from_report(task_for("PO1"), report, NOON).text()))

    assert manifest.supplier == manifest.files[0].label == "half ?"
    assert manifest.covers(task_for("PO1"), report)


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "C:x", "..", ".", ""])
def test_a_name_that_leads_out_of_the_folder_is_neither_written_nor_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError):
        Manifest.from_report(task_for("PO1"), report_for({name: b"content"}), NOON)

    page = json.loads(Manifest.from_report(task_for("PO1"), report_for(FILES), NOON).text())
    page["files"][0]["name"] = name
    with pytest.raises(ManifestError):
        Manifest.read(write(tmp_path, json.dumps(page)))


@pytest.mark.parametrize(
    ("old", "new"), [('"schema": 1', '"schema": "2"'), ('"detail"', '"more": 1, "detail"'), ("{", ""), ('00:00Z"', '"')]
)
def test_a_page_of_another_shape_is_not_guessed_at(tmp_path: Path, old: str, new: str) -> None:
    text = Manifest.from_report(task_for("PO1"), report_for(FILES), NOON).text()

    with pytest.raises(ManifestError, match="is damaged or was edited"):
        Manifest.read(write(tmp_path, text.replace(old, new, 1)))


def test_a_page_of_a_newer_version_is_neither_damaged_nor_edited(tmp_path: Path) -> None:
    text = Manifest.from_report(task_for("PO1"), report_for(FILES), NOON).text()

    with pytest.raises(ManifestNewerError, match=r"was written by a newer version .*layout 2; this one knows 1"):
        Manifest.read(write(tmp_path, text.replace('"schema": 1', '"schema": 2', 1)))


def test_a_manifest_vouches_for_its_own_attempt_alone() -> None:
    manifest = Manifest.from_report(task_for("PO1"), report_for(FILES), NOON)

    assert manifest.covers(task_for("PO1"), report_for(FILES))
    assert not manifest.covers(task_for("PO1", attempt=2), report_for(FILES))
    assert not manifest.covers(task_for("PO2"), report_for(FILES))
    assert not manifest.covers(task_for("PO1"), report_for({"Größe.pdf": b"CONTENT"}))


def test_a_manifest_tells_to_what_a_file_belongs_and_vouches_for_it_without_that(tmp_path: Path) -> None:
    report = report_for(FILES)
    placed = replace(report, files=tuple(replace(file, section="requisition: line 3") for file in report.files))

    manifest = Manifest.from_report(task_for("PO1"), placed, NOON)
    plain = Manifest.from_report(task_for("PO1"), report, NOON)

    assert {file["section"] for file in json.loads(manifest.text())["files"]} == {"requisition: line 3"}
    assert not any("section" in file for file in json.loads(plain.text())["files"])
    assert manifest.covers(task_for("PO1"), report)
    assert plain.covers(task_for("PO1"), placed)
    write(tmp_path, manifest.text())
    assert Manifest.read(tmp_path) == manifest


def test_a_folder_of_its_name_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).mkdir()

    with pytest.raises(ManifestError, match=r"has no manifest\.json"):
        Manifest.read(tmp_path)


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "Größe.pdf").mkdir()
    size_bytes = (tmp_path / "Größe.pdf").stat().st_size
    report = report_for({"Größe.pdf": b"x" * size_bytes})

    problems = Manifest.from_report(task_for("PO1"), report, NOON).problems(tmp_path)

    assert problems == ["Größe.pdf cannot be read: Is a directory."]


def test_no_attachment_is_called_like_the_manifest() -> None:
    assert MANIFEST_NAME in RESERVED_NAMES
