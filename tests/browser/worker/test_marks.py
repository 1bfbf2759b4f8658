"""What a page is by marks of every sort, in a real browser: in place, by dialogs, responses and routes, drawn late."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest
from playwright.async_api import Browser

from poolwright.portal.pack import Pack, parse_toml
from poolwright.portal.pack_schema import DialogPolicy
from poolwright.portal.triage import Verdict
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.visit import Visit, visit
from tests.support.portal import needs_chromium
from tests.support.sites import Answer, Answering, serving

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

LINK = "<a class=att href=/file/1>a.pdf</a>"
LOST = Answer(body='{"error": {"code": 100}}', kind="application/json")
Site = Mapping[str, Answer | Answering]


def pack_of(
    triage: str, *, order: str = "/order/{number}", probe: str = "/orders", page_s: float = 6.0, empty: str = ""
) -> Pack:
    """A pack with its own marks; for the verdict ``empty`` also an empty list."""
    more = {verdict: 'selector = ["#rows:empty"]' if verdict == empty else "" for verdict in ("forbidden", "not_found")}
    text = f"""schema = 1
name = "tiny"
title = "Tiny"
[numbers]
pattern = '^[0-9]+$'
describe = "digits"
example = "1000"
[site]
order = "{order}"
probe = "{probe}"
[login]
ladder = ["revisit"]
[limits]
page_s = {page_s}
request_s = 2
[attachments]
links = ["a.att"]
[triage.forbidden]
status = [403]
{more["forbidden"]}
[triage.not_found]
status = [404]
{more["not_found"]}
{triage}
"""
    return parse_toml(text, "tiny")


PLAIN = """
[triage.session_lost]
address = ['^/login']
selector = ["#login"]
[triage.ready]
selector = ["#order"]
"""


async def found(shell: Browser, pack: Pack, site: Site, *, number: str | None = "1000") -> Visit:
    """What a visit to the order finds, or one to the probe page."""
    async with serving(site) as served:
        context = await shell.new_context()
        try:
            page = await context.new_page()
            answer_dialogs(page, DialogPolicy.DISMISS)
            path = pack.site.probe if number is None else pack.site.order.replace("{number}", number)
            return await visit(page, pack, served.url, served.url + path, portal_number=number)
        finally:
            await context.close()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, f"<div id=order></div>{LINK}", Verdict.READY),
        (403, "<a class=login href=/login>Log in</a>", Verdict.SESSION_LOST),
        (403, "<p>No access</p>", Verdict.FORBIDDEN),
        (200, "<div id=order></div><h1>Kein Zugriff</h1>", Verdict.FORBIDDEN),
    ],
)
async def test_a_refusal_in_place_is_told_from_a_log_out_by_its_page(
    shell: Browser, status: int, body: str, expected: Verdict
) -> None:
    pack = parse_toml(
        """schema = 1
