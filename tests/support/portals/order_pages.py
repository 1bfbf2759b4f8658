"""The ways in which portals show the files of an order."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape

from tests.support.portals.portal_make import ORDERS, Asked, PortalMake, Responding, file_address, html
from tests.support.sites import Answer

#: How many files a paged list shows at once.
PAGE_SIZE = 3
_LIST = '[attachments]\nlinks = ["a.att"]\nnames = ["text"]\n'
_COUNTED = f'{_LIST}[attachments.count]\nselector = "#count"\n'
_SUPPLIER = "<p id=supplier>Granite &amp; Sons</p>"


def links_of(number: str, names: tuple[str, ...]) -> str:
    """The links to files of an order."""
    return "".join(f'<li><a class=att href="{file_address(number, name)}">{escape(name)}</a></li>' for name in names)


def head_of(number: str) -> str:
    """What every order page says about the order."""
    return f"<h1 id=order>Order {number}</h1>{_SUPPLIER}<p>Files: <b id=count>{len(ORDERS[number])}</b></p>"


def _by_number(show: Responding) -> Responding:
    """Answer for the orders that exist, below ``/order/``."""

    def respond(asked: Asked) -> Answer | None:
        number = asked.path.removeprefix("/order/").split("/")[0]
        return show(asked) if asked.path.startswith("/order/") and number in ORDERS else None

    return respond


def _number(asked: Asked) -> str:
    return asked.path.split("/")[2]


def _rendered(asked: Asked) -> Answer:
    number = _number(asked)
    return html(f"{head_of(number)}<ul>{links_of(number, ORDERS[number])}</ul>")


def _framed(asked: Asked) -> Answer:
    number = _number(asked)
    if asked.path.endswith("/list"):
        return html(f"<ul>{links_of(number, ORDERS[number])}</ul>")
    return html(f'{head_of(number)}<iframe src="/order/{number}/list" width=400 height=300></iframe>')


def _shadowed(asked: Asked) -> Answer:
    number = _number(asked)
    script = f"""
const files = {json.dumps([[file_address(number, name), name] for name in ORDERS[number]])};
customElements.define("file-list", class extends HTMLElement {{
  connectedCallback() {{
    const root = this.attachShadow({{ mode: "open" }});
    for (const [address, name] of files) {{
      const item = document.createElement("file-item");
      item.setAttribute("address", address);
      item.setAttribute("name", name);
      root.append(item);
    }}
  }}
}});
customElements.define("file-item", class extends HTMLElement {{
  connectedCallback() {{
    const link = document.createElement("a");
    link.className = "att";
    link.href = this.getAttribute("address");
    link.textContent = this.getAttribute("name");
    this.attachShadow({{ mode: "open" }}).append(link);
  }}
}});
"""
    return html(f"{head_of(number)}<file-list></file-list>", script)


def _routed(asked: Asked) -> Answer | None:
    if asked.path.startswith("/api/order/"):
        number = asked.path.removeprefix("/api/order/")
        files = [[file_address(number, name), name] for name in ORDERS.get(number, ())]
        reply = json.dumps({"known": number in ORDERS, "files": files})
        return Answer(body=reply, kind="application/json", delay_s=0.2)
    script = """
const show = async () => {
  const number = location.hash.split("/").pop();
  const reply = await (await fetch(`/api/order/${number}`)).json();
  document.body.innerHTML = reply.known
    ? `<h1 id=order>Order ${number}</h1><p id=supplier>Granite &amp; Sons</p><ul data-state=loaded></ul>`
    : "<p id=missing>No such order</p>";
  for (const [address, name] of reply.files) {
    const link = Object.assign(document.createElement("a"), { className: "att", href: address, textContent: name });
    document.querySelector("ul").append(document.createElement("li").appendChild(link));
  }
};
addEventListener("hashchange", show);
show();
"""
    return html("<p>Loading\u2026</p>", script) if asked.path == "/app" else None


def _paged(asked: Asked) -> Answer:
    number = _number(asked)
    start = int(asked.query.get("from", "0"))
    names = ORDERS[number]
    following = start + PAGE_SIZE
    more = f'<a id=next href="/order/{number}?from={following}">Next</a>' if following < len(names) else ""
    return html(f"{head_of(number)}<ul>{links_of(number, names[start:following])}</ul>{more}")


def _popping(asked: Asked) -> Answer:
    number = _number(asked)
    buttons = "".join(
        f"<button class=att onclick=\"window.open('{file_address(number, name)}')\">{escape(name)}</button>"
        for name in ORDERS[number]
    )
    return html(f"{head_of(number)}{buttons}")


def _searched(asked: Asked) -> Answer | None:
    wanted = asked.query.get("q", "")
    if asked.path == "/search":
        hits = [number for number in ORDERS if wanted and number.startswith(wanted)]
        rows = "".join(f"<tr><td><a class=hit href='/record/x{number[::-1]}'>{number}</a></td></tr>" for number in hits)
        shown = f"<table>{rows}</table>" if hits else "<p id=missing>Nothing found</p>"
        form = f"<form action=/search><input id=q name=q value='{escape(wanted)}'><button>Go</button></form>"
        return html(f"{form}{shown}")
    number = asked.path.removeprefix("/record/x")[::-1]
    if asked.path.startswith("/record/x") and number in ORDERS:
        return html(f"{head_of(number)}<ul>{links_of(number, ORDERS[number])}</ul>")
    return None


SERVER_RENDERED = PortalMake(
    name="rendered", order="/order/{number}", attachments=_COUNTED, respond=_by_number(_rendered)
)
FRAMES = PortalMake(name="frames", order="/order/{number}", attachments=_COUNTED, respond=_by_number(_framed))
SHADOW_ROOTS = PortalMake(name="shadow", order="/order/{number}", attachments=_COUNTED, respond=_by_number(_shadowed))
HASH_ROUTES = PortalMake(
    name="routes",
    order="/app#/order/{number}",
    attachments=f"{_LIST}settled = ['ul[data-state=loaded]']\nanswered = ['^/api/order/']\n",
    respond=_routed,
)
POP_UPS = PortalMake(
    name="windows",
    order="/order/{number}",
    attachments='[attachments]\nclicks = ["button.att"]\nnames = ["text"]\n[attachments.count]\nselector = "#count"\n',
    respond=_by_number(_popping),
)
PAGED = PortalMake(
    name="paged",
    order="/order/{number}",
    attachments=f'{_COUNTED}[attachments.next]\nclick = "#next"\n',
    respond=_by_number(_paged),
)
SEARCH_ONLY = PortalMake(
    name="search",
    order="/record/",
    attachments=f"""{_COUNTED}[site.find]
page = "/search?q={{number}}"
links = ["a.hit"]
text = ["{{number}}"]
ready = {{ selector = ["table", "#missing"] }}
empty = {{ selector = ["#missing"] }}
""",
    respond=_searched,
)
#: The pack of a portal whose further pages nobody described.
WITHOUT_NEXT = replace(PAGED, name="first", attachments=_COUNTED, calls=[])
#: All of them.
MAKES = (SERVER_RENDERED, FRAMES, SHADOW_ROOTS, HASH_ROUTES, POP_UPS, PAGED, SEARCH_ONLY)
