"""Mails among the attachments of an order: with ``mail = "unpack"`` their own attachments are filed beside them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, pdf, raw_pack
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

UNPACK = 'mail = "unpack"\narchive = "unpack"\ncount = { selector = "#count" }'


def mail_with(name: str, content: bytes) -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Offer", "sales@supplier.example", "buyer@company.example"
    mail.set_content("Please find attached.")
    mail.add_attachment(content, "application", "pdf", filename=name)
    return mail.as_bytes()


async def test_the_attachments_of_a_mail_are_filed_beside_it_and_the_count_of_the_page_holds(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    mail = mail_with("../drawing.pdf", pdf("drawing"))
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=UNPACK)) as (portal, scenario):
        portal.order("1", "<b id=count>2</b>" + link("/f/1", "offer.eml") + link("/f/2", "terms.pdf"))
        portal.routes["/f/1"] = (answer(mail, kind="message/rfc822"),)
        portal.routes["/f/2"] = (answer(pdf("terms")),)

        report, saved = await files_of(scenario)

    assert saved == {"offer.eml": mail, "offer - drawing.pdf": pdf("drawing"), "terms.pdf": pdf("terms")}
    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert [file.label for file in report.files] == ["offer.eml", "offer.eml: ../drawing.pdf", "terms.pdf"]
    assert report.files[1].sha256 == hashlib.sha256(pdf("drawing")).hexdigest()
    assert report.files[1].source_url == report.files[0].source_url


async def test_a_mail_stays_as_it_is_unless_the_pack_says_otherwise(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    mail = mail_with("drawing.pdf", pdf("drawing"))
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "offer.eml"))
        portal.routes["/f/1"] = (answer(mail, kind="message/rfc822"),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"offer.eml": mail})


async def test_an_archive_stays_and_its_files_and_mails_are_filed_beside_it(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    mail, packed = mail_with("drawing.pdf", pdf("drawing")), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr("inner/offer.eml", mail)
    pack = raw_pack(attachments='archive = "beside"\nmail = "unpack"\ncount = { selector = "#count" }')
    async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
        portal.order("1", "<b id=count>1</b>" + link("/f/1", "all.zip"))
        portal.routes["/f/1"] = (answer(packed.getvalue(), kind="application/zip"),)

        report, saved = await files_of(scenario)

    assert saved == {
        "all.zip": packed.getvalue(),
        "all - offer.eml": mail,
        "all - offer - drawing.pdf": pdf("drawing"),
    }
    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
