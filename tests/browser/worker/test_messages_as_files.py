"""Messages that a portal sends as attachments, and documents that look like its own pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

TERMS = b"<!DOCTYPE html><html><body><h1>Terms</h1>" + b"<p>Deliveries are free of charge.</p>" * 60 + b"</body></html>"
FATTURA = b'<p:FatturaElettronica xmlns:p="x">' + b"<Riga>1</Riga>" * 20 + b"</p:FatturaElettronica>"
MESSAGES = b'{"messages":[{"severity":"ERROR","text":"Beleg gesperrt"}]}'


async def test_a_message_sent_as_an_attachment_is_missed_or_told_and_documents_are_filed(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    names = ("note.txt", "invoice.json", "fattura.xml", "terms.html")
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(link(f"/{name}", name) for name in names))
        terms = answer(TERMS, 'Content-Disposition: attachment; filename="terms.html"', kind="text/html")
        portal.routes |= {
            "/note.txt": (attached("note.txt", b"Oeps; probeer het later"),),
            "/invoice.json": (attached("invoice.json", MESSAGES),),
            "/fattura.xml": (attached("fattura.xml", FATTURA),),
            "/terms.html": (answer(b"", "Location: /login/terms.html", status="302 Found"),),
            "/login/terms.html": (terms,),
        }
        report, files = await files_of(scenario)

    assert report.reason is Reason.SOME_FILES_FAILED
    assert files == {"note.txt": b"Oeps; probeer het later", "fattura.xml": FATTURA, "terms.html": TERMS}
    assert [(file.label, file.problem) for file in report.missed] == [
        ("invoice.json", "Instead of invoice.json, the portal sent an error message.")
    ]
    assert "note.txt has no more content than a message: check whether it is the file" in report.detail
    assert "fattura.xml has" not in report.detail
