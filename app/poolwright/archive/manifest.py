"""The page that lies beside the files of an order and vouches for them: what, how large, which hash, from where, when.

Written once, before the folder takes its place, and never changed. People and auditors read it, and so does the
archive: the manifest alone says whose folder it is and whether the folder is still whole. Reading is the border: a
manifest may have been edited by anyone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from poolwright.domain.account import Account, origin_of
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.files.disk import CancelCheck, never_cancel, sha256_of
from poolwright.files.names import SUPERSEDED_NAME, well_formed
from poolwright.version import __version__

#: One of ``names.RESERVED_NAMES``: no attachment is called so.
MANIFEST_NAME = "manifest.json"


#: How an address begins that says which portal a page is from.
_ADDRESSES = ("http://", "https://")


class ManifestError(ValueError):
    """A folder has no manifest that can be read. The message says why."""


def _plain_name(name: str) -> str:
    if not name or name in {".", ".."} or PureWindowsPath(name).name != name or Path(name).name != name:
        raise ValueError("a file of an order must lie directly in the order's folder")
    return name


def _kept_name(path: str) -> str:
    *drawer, name = path.split("/")
    if drawer and (len(drawer) != len((SUPERSEDED_NAME, "moment")) or drawer[0] != SUPERSEDED_NAME):
        raise ValueError("an earlier file must lie in the order's folder or below its superseded folder")
    for part in (*drawer, name):
        _plain_name(part)
    return path


class FileChange(StrEnum):
    """Why an earlier file is kept beside the present ones."""

    #: The portal has other bytes for it now.
    CHANGED = "changed"
    #: The portal no longer lists it.
    WITHDRAWN = "withdrawn"
    #: The portal lists it, and the last try could not fetch it.
    MISSED = "missed"


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
    def from_fetched(cls, file: FetchedFile) -> Self:
        """The entry for a file that was saved."""
        return cls(
            name=file.name,
            label=well_formed(file.label),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            media_type=well_formed(file.media_type),
            source_url=well_formed(file.source_url),
        )

    def problem_in(self, folder: Path, cancel_check: CancelCheck) -> str:
        """What is wrong with this file in ``folder``, in one sentence; empty when it is whole. Reads all of it."""
        path = folder / self.name
        try:
            size_bytes = path.stat().st_size
            if size_bytes != self.size_bytes:
                return f"{self.name} has {size_bytes:,} bytes instead of {self.size_bytes:,}."
            is_same = sha256_of(path, cancel_check) == self.sha256
        except FileNotFoundError:
            return f"{self.name} is missing."
        except OSError as error:
            return f"{self.name} cannot be read: {error.strerror}."
        return "" if is_same else f"{self.name} was changed: its SHA-256 differs."


class EarlierFile(ManifestFile):
    """One attachment that an earlier filing fetched and that is kept beside those of the last one."""

    #: When it was filed as one of the order's files, aware UTC.
    fetched_at: AwareDatetime
    change: FileChange
    #: When that was noticed, aware UTC.
    since: AwareDatetime
    #: Where it is, below the order's folder, with forward slashes.
    kept_as: Annotated[str, AfterValidator(_kept_name)]

    @property
    def is_superseded(self) -> bool:
        """Whether it has its place apart from the present files."""
        return self.kept_as.startswith(f"{SUPERSEDED_NAME}/")

    def is_whole_in(self, folder: Path) -> bool:
        """Whether it is there and unchanged. Reads all of it.

        Raises:
            OSError: It is there and cannot be read.
        """
        path = folder / self.kept_as
        if path.is_symlink() or not path.is_file():
            return False
        return path.stat().st_size == self.size_bytes and sha256_of(path) == self.sha256


class ManifestMiss(_Entry):
    """One attachment that the page lists and that is not in the folder."""

    label: str
    source_url: str
    problem: str

    @classmethod
    def from_missed(cls, missed: MissedFile) -> Self:
        """The entry for a file that could not be saved."""
        return cls(
            label=well_formed(missed.label),
            source_url=well_formed(missed.source_url),
            problem=well_formed(missed.problem),
        )


class ManifestAccount(_Entry):
    """Whose orders are meant by the numbers: of which portal, and as which profile sees them."""

    portal: str
    address: str
    profile: str

    @classmethod
    def from_account(cls, account: Account) -> Self:
        """The entry for an account."""
        return cls(portal=account.portal, address=account.address, profile=account.profile)


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
    #: What earlier filings fetched and the portal has changed or withdrawn since, or the last try could not fetch.
    earlier: tuple[EarlierFile, ...] = ()
    #: Nothing in a pool without a portal, and in manifests of an earlier Poolwright.
    account: ManifestAccount | None = Field(default=None, exclude_if=lambda account: account is None)

    @classmethod
    def from_report(cls, task: POTask, report: Report, fetched_at: datetime, account: Account | None = None) -> Self:
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
            files=tuple(ManifestFile.from_fetched(file) for file in report.files),
            missed=tuple(ManifestMiss.from_missed(missed) for missed in report.missed),
            account=ManifestAccount.from_account(account) if account else None,
        )

    def may_be_of(self, account: Account) -> bool:
        """Whether the order can be this account's; where it does not say whose it is, its page's address tells."""
        if self.account is not None:
            return self.account == ManifestAccount.from_account(account)
        return not self.page_url.startswith(_ADDRESSES) or account.may_show(self.page_url)

    @property
    def owner(self) -> str:
        """Whose order it is, in words."""
        known = self.account
        return f"{known.address}, profile {known.profile}" if known else origin_of(self.page_url)

    def with_earlier(self, earlier: tuple[EarlierFile, ...]) -> Self:
        """The same manifest, which also vouches for where earlier files go."""
        return self.model_copy(update={"earlier": earlier})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest in ``folder``.

        Raises:
            ManifestError: There is none, or it is not one of ours.
            OSError: It is there and cannot be read.
        """
        try:
            return cls.model_validate_json((folder / MANIFEST_NAME).read_bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ManifestError(f"{folder.name} has no {MANIFEST_NAME}.") from error
        except ValidationError as error:
            raise ManifestError(f"{MANIFEST_NAME} in {folder.name} is damaged or was edited.") from error

    def text(self) -> str:
        """The page: indented, letters as they are, a line break at the end."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=2) + "\n"

    def covers(self, task: POTask, report: Report) -> bool:
        """Whether this is the manifest of this very attempt with these very files."""
        files = tuple(ManifestFile.from_fetched(file) for file in report.files)
        return (self.task_id, self.attempt, self.files) == (task.task_id, task.attempt, files)

    def all_files(self) -> Iterator[EarlierFile]:
        """Every file that lies in the folder, the earlier ones first, as the next filing sees it."""
        yield from self.earlier
        for file in self.files:
            yield EarlierFile(
                **file.model_dump(),
                fetched_at=self.fetched_at,
                change=FileChange.WITHDRAWN,
                since=self.fetched_at,
                kept_as=file.name,
            )

    def problems(self, folder: Path, cancel_check: CancelCheck = never_cancel) -> list[str]:
        """What is no longer as this manifest says, one sentence each; empty when every file is there and whole.

        Reads every file. Files that the manifest does not know are no problem: people add notes.
        """
        return [problem for file in self.files if (problem := file.problem_in(folder, cancel_check))]