name = "tiny"
title = "Tiny"
numbers = { pattern = '^[0-9]+$', describe = "digits", example = "1000" }
site = { order = "/order/{number}", probe = "/orders" }
login = { ladder = ["revisit"] }
limits = { page_s = 6 }
attachments = { links = ["a.att"] }
[triage]
session_lost = { selector = ["a.login"] }
not_found = { status = [404] }
ready = { selector = ["#order"] }
[[triage.forbidden]]
status = [403]
not = [{ selector = ["a.login"] }]
[[triage.forbidden]]
text = ["No permission", "Kein Zugriff"]
within = ["h1"]
""",
        "tiny",
    )

    page = await found(shell, pack, {"/order/1000": Answer(status=status, body=f"<!doctype html>{body}")})

    assert page.verdict is expected


@pytest.mark.parametrize("status", [200, 403])
async def test_what_a_table_excludes_may_be_drawn_late(shell: Browser, status: int) -> None:
    """Else a session that ended would be told as forbidden for the moment before its link to log in is drawn."""
    pack = pack_of(
        PLAIN.replace("#login", "#never")
        + '[[triage.busy]]\nselector = [".refused"]\nnot = [{ selector = ["#login"] }]\n'
        '[[triage.busy]]\nstatus = [403]\nnot = [{ selector = ["#login"] }]\n'
        '[triage.second_factor]\nselector = ["#login"]\n'
    )
    late = "<div id=at></div><script>setTimeout(() => at.innerHTML = '<b id=login>in</b>', 300)</script>"
    refused = "<p class=refused>No</p>" if status == 200 else ""

    page = await found(shell, pack, {"/order/1000": Answer(status=status, body=f"<!doctype html>{refused}{late}")})

    assert page.verdict is Verdict.SECOND_FACTOR


STEPS = '[[attachments.open]]\nclick = "#more"\nif_present = true\n'


@pytest.mark.parametrize(
    ("verdict", "fill", "more"),
    [
        ("not_found", "setTimeout(fill, 300)", ""),
        ("forbidden", "fetch('/list?900').then(() => setTimeout(fill, 50))", ""),
        ("not_found", "fetch('/list?500').then(() => setTimeout(fill, 250))", ""),
        ("not_found", "fetch('/list?900').then(() => setTimeout(fill, 50))", STEPS),
        (
            "forbidden",
            """rows.hidden = true; setInterval(() => rows.title = performance.now(), 200);
            setTimeout(() => rows.hidden = false, 1500); setTimeout(fill, 2700)""",
            "",
        ),
    ],
    ids=["by a script", "by a response", "some time after a response", "before steps", "while it changes all the time"],
)
async def test_a_refusal_that_a_page_shows_while_it_is_drawn_does_not_count(
    shell: Browser, verdict: str, fill: str, more: str
) -> None:
    """Else every order of a portal that first draws an empty table would be told as one that does not exist."""
    body = (
        "<!doctype html><div id=order></div><ul id=rows></ul>"
        f"<script>const fill = () => {{ rows.innerHTML = `<li>{LINK}</li>` }}; {fill}</script>"
    )
    site = {
        "/order/1000": Answer(body=body),
        "/list?500": Answer(body="[]", delay_s=0.5),
        "/list?900": Answer(body="[]", delay_s=0.9),
    }

    page = await found(shell, pack_of(PLAIN + more, empty=verdict, page_s=20.0), site)

    assert (page.verdict, len(page.reading.links)) == (Verdict.READY, 1)


async def test_a_refusal_that_stays_counts_although_a_request_is_never_answered(shell: Browser) -> None:
    body = "<!doctype html><div id=order></div><ul id=rows></ul><script>fetch('/listen')</script>"
    site = {"/order/1000": Answer(body=body), "/listen": Answer(body="", delay_s=30)}

    page = await found(shell, pack_of(PLAIN, empty="not_found", page_s=20.0), site)

    assert page.verdict is Verdict.NOT_FOUND


async def test_a_dialog_tells_that_the_session_is_lost(shell: Browser) -> None:
    pack = pack_of(PLAIN.replace("[triage.ready]", 'dialog = ["session expired", "abgelaufen"]\n[triage.ready]'))
    body = f"<!doctype html><div id=order></div>{LINK}<script>alert('Ihre Sitzung ist abgelaufen')</script>"

    page = await found(shell, pack, {"/order/1000": Answer(body=body)})

    assert page.verdict is Verdict.SESSION_LOST


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (LOST, Verdict.SESSION_LOST),
        (Answer(status=401, body="{}", kind="application/json"), Verdict.SESSION_LOST),
        (Answer(body='{"error": null}', kind="application/json"), Verdict.READY),
    ],
)
@pytest.mark.parametrize("number", ["1000", None], ids=["order", "probe"])
async def test_the_answer_of_a_request_tells_it(
    shell: Browser, answer: Answer, expected: Verdict, number: str | None
) -> None:
    marks = "{ address = '^/rpc', field = 'error.code', values = [100] }, { address = '^/rpc', status = [401] }"
    pack = pack_of(PLAIN.replace("[triage.ready]", f"response = [{marks}]\n[triage.ready]"))
    body = f"<!doctype html><div id=order></div>{LINK}<script>fetch('/rpc')</script>"

    page = await found(
        shell, pack, {"/order/1000": Answer(body=body), "/orders": Answer(body=body), "/rpc": answer}, number=number
    )

    assert page.verdict is expected


async def test_a_blank_page_whose_request_was_refused_is_no_page_that_is_waited_for(shell: Browser) -> None:
    pack = pack_of(
        PLAIN.replace("[triage.ready]", "response = [{ address = '^/rpc', status = [401] }]\n[triage.ready]"), page_s=60
    )
    blank = Answer(body="<!doctype html><div id=app></div><script>fetch('/rpc')</script>")

    with anyio.fail_after(30):
        page = await found(shell, pack, {"/order/1000": blank, "/rpc": Answer(status=401)})

    assert page.verdict is Verdict.SESSION_LOST


APP = """<!doctype html><nav id=user>Menu</nav><main id=main></main><script>
const draw = (html) => { main.innerHTML = html; };
%s
</script>"""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "fetch('/rpc').then((r) => r.json()).then((r) => { if (r.error) draw('<form id=login></form>'); })",
            Verdict.SESSION_LOST,
        ),
        ("setTimeout(() => draw('<form id=login></form>'), 300)", Verdict.SESSION_LOST),
        ("fetch('/rpc').then(() => { location.hash = 'login'; })", Verdict.SESSION_LOST),
        ("fetch('/rpc').then(() => draw('<b>Welcome</b>'))", Verdict.READY),
    ],
    ids=["by a request", "by a timer", "by its route", "logged in"],
)
async def test_a_client_that_draws_itself_is_not_logged_in_by_its_static_page(
    shell: Browser, script: str, expected: Verdict
) -> None:
    marks = "[triage.session_lost]\naddress = ['#login']\nselector = ['#login']\n[triage.ready]\nselector = ['#user']\n"
    pack = pack_of(marks, order="/app#po/{number}", probe="/app#home")
    site = {"/app": Answer(body=APP % script), "/rpc": Answer(body=LOST.body, kind=LOST.kind, delay_s=1)}

    assert (await found(shell, pack, site, number=None)).verdict is expected


ROUTED = (
    APP
    % """
