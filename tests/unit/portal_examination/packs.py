"""A small pack and visits to it."""

from __future__ import annotations

from poolwright.portal.examination.page_examination import LinkFinding, PageExamination
from poolwright.portal.pack import Pack, parse_toml
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import Verdict, classify_visit

BASE = "https://portal.test"
_PACK = """
schema = 1
name = "tiny"
title = "Tiny"
[numbers]
pattern = '^[0-9]{4}$'
describe = "4 digits"
example = "1000"
[site]
order = "/order/{number}"
probe = "/home"
[login]
ladder = ["revisit"]
[triage.session_lost]
address = ['^/login']
selector = ["#password"]
[triage.forbidden]
status = [403]
text = ["No access", "Forbidden"]
within = ["h1", "div.flash"]
[triage.not_found]
status = [404]
[triage.ready]
selector = ["#order", "#home"]
[attachments]
links = ["a.att", "a.file"]
clicks = ["button.att"]
[attachments.count]
selector = "#count"
[attachments.empty]
selector = ["#none"]
[fields.supplier]
selector = [".supplier", "#supplier"]
"""


def tiny_pack() -> Pack:
    """The pack."""
    return parse_toml(_PACK, "tiny")


def facts_of(path: str = "/order/1000", **more: object) -> PageFacts:
    """The facts of a page of the portal."""
    return PageFacts(url=path if "://" in path else BASE + path, **{"status": 200, **more})  # pyright: ignore[reportArgumentType]


def verdict_of(facts: PageFacts, number: str | None = "1000") -> Verdict:
    """The verdict of a run."""
    return classify_visit(tiny_pack(), BASE, facts, portal_number=number)


def examination_of(*names: str, verdict: Verdict = Verdict.READY, doubt: str = "", **fields: str) -> PageExamination:
    """What was found on a page with files of these names."""
    links = tuple(LinkFinding(address=f"{BASE}/f/{name}", selector="a", name=name, source="text") for name in names)
    return PageExamination(
        opened=f"{BASE}/order/1000",
        url=f"{BASE}/order/1000",
        status=200,
        end="arrived",
        verdict=verdict,
        reason="because.",
        doubt=doubt,
        links=links,
        fields=fields,
    )
