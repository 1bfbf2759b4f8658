"""Which mails are printed, where their PDFs belong, and what keeps one from being printed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio.lowlevel
import pytest
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import SizeLimits
from poolwright.domain.tasks import FetchedFile
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.rendering import mail_printer
from poolwright.worker.rendering.mail_printer import MailPrinter
from tests.unit.worker.test_mail_files import PDF, file_of, internet_mail

PRINTED = b"%PDF-1.4\n/CreationDate (D:20261201005444+00'00')\n/ModDate (D:20261201005444+00'00')>>\n%%EOF"
MAIL = internet_mail(a_pdf=PDF).as_bytes()
NOTE = "The mail offer.eml has no PDF beside it: {}."


class Session:
    """The protocol of the page."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.sent.append((method, params))
        return {}


class Paper:
    """A browser and its page, which prints what it is told to."""

    def __init__(self, printed: bytes | Exception = PRINTED, *, opens: bool = True) -> None:
        self.printed = printed
        self.opens = opens
        self.context = self
        self.session = Session()
        self.shown: list[str] = []
        self.refused: list[str] = []
        self.is_closed = False

    async def new_page(self) -> Paper:
        if not self.opens:
            msg = "Target closed"
            raise PlaywrightError(msg)
        return self

    async def new_cdp_session(self, page: Paper) -> Session:
        return page.session

    async def route(self, pattern: str, _: object) -> None:
        self.refused.append(pattern)

    async def set_content(self, document: str, **_: object) -> None:
        await anyio.lowlevel.checkpoint()
        self.shown.append(document)

    async def pdf(self, **_: object) -> bytes:
        if isinstance(self.printed, Exception):
            raise self.printed
        return self.printed

    async def close(self) -> None:
        self.is_closed = True


async def printed(
    paper: Paper,
    *files: DownloadedFile,
    sizes: SizeLimits | None = None,
    until: float = math.inf,
    known_files: tuple[FetchedFile, ...] = (),
) -> list[DownloadedFile]:
    context = cast("BrowserContext", cast("Any", paper))
    printer = MailPrinter(context, sizes or SizeLimits(), until=until, known_files=known_files)
    return await printer.with_printed(files, files[0].path.parent)


def known(file: DownloadedFile, **changes: Any) -> FetchedFile:  # noqa: ANN401 - fields by name
    fetched = FetchedFile(
        name=file.name or file.label,
        label=file.label,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        media_type=file.media_type,
        source_url=file.source_url,
    )
    return replace(fetched, **changes)


async def test_a_mail_has_its_pdf_beside_it_without_the_time_of_printing(tmp_path: Path) -> None:
    paper, mail = Paper(), file_of(tmp_path, MAIL)

    first, pdf = await printed(paper, mail)

    assert first == mail
    assert (pdf.name, pdf.label, pdf.media_type) == ("offer.eml.pdf", "offer.eml (printed)", "application/pdf")
    assert (pdf.source_url, pdf.source, pdf.section, pdf.is_name_given) == ("u", "x", "L", True)
    content = pdf.path.read_bytes()
    assert content == PRINTED.replace(b"20261201005444", b"19700101000000")
    assert (pdf.size_bytes, mail.path.read_bytes()) == (len(content), MAIL)
    assert "a.pdf" in paper.shown[0]


async def test_the_page_runs_no_scripts_refuses_every_request_and_is_closed(tmp_path: Path) -> None:
    paper = Paper()

    await printed(paper, file_of(tmp_path, MAIL))

    assert paper.refused == ["**/*"]
    assert paper.session.sent == [("Emulation.setScriptExecutionDisabled", {"value": True})]
    assert paper.is_closed


async def test_other_files_are_not_printed_and_open_no_page(tmp_path: Path) -> None:
    files = [file_of(tmp_path, PDF, name, "application/pdf") for name in ("a.pdf", "winmail.dat")]

    assert await printed(Paper(opens=False), *files) == files


async def test_each_mail_is_followed_by_its_own(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    files = [
        file_of(tmp_path, MAIL, "a.eml"),
        file_of(tmp_path / "b", MAIL, "b.eml"),
        file_of(tmp_path, MAIL, "c.pdf", "application/pdf"),
    ]

    names = [file.name or file.label for file in await printed(Paper(), *files)]

    assert names == ["a.eml", "a.eml.pdf", "b.eml", "b.eml.pdf", "c.pdf"]


@pytest.mark.parametrize(
    ("paper", "changes", "cause"),
    [
        (Paper(opens=False), {}, "Target closed"),
        (Paper(PlaywrightError("Printing failed.\nlog")), {}, "Printing failed"),
        (Paper(), {"until": 0.0}, "it took too long"),
        (Paper(), {"sizes": SizeLimits(file_bytes=len(PRINTED) - 1)}, "it has 104 bytes"),
        (Paper(), {"sizes": SizeLimits(order_bytes=len(MAIL) - 1)}, "the order"),
        (Paper(), {"sizes": SizeLimits(order_bytes=len(MAIL) + 1)}, "the order"),
    ],
    ids=["no page", "refused", "late", "large", "full before", "full"],
)
async def test_a_mail_that_is_not_printed_stays_with_a_note(
    paper: Paper, changes: dict[str, Any], cause: str, tmp_path: Path
) -> None:
    mail = file_of(tmp_path, MAIL)

    [noted] = await printed(paper, mail, **changes)

    assert replace(noted, notes=()) == mail
    [note] = noted.notes
    assert note.startswith(NOTE.split("{", maxsplit=1)[0])
    assert cause.rsplit(maxsplit=1)[-1] in note


async def test_a_damaged_mail_and_one_that_is_too_large_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [damaged] = await printed(Paper(), file_of(tmp_path, b"no mail at all"))
    monkeypatch.setattr(mail_printer, "MAIL_MAX_BYTES", len(MAIL) - 1)
    [large] = await printed(Paper(), file_of(tmp_path, MAIL))

    assert damaged.notes == (NOTE.format("it is damaged (it has no header)"),)
    assert large.notes == (NOTE.format("it is too large"),)


async def test_what_is_not_in_the_pdf_is_told(tmp_path: Path) -> None:
    mail, pdf = await printed(Paper(), file_of(tmp_path, b"Subject: x\n\n \n"))

    assert mail.notes == ("In the PDF of the mail offer.eml: it has no text.",)
    assert pdf.notes == ()


async def test_a_mail_that_is_the_same_keeps_its_pdf(tmp_path: Path) -> None:
    mail = file_of(tmp_path, MAIL)
    pdf = known(mail, name="p.pdf", label="offer.eml (printed)", sha256="p", size_bytes=7, media_type="application/pdf")

    _, kept = await printed(Paper(opens=False), mail, known_files=(known(mail), pdf))

    assert (kept.name, kept.sha256, kept.size_bytes, kept.is_unchanged) == ("p.pdf", "p", 7, True)


@pytest.mark.parametrize("other", [{"sha256": "other"}, {"label": "other.eml"}, {"is_pdf": False}])
async def test_a_mail_that_changed_is_printed_anew(other: dict[str, Any], tmp_path: Path) -> None:
    mail = file_of(tmp_path, MAIL)
    kind = "application/pdf" if other.pop("is_pdf", True) else "text/plain"
    pdf = known(mail, name="p.pdf", label="offer.eml (printed)", media_type=kind)

    _, new = await printed(Paper(), mail, known_files=(known(mail, **other), pdf))

    assert not new.is_unchanged
    assert new.path.is_file()
