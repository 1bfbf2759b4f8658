"""The files that an order has: which of them can be left out when it is looked at again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.tasks import FetchedFile
from poolwright.worker.download.known_files import KnownFiles
from poolwright.worker.transfer.received_file import ReceivedFile
from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators
from tests.support.archive_orders import fetched
from tests.support.raw_portal import raw_pack

FILE = replace(fetched("a (2).pdf", b"a"), label="a.pdf", etag='"1"', last_modified="then")
URL = FILE.source_url
MAIL = replace(FILE, label="a.eml", media_type="text/plain")
ARCHIVE = replace(FILE, label="a.zip", media_type="application/zip")


@pytest.mark.parametrize(
    ("files", "attachments", "address", "expected"),
    [
        ([FILE], "", URL, Validators(etag='"1"', last_modified="then")),
        ([FILE], "", f"{URL}?other", NO_VALIDATORS),
        ([FILE], 'archive = "unpack"', URL, NO_VALIDATORS),
        ([FILE, replace(FILE, name="b.pdf")], "", URL, NO_VALIDATORS),
        ([replace(FILE, source_url="")], "", "", NO_VALIDATORS),
        ([], "", URL, NO_VALIDATORS),
        ([MAIL], "", URL, Validators(etag='"1"', last_modified="then")),
        ([MAIL], 'mail = "unpack"', URL, NO_VALIDATORS),
        ([MAIL], "mail_pdf = true", URL, NO_VALIDATORS),
        ([ARCHIVE], "", URL, Validators(etag='"1"', last_modified="then")),
        ([ARCHIVE], 'archive = "beside"', URL, NO_VALIDATORS),
        ([replace(ARCHIVE, label="a")], 'archive = "beside"', URL, NO_VALIDATORS),
        ([replace(ARCHIVE, media_type="", label="A.ZIP")], 'archive = "beside"', URL, NO_VALIDATORS),
        ([FILE], 'archive = "beside"', URL, Validators(etag='"1"', last_modified="then")),
        ([FILE], 'mail = "unpack"\nmail_pdf = true', URL, Validators(etag='"1"', last_modified="then")),
    ],
    ids=[
        "known",
        "other address",
        "unpacked",
        "several files",
        "no address",
        "none",
        "mail",
        "opened mail",
        "printed mail",
        "archive",
        "archive whose files are beside it",
        "archive by its type",
        "archive by its name",
        "no archive",
        "no mail",
    ],
)
def test_a_file_is_asked_for_by_what_was_told_of_it(
    files: list[FetchedFile], attachments: str, address: str, expected: Validators
) -> None:
    assert KnownFiles(raw_pack(attachments=attachments), files).validators(address) == expected


def test_an_unchanged_file_is_the_known_one() -> None:
    received = ReceivedFile(path=Path("part"), source_url=URL, is_unchanged=True)

    file = KnownFiles(raw_pack(), [FILE]).unchanged(received)

    assert file is not None
    assert (file.name, file.label, file.sha256, file.size_bytes) == (FILE.name, "a.pdf", FILE.sha256, FILE.size_bytes)
    assert (file.media_type, file.source_url, file.validators.etag) == (FILE.media_type, URL, '"1"')
    assert file.is_unchanged
    assert file.is_name_given


def test_a_file_that_came_is_no_known_one() -> None:
    known = KnownFiles(raw_pack(), [FILE])

    assert known.unchanged(ReceivedFile(path=Path("part"), source_url=URL)) is None
    assert known.unchanged(ReceivedFile(path=Path("part"), source_url="x", is_unchanged=True)) is None
