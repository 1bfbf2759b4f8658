"""Mails among the attachments of an order: with ``mail_pdf`` each has a PDF beside it, for which nothing is loaded."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.worker.attempt import attempt
from poolwright.worker.rendering.mail_printer import blind_page
from tests.support.portal import needs_chromium
from tests.support.raw_portal import RawPortal, answer, pdf, raw_pack
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

PRINT = raw_pack(attachments='mail_pdf = true\nmail = "unpack"')


def hostile_page(url: str) -> str:
    """A text that wants to load and run what it can."""
    return f"""<html><head><meta http-equiv=refresh content="0;url={url}/moved">
        <link rel=stylesheet href="{url}/link.css">
        <style>@import "{url}/import.css"; body {{ background: url({url}/style.png) }} p {{ font-family: f }}
        @font-face {{ font-family: f; src: url({url}/font.woff) }}</style>
        <script src="{url}/script.js"></script><script>fetch("{url}/fetched"); location = "{url}/gone"</script></head>
        <body background="{url}/back.png"><p>Text</p><img src="{url}/pixel.gif" onerror="fetch('{url}/error')">
        <iframe src="{url}/frame"></iframe><object data="{url}/object"></object><video poster="{url}/poster"></video>
        <svg><image href="{url}/svg.png"/></svg></body></html>"""


def hostile_mail(url: str) -> bytes:
    """A mail with such a text."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["Date"] = "Offer", "Sales <s@x.example>", "Mon, 23 Nov 2026 10:00:00 +0000"
    mail.set_content("plain")
    mail.add_alternative(hostile_page(url), subtype="html")
    mail.add_attachment(pdf("drawing"), "application", "pdf", filename="drawing.pdf")
    return mail.as_bytes()


def offered(portal: RawPortal, mail: bytes) -> None:
    portal.order("1", link("/f/1", "offer.eml") + link("/f/2", "terms.pdf"))
    portal.routes["/f/1"] = (answer(mail, kind="message/rfc822"),)
    portal.routes["/f/2"] = (answer(pdf("terms")),)


async def test_a_mail_is_printed_beside_it_and_nothing_of_it_is_loaded_or_run(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path, PRINT) as (portal, scenario):
        offered(portal, hostile_mail(portal.url))

        report, saved = await files_of(scenario)
        again = await attempt(scenario.context, task_for("1"), scenario.staging / "again")
        async with blind_page(scenario.session.driver) as page:
            await page.set_content(hostile_page(portal.url), timeout=20_000)
        asked = [address for address in portal.asked if not address.startswith(("/order/", "/f/", "/home"))]
        pages = [page.url for page in scenario.session.driver.pages]

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert list(saved) == ["offer.eml", "offer.eml.pdf", "offer - drawing.pdf", "terms.pdf"]
    assert report.files[1].label == "offer.eml (printed)"
    assert (report.files[1].media_type, report.files[1].source_url) == ("application/pdf", report.files[0].source_url)
    assert saved["offer.eml.pdf"].startswith(b"%PDF-")
    assert saved["offer.eml.pdf"].rstrip().endswith(b"%%EOF")
    assert again.files == report.files, "the same mail is the same PDF"
    assert [address for address in asked if address != "/favicon.ico"] == []
    assert len(pages) == 1, "the page in which it was printed is closed"
