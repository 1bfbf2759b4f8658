"""The manifest beside the files of an order: the name, size, SHA-256, source and time of each file.

It is written once, before the folder is filed, and never changed. People and auditors read it; the archive reads it to
find the owner of a folder and to check its files. It is validated when it is read, because anyone may have edited it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from poolwright.domain.account import Account, page_origin
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.files.disk import CancelCheck, never_cancel, sha256_of
from poolwright.files.names import SUPERSEDED_NAME, well_formed
from poolwright.version import __version__

#: One of ``names.RESERVED_NAMES``: no attachment has this name.
MANIFEST_NAME = "manifest.json"


#: Beginnings of addresses that show the portal of a page.
_ADDRESSES = ("http://", "https://")


#: Version of the layout of a manifest.
MANIFEST_VERSION = 1


class ManifestError(ValueError):
    """A folder has no valid manifest. The message has the cause."""


class ManifestNewerError(ManifestError):
    """A newer version of this program wrote the manifest, so its folder is neither damaged nor ours to change."""


def _plain_name(name: str) -> str:
    if not name or name in {".", ".."} or PureWindowsPath(name).name != name or Path(name).name != name:
        raise ValueError("a file of an order must lie directly in the order's folder")
    return name


def _kept_name(path: str) -> str:
    *folders, name = path.split("/")
    if folders and (len(folders) != len((SUPERSEDED_NAME, "moment")) or folders[0] != SUPERSEDED_NAME):
        raise ValueError("an earlier file must lie in the order's folder or below its superseded folder")
    for part in (*folders, name):
        _plain_name(part)
    return path


class FileChange(StrEnum):
    """The reason why an earlier file is kept beside the present ones."""

    #: The portal has different content for it now.
    CHANGED = "changed"
    #: The portal no longer lists it.
    WITHDRAWN = "withdrawn"
    #: The portal lists it, but the last attempt could not fetch it.
    MISSED = "missed"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestFile(_Entry):
    """One attachment in the folder."""

    name: Annotated[str, AfterValidator(_plain_name)]
    label: str
    size_bytes: NonNegativeInt
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: str
    source_url: str
    #: To what it belongs, such as the header or a line of the order; empty if the portal pack names no place for it.
    section: str = Field(default="", exclude_if=lambda section: not section)

    @classmethod
    def from_fetched(cls, file: FetchedFile) -> Self:
        """Return the entry for a file that was saved."""
        return cls(
            name=file.name,
            label=well_formed(file.label),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            media_type=well_formed(file.media_type),
            source_url=well_formed(file.source_url),
            section=well_formed(file.section),
        )

    def problem_in(self, folder: Path, cancel_check: CancelCheck) -> str:
        """Return the problem of this file in ``folder`` as a sentence; empty if it is intact. Reads the whole file."""
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
    """One attachment of an earlier filing that is kept beside those of the last one."""

    #: The time of its filing as one of the order's files, aware UTC.
    fetched_at: AwareDatetime
    change: FileChange
    #: The time of the change, aware UTC.
    since: AwareDatetime
    #: Its path below the order's folder, with forward slashes.
    kept_as: Annotated[str, AfterValidator(_kept_name)]

    @property
    def is_superseded(self) -> bool:
        """Whether it is in the ``superseded`` folder, apart from the present files."""
        return self.kept_as.startswith(f"{SUPERSEDED_NAME}/")

    def is_whole_in(self, folder: Path) -> bool:
        """Whether it exists and is unchanged. Reads the whole file.

        Raises:
            OSError: It exists and cannot be read.
        """
        path = folder / self.kept_as
        if path.is_symlink() or not path.is_file():
            return False
        return path.stat().st_size == self.size_bytes and sha256_of(path) == self.sha256


class ManifestMiss(_Entry):
    """One attachment on the page that is not in the folder."""

    label: str
    source_url: str
    problem: str

    @classmethod
    def from_missed(cls, missed: MissedFile) -> Self:
        """Return the entry for a file that could not be saved."""
        return cls(
            label=well_formed(missed.label),
            source_url=well_formed(missed.source_url),
            problem=well_formed(missed.problem),
        )


class ManifestAccount(_Entry):
    """The account to which the order number belongs."""

    portal: str
    address: str
    profile: str

    @classmethod
    def from_account(cls, account: Account) -> Self:
        """Return the entry for an account."""
        return cls(portal=account.portal, address=account.address, profile=account.profile)


class _NewerManifest(BaseModel):
    """The only field that every layout has."""

    model_config = ConfigDict(strict=True)

    schema_version: int = Field(alias="schema", gt=MANIFEST_VERSION)


class Manifest(_Entry):
    """The manifest of one filed order. The fields are in their order in the file."""

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
    #: The time of filing, aware UTC.
    fetched_at: AwareDatetime
    attempt: int
    #: The number of files on the page, saved or missed.
    links_found_count: NonNegativeInt
    files: tuple[ManifestFile, ...]
    missed: tuple[ManifestMiss, ...]
    #: Files of earlier filings that the portal changed or withdrew, or that the last attempt could not fetch.
    earlier: tuple[EarlierFile, ...] = ()
    #: ``None`` in a pool without a portal, and in manifests of earlier versions.
    account: ManifestAccount | None = Field(default=None, exclude_if=lambda account: account is None)
    #: The page of the order as it was read; ``None`` if it is not filed.
    page_evidence: ManifestFile | None = Field(default=None, exclude_if=lambda page: page is None)

    @classmethod
    def from_report(cls, task: POTask, report: Report, fetched_at: datetime, account: Account | None = None) -> Self:
        """Return the manifest for one order with its report.

        Raises:
            ValidationError: A file name leads out of the folder, or a hash is not valid: a defect of the download.
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
            page_evidence=ManifestFile.from_fetched(report.page_evidence) if report.page_evidence else None,
        )

    @property
    def present(self) -> tuple[ManifestFile, ...]:
        """The files of this filing in the folder: the attachments, and the page if it is filed."""
        return (*self.files, *([self.page_evidence] if self.page_evidence else []))

    @property
    def is_page_only(self) -> bool:
        """Whether the folder holds no attachment of any filing, only the order's page."""
        return not self.files and not self.earlier

    def may_be_of(self, account: Account) -> bool:
        """Whether the order can be of this account, judged by its page's address if the manifest has no account."""
        if self.account is not None:
            return self.account == ManifestAccount.from_account(account)
        return not self.page_url.startswith(_ADDRESSES) or account.may_show(self.page_url)

    @property
    def owner(self) -> str:
        """The account of the order, as a phrase."""
        account = self.account
        return f"{account.address}, profile {account.profile}" if account else page_origin(self.page_url)

    def with_earlier(self, earlier: tuple[EarlierFile, ...]) -> Self:
        """Return the same manifest with the earlier files to keep."""
        return self.model_copy(update={"earlier": earlier})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest in ``folder``.

        Raises:
            ManifestError: There is none, or it is not valid.
            ManifestNewerError: A newer version wrote it.
            OSError: It exists and cannot be read.
        """
        written = b""
        try:
            written = (folder / MANIFEST_NAME).read_bytes()
            return cls.model_validate_json(written)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ManifestError(f"{folder.name} has no {MANIFEST_NAME}.") from error
        except ValidationError as error:
            _refuse_newer(written, folder)
            raise ManifestError(f"{MANIFEST_NAME} in {folder.name} is damaged or was edited.") from error

    def text(self) -> str:
        """Return the text of the file: indented JSON with unescaped letters and a line break at the end."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=2) + "\n"

    def covers(self, task: POTask, report: Report) -> bool:
        """Whether this is the manifest of this attempt with exactly these files."""
        fetched = (*report.files, *([report.page_evidence] if report.page_evidence else []))
        # The journal does not keep the section of a file.
        files, present = (
            [file.model_copy(update={"section": ""}) for file in entries]
            for entries in (map(ManifestFile.from_fetched, fetched), self.present)
        )
        return (self.task_id, self.attempt, present) == (task.task_id, task.attempt, files)

    def all_files(self) -> Iterator[EarlierFile]:
        """Yield every attachment in the folder as an earlier file of the next filing, the earlier ones first."""
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
        """Return a sentence for each file that is missing or changed; empty if all files are intact.

        Reads every file. Files that are not in the manifest are no problem: people add notes.
        """
        return [problem for file in self.present if (problem := file.problem_in(folder, cancel_check))]


def _refuse_newer(written: bytes, folder: Path) -> None:
    try:
        newer = _NewerManifest.model_validate_json(written)
    except ValidationError:
        return
    raise ManifestNewerError(
        f"{MANIFEST_NAME} in {folder.name} was written by a newer version of Poolwright "
        f"(layout {newer.schema_version}; this one knows {MANIFEST_VERSION}); check this folder with that version."
    )
