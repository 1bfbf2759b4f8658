"""Orders as a worker hands them over: a task, a report and a staging folder with real files that fit together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME, Manifest
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.files.names import STAGED_EVIDENCE, STAGED_FILES

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class StoppedClock:
    """Always noon."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0


def task_for(number: str, *, attempt: int = 1) -> POTask:
    return POTask(task_id=TaskId(f"demo:{number}"), po_number=number, portal_number=number[2:], attempt=attempt)


def fetched(name: str, content: bytes) -> FetchedFile:
    return FetchedFile(
        name=name,
        label=name,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        media_type="application/pdf",
        source_url=f"https://portal.example/files/{name}",
    )


def report_for(
    files: Mapping[str, bytes], *, supplier: str = "Acme", reason: Reason | None = None, missed: tuple[str, ...] = ()
) -> Report:
    usual = Reason.NONE_LISTED if not files else Reason.SOME_FILES_FAILED if missed else Reason.ALL_SAVED
    return Report(
        reason=reason or usual,
        fields={"supplier": supplier, "currency": "EUR"},
        files=tuple(fetched(name, content) for name, content in files.items()),
        missed=tuple(
            MissedFile(label=label, source_url="", problem="The server closed the connection.", is_retryable=True)
            for label in missed
        ),
        page_url="https://portal.example/orders/1",
    )


def stage(folder: Path, files: Mapping[str, bytes], *, evidence: Mapping[str, bytes] | None = None) -> Path:
    """A staging folder as a worker leaves it: private to its owner."""
    for name, contents in ((STAGED_FILES, files), (STAGED_EVIDENCE, evidence or {})):
        place = folder / name
        place.mkdir(mode=0o700, parents=True)
        for file, content in contents.items():
            path = place / file
            path.touch(mode=0o600)
            path.write_bytes(content)
    return folder


def folders_of(out: Path, task: POTask) -> list[Path]:
    """Every folder in the visible tree that says it is this order's."""
    manifests = [path for path in out.rglob(MANIFEST_NAME) if PRIVATE_NAME not in path.relative_to(out).parts]
    return [path.parent for path in manifests if Manifest.read(path.parent).task_id == task.task_id]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder and below it but the manifest, by its way from there."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST_NAME]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def superseded(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files that were fetched at noon, where they are once the portal has changed or withdrawn them."""
    return {f"superseded/2026-11-23T12-00-00Z/{name}": content for name, content in files.items()}


def left_behind(out: Path) -> list[str]:
    """What a filing leaves while it is under way and must not leave behind."""
    private = out / PRIVATE_NAME
    return [str(path) for name in ("filing", "replaced") for path in (private / name).glob("*")]


def empty_folders(out: Path) -> list[Path]:
    """Folders of the visible tree that nothing is in."""
    folders = [path for path in out.rglob("*") if path.is_dir() and PRIVATE_NAME not in path.relative_to(out).parts]
    return [path for path in folders if not any(path.iterdir())]
