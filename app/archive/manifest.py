"""The page that lies beside the files of an order and vouches for them: what, how large, which hash, from where, when.

Written once, before the folder takes its place, and never changed. People and auditors read it, and so does the
archive: the manifest alone says whose folder it is and whether the folder is still whole. Reading is the border: a
manifest may have been edited by anyone.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from app import __version__
from app.archive.disk import Heed, go_on, sha256_of
from app.archive.names import well_formed
from app.domain.failures import Outcome, Reason
from app.domain.task import FetchedFile, MissedFile, POTask, Report

#: One of ``names.RESERVED_NAMES``: no attachment is called so.
MANIFEST_NAME = "manifest.json"


class ManifestError(ValueError):
    """A folder has no manifest that can be read. The message says why."""


def _plain_name(name: str) -> str:
    if not name or name in {".", ".."} or PureWindowsPath(name).name != name or Path(name).name != name:
        raise ValueError("a file of an order lies directly in the folder of the order")
    return name


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestFile(_Entry):
    """One attachment that lies in the folder."""

    name: Annotated[str, AfterValidator(_plain_name)]
    label: str
    size_bytes: NonNegativeInt
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: str
    source_url: str

    @classmethod
    def of(cls, file: FetchedFile) -> Self:
        """The entry for a file that was saved."""
        return cls(
            name=file.name,
            label=well_formed(file.label),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            media_type=well_formed(file.media_type),
            source_url=well_formed(file.source_url),
        )

    def problem_in(self, folder: Path, heed: Heed) -> str:
        """What is wrong with this file in ``folder``, in one sentence; empty when it is whole. Reads all of it."""
        path = folder / self.name
        try:
            size_bytes = path.stat().st_size
            if size_bytes != self.size_bytes:
                return f"{self.name} has {size_bytes:,} bytes instead of {self.size_bytes:,}."
            is_same = sha256_of(path, heed) == self.sha256
        except FileNotFoundError:
            return f"{self.name} is missing."
        except OSError as error:
            return f"{self.name} cannot be read: {error.strerror}."
        return "" if is_same else f"{self.name} was changed: its SHA-256 is another."


class ManifestMiss(_Entry):
    """One attachment that the page lists and that is not in the folder."""

    label: str
    source_url: str
    problem: str

    @classmethod
    def of(cls, missed: MissedFile) -> Self:
        """The entry for a file that could not be saved."""
        return cls(
            label=well_formed(missed.label),
            source_url=well_formed(missed.source_url),
            problem=well_formed(missed.problem),
        )


class Manifest(_Entry):
    """What one filed order is. The order of the fields is the order on the page."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    program_version: str
    task_id: str
    po_number: str
    portal_number: str
    outcome: Outcome
    reason: Reason
    detail: str
    supplier: str
    fields: dict[str, str]
    page_url: str
    #: When the order was filed, aware UTC.
    fetched_at: AwareDatetime
    attempt: int
    #: Files saved and files missed: what the page lists.
    links_found_count: NonNegativeInt
    files: tuple[ManifestFile, ...]
    missed: tuple[ManifestMiss, ...]

    @classmethod
    def of(cls, task: POTask, report: Report, fetched_at: datetime) -> Self:
        """The manifest for one order as it ended.

        Raises:
            ValidationError: A file name leads out of the folder, or a hash is none: a defect of who fetched it.
        """
        return cls(
            program_version=__version__,
            task_id=task.task_id,
            po_number=task.po_number,
            portal_number=task.portal_number,
            outcome=report.outcome,
            reason=report.reason,
            detail=well_formed(report.detail),
            supplier=well_formed(report.fields.get("supplier", "")),
            fields={well_formed(name): well_formed(text) for name, text in report.fields.items()},
            page_url=well_formed(report.page_url),
            fetched_at=fetched_at,
            attempt=task.attempt,
            links_found_count=len(report.files) + len(report.missed),
            files=tuple(ManifestFile.of(file) for file in report.files),
            missed=tuple(ManifestMiss.of(missed) for missed in report.missed),
        )

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest in ``folder``.

        Raises:
            ManifestError: There is none, or it is not one of ours.
            OSError: It is there and cannot be read.
        """
        try:
            return cls.model_validate_json((folder / MANIFEST_NAME).read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ManifestError(f"{folder.name} has no {MANIFEST_NAME}.") from error
        except ValidationError as error:
            raise ManifestError(f"{MANIFEST_NAME} in {folder.name} is not as Poolwright wrote it.") from error

    def text(self) -> str:
        """The page: indented, letters as they are, a line break at the end."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=2) + "\n"

    def vouches_for(self, task: POTask, report: Report) -> bool:
        """Whether this is the manifest of this very attempt with these very files."""
        files = tuple(ManifestFile.of(file) for file in report.files)
        return (self.task_id, self.attempt, self.files) == (task.task_id, task.attempt, files)

    def problems(self, folder: Path, heed: Heed = go_on) -> list[str]:
        """What is no longer as this manifest says, one sentence each; empty when every file is there and whole.

        Reads every file. Files that the manifest does not know are no problem: people add notes.
        """
        return [problem for file in self.files if (problem := file.problem_in(folder, heed))]