const list = '<a class=att href=/file/1>a.pdf</a>';
const show = () => draw(`<div id=order></div>${location.hash === '#po/1000' ? list : 'another'}`);
addEventListener('hashchange', show);
%s
"""
)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("show()", Verdict.READY),
        ("location.hash = 'po/2000'; show()", Verdict.UNKNOWN),
        ("location.hash = 'login'", Verdict.SESSION_LOST),
    ],
)
async def test_the_route_tells_which_order_is_shown(shell: Browser, script: str, expected: Verdict) -> None:
    marks = "[triage.session_lost]\naddress = ['#login']\n[triage.ready]\nselector = ['#order']\n"
    pack = pack_of(marks, order="/app#po/{number}", probe="/app#home")

    page = await found(shell, pack, {"/app": Answer(body=ROUTED % script)})

    assert page.verdict is expected
    assert [link.names["text"] for link in page.reading.links] == (["a.pdf"] if expected is Verdict.READY else [])


async def test_the_same_page_is_asked_for_again_for_another_route(shell: Browser) -> None:
    """Else what a client remembers of a session would be taken for what the portal says."""
    marks = "[triage.session_lost]\naddress = ['#login']\n[triage.ready]\nselector = ['#order']\n"
    pack = pack_of(marks, order="/app#po/{number}", probe="/app#po/1000")
    async with serving({"/app": Answer(body=ROUTED % "show()")}) as served:
        context = await shell.new_context()
        page = await context.new_page()
        for _ in range(2):
            await visit(page, pack, served.url, served.url + pack.site.probe)
        await context.close()

    assert served.asked.count("GET /app") == 2


HANGS = "<img src=/hangs width=300 height=200>"


@pytest.mark.parametrize(
    "body",
    [
        f"<div id=order></div>{LINK}{HANGS}",
        f"<div id=order></div>{LINK}<script>fetch('/hangs')</script>",
        f"<div id=order></div>{LINK}<script async src=/hangs></script>",
        f"<div id=order></div><p class=none>None</p>{HANGS}",
        f"<div id=order></div><b id=n>1</b>{LINK}<script>new Image().src = '/hangs'</script>",
    ],
    ids=["image", "request", "script", "empty", "counted"],
)
async def test_what_never_loads_costs_no_order(shell: Browser, body: str) -> None:
    pack = pack_of(PLAIN, page_s=90)
    rules = {"empty": {"selector": [".none"]}, "count": {"selector": "#n"} if "id=n" in body else None}
    pack = Pack.model_validate(
        {
            **pack.model_dump(by_alias=True),
            "attachments": {"links": ["a.att"], **{key: rule for key, rule in rules.items() if rule}},
        }
    )
    site = {"/order/1000": Answer(body=f"<!doctype html>{body}"), "/hangs": Answer(delay_s=100)}

    with anyio.fail_after(60):
        page = await found(shell, pack, site)

    assert (page.verdict, page.doubt) == (Verdict.READY, "")


async def test_a_list_that_waits_for_an_image_is_waited_for(shell: Browser) -> None:
    """Scripts that begin when the page has loaded may add files."""
    body = (
        f"<!doctype html><div id=order></div>{LINK}<div id=more></div><img src=/slow width=300 height=200>"
        "<script>onload = () => { more.innerHTML = '<a class=att href=/file/2>b.pdf</a>'; }</script>"
    )
    site = {"/order/1000": Answer(body=body), "/slow": Answer(delay_s=1.3)}

    page = await found(shell, pack_of(PLAIN), site)

    assert [link.names["text"] for link in page.reading.links] == ["a.pdf", "b.pdf"]
