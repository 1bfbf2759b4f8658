"""A page that only waits, forwards or sends itself is no file, even where the portal calls it one; a document is."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from poolwright.files.content_type import FileOrigin, sniff
from poolwright.files.soft_errors import SoftError, WebPage
from tests.unit.files.test_content_type import saved

SAML = base64.b64encode(b"<samlp:Response>" + b"x" * 4000).decode()
FORM = "<form method=post action='https://login.x.test/acs'><input type=hidden name=SAMLResponse value='{}'>{}</form>"
IDLE = {
    "a form that sends itself on load": (
        '<html><body onload="document.forms[0].submit()">'
        f"{FORM.format(SAML, '<noscript><p>Press Continue once.</p><input type=submit value=Continue></noscript>')}"
        "</body></html>"
    ),
    "a form that a script sends": (
        f"<html><head><title>Working...</title></head><body>{FORM.format(SAML, '')}<script>"
        "window.setTimeout('document.forms[0].submit()', 0);</script></body></html>"
    ),
    "a form by its name": (
        f"<!DOCTYPE html><html><body>{FORM.format('x', '')}"
        "<script>document.getElementById('f').requestSubmit()</script>"
        "</body></html>"
    ),
    "a form whose field is called submit": (
        f"<html><body>{FORM.format('x', '<input name=submit>')}"
        "<script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>"
        "</body></html>"
    ),
    "a form by jQuery": (
        f"<html><body>{FORM.format('x', '')}<script>$(function(){{ $('form').submit(); }})</script></body></html>"
    ),
    "a button that a script presses": (
        f"<html><body>{FORM.format('x', '<button id=go>Weiter</button>')}<script>"
        "document.getElementById('go').click()</script></body></html>"
    ),
    "a large form": f"<html><body onload='document.forms[0].submit()'>{FORM.format(SAML * 40, '')}</body></html>",
    "a refresh": "<html><head><meta http-equiv='refresh' content='0; url=/f/1'></head><body></body></html>",
    "a refresh without quotes": (
        "<html><meta content=2;URL=https://x.test/f http-equiv=Refresh><p>You are being redirected.</html>"
    ),
    "a refresh of itself": (
        '<html><head><meta http-equiv="refresh" content="5"></head><body>Report 4711 is at place 3.</body></html>'
    ),
    "a refresh below a long menu": (
        "<html><head><meta http-equiv='refresh' content='3;url=/f'></head><body>"
        f"{'<p>Orders Invoices Catalogues Help' * 60}</body></html>"
    ),
    "a place": (
        "<html><head><script>window.location.replace('/login?back=1')</script></head><body>Redirecting</body></html>"
    ),
    "a place by its name": (
        "<html><body><script>top.location['href'] = '/sso'</script><noscript>Enable scripts</noscript></body></html>"
    ),
    "a place later": (
        "<html><body><img src=spinner.gif><script>setTimeout(function () { document.location.href "
        "= '/f/1' }, 2000)</script></body></html>"
    ),
    "a place on load": "<html><body onload=\"location='/x'\"><p>One moment</p></body></html>",
    "itself again": "<html><body>Preparing<script>setTimeout(() => location.reload(), 3000)</script></body></html>",
    "patience": "<html><body><h1>Please wait...</h1><script src=/poll.js></script></body></html>",
    "patience in German": (
        "<html><body><p>Ihr Dokument wird erstellt, bitte warten.</p><script>poll()</script></body></html>"
    ),
    "patience without scripts": "<html><body><p>Please wait</p></body></html>",
    "a form that waits for a press": (
        "<html><body><p>Click the button to continue.</p>"
        f"{FORM.format(SAML, '<input type=submit value=Continue>')}<script>"
        "go()</script></body></html>"
    ),
    "a frame": "<html><body style='margin:0'><iframe src='/viewer?id=1' width='100%'></iframe></body></html>",
    "an object": "<html><body><object data='/doc/1.pdf' type='application/pdf' width='100%'></object></body></html>",
    "a report that is made": "<html><h2>Generating your report</h2><div></div><script>poll()</script></html>",
    "frames": "<html><frameset rows='50,*'><frame src='top.html'><frame src='doc.jsp?id=7'></frameset></html>",
    "no page around it": "<script>location.href = '/login'</script>",
    "a form without a page": (
        f"<form name=f action=/acs method=post><input type=hidden name=x value='{SAML}'>"
        "</form><script>document.f.submit()</script>"
    ),
    "a note that nobody sees": (
        "<!-- Offer: 400 pieces, delivery in May, prices are net, see the terms "
        "on page 2 of the offer --><html><meta http-equiv=refresh content='0;url=/x'>"
        "</html>"
    ),
}
TEXT = "<p>We offer 400 bolts M8 at 1.20 each, delivery within 14 days, prices net, valid until the end of May.</p>"
DOCUMENTS = {
    "an offer": f"<html><head><title>Offer</title></head><body><h1>Offer 4711</h1>{TEXT * 6}</body></html>",
    "a short offer": f"<html><body>{TEXT}</body></html>",
    "one with scripts": (
        "<html><head><script src='https://x.test/a.js'></script><script>window.print()</script>"
        f"</head><body>{TEXT * 6}</body></html>"
    ),
    "one with a menu that leads on": (
        f"<html><body>{TEXT * 6}<script>function go() {{ location.href = '/home' "
        f"}}</script><a onclick='go()'>Home</a></body></html>"
    ),
    "one whose links lead on": (
        f"<html><body>{TEXT}<a href='/x' onclick=\"location.href='/y'; return false\">Terms</a></body></html>"
    ),
    "one that asks where it is": (
        f"<html><body>{TEXT}<script>if (location.protocol === 'file:') {{ document.title "
        f"= location.href }}</script></body></html>"
    ),
    "a saved page for browsers without scripts": (
        "<html><head><noscript><meta http-equiv='refresh' content='0;url=/?nojs=1'>"
        f"</noscript></head><body>{TEXT * 4}</body></html>"
    ),
    "a saved page of news": (
        f"<html><head><meta http-equiv='refresh' content='900;url=/news'></head><body>{TEXT * 20}</body></html>"
    ),
    "one that had a refresh": (
        f"<html><head><!-- <meta http-equiv='refresh' content='0;url=/x'> --></head><body>{TEXT}</body></html>"
    ),
    "a mail": f"<html><body><p>Please wait for our call before you ship.</p>{TEXT}</body></html>",
    "a secure mail": (
        "<html><body><p>You have an encrypted message. Enter your password to read "
        f"it.</p>{FORM.format(SAML, '<input type=password name=p><input type=submit value=Open>')}</body>"
        "</html>"
    ),
    "a picture": "<html><body><img src='data:image/png;base64,iVBORw0KGgo='></body></html>",
    "a drawing": "<html><body><svg width=9 height=9><path d='M0 0'/></svg></body></html>",
    "a frame with its own content": "<html><body><iframe src='data:text/html,hello'></iframe></body></html>",
    "a form to fill in": (
        f"<html><body><h1>Supplier form</h1>{FORM.format('', '<input name=company><input type=submit>')}<p>"
        "Send it to us by mail once it is filled in.</p></body></html>"
    ),
    "what it says of waiting": (
        f"<html><body><h1>Processing</h1>{TEXT * 4}<p>While the order is being processed, "
        "please wait.</p></body></html>"
    ),
}


@pytest.mark.parametrize("page", IDLE)
def test_a_page_that_does_nothing_but_lead_on_is_no_file_whoever_calls_it_one(tmp_path: Path, page: str) -> None:
    path = saved(tmp_path, IDLE[page].encode())
    for label in ("page.html", "Offer.htm", "Offer", "saved.mht", "offer.pdf"):
        finding = sniff(path, label, "text/html", is_vouched=True)

        if label == "offer.pdf":
            said = "offer.pdf should be application/pdf, but the portal sent a web page."
        else:
            said = f"Instead of {label}, the portal sent a page that only waits or redirects."
        assert finding.problems == (said,)
        assert finding.is_page


def test_such_a_page_is_told_as_what_it_is(tmp_path: Path) -> None:
    finding = sniff(saved(tmp_path, IDLE["a refresh"].encode()), "offer.html", "text/html", is_vouched=True)

    assert finding.problems == ("Instead of offer.html, the portal sent a page that only waits or redirects.",)
    assert finding.shape is SoftError.WAITING


def test_such_a_page_is_told_without_a_name_too(tmp_path: Path) -> None:
    finding = sniff(saved(tmp_path, IDLE["a refresh"].encode()), "", "text/html", is_vouched=True)

    assert finding.problems == ("Instead of the file, the portal sent a page that only waits or redirects.",)


@pytest.mark.parametrize("page", DOCUMENTS)
def test_a_document_that_a_portal_calls_a_file_is_one(tmp_path: Path, page: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        path = saved(tmp_path, DOCUMENTS[page].encode(encoding))
        finding = sniff(path, "offer.html", "text/html", is_vouched=True, origin=FileOrigin.ARCHIVE)

        assert (finding.problems, finding.notes) == ((), ())


def test_a_page_that_only_its_scripts_fill_is_told_where_a_portal_calls_it_a_file(tmp_path: Path) -> None:
    page = b"<html><body><div id=root></div><script>show('a lot')</script></body></html>"
    finding = sniff(saved(tmp_path, page), "chart.html", "text/html", is_vouched=True)

    assert finding.problems == ()
    assert finding.notes == ("chart.html is a page that is empty without its scripts: check whether it is the file.",)


def words_of(length: int) -> str:
    return ("offer " * length)[: length - 1] + "."


@pytest.mark.parametrize(
    ("page", "leads_on"),
    [
        ("<SCRIPT>\nlocation = '/f'\n</SCRIPT>", True),
        ("<BODY ONLOAD=\"\nlocation = '/f'\"></BODY>", True),
        (f"{words_of(400)}<script>location = '/f'</script>", True),
        (f"{words_of(401)}<script>location = '/f'</script>", False),
        (f"<meta http-equiv=refresh content='60;url=/f'>{words_of(401)}", True),
        (f"<meta http-equiv=refresh content='61;url=/f'>{words_of(401)}", False),
        (f"<meta http-equiv=refresh content='61;url=/f'>{words_of(400)}", True),
        (f"<meta http-equiv=refresh content=60>{words_of(401)}", False),
        ("<meta name=rating content='5;url=/f'>Our offer", False),
        (f"<meta http-equiv=refresh content='0;url=/f'>{words_of(5000)}", True),
        (f"<meta http-equiv=refresh content='0;url=/f'>{words_of(5001)}", False),
    ],
)
def test_a_page_leads_on_by_its_code_and_its_words(page: str, *, leads_on: bool) -> None:
    assert WebPage(f"<html>{page}</html>").is_interstitial is leads_on


@pytest.mark.parametrize(
    ("part", "is_of_server"),
    [
        ('<script src="/app.js"></script>', True),
        ("<SCRIPT\nSRC='/app.js'></SCRIPT>", True),
        ("<LINK\nREL=stylesheet\nHREF=/app.css>", True),
        ("<link href=/app.css rel='stylesheet'>", True),
        ("<link rel=icon href=/app.png>", False),
        ("<script src=//cdn.test/app.js></script>", False),
        ("<script src=app.js></script>", False),
        ("<!-- <script src=/app.js></script> -->", False),
    ],
)
def test_a_page_of_a_server_loads_its_parts_by_their_path(part: str, *, is_of_server: bool) -> None:
    assert WebPage(f"<html>{part}</html>").is_of_server is is_of_server
