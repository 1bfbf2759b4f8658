"""Puts the findings about a visited page together, with the name that each of its files would get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poolwright.portal.examination.page_examination import LinkFinding, ListSigns, PageExamination, SelectorFinding
from poolwright.portal.examination.verdict_reason import explain_verdict
from poolwright.portal.file_rules import ElementText
from poolwright.portal.pack import NameSource, Pack
from poolwright.worker.download.file_name import choose_file_name
from poolwright.worker.page.page_content import PageLink, keys_of_places
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.visit import Visit
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION


def name_link(sources: Sequence[NameSource | ElementText], link: PageLink) -> LinkFinding:
    """Return a link with the name that the page gives its file; a header of the response may give a better one."""
    chosen = choose_file_name(sources, link.names, NO_DISPOSITION, (link.address,)).label

    keys = keys_of_places(sources)

    def gives_it(source: NameSource | ElementText) -> bool:
        texts = link.names
        if isinstance(source, ElementText):  # alone it has another key
            texts = {keys_of_places((source,))[source]: link.names.get(keys[source], "")}
        return choose_file_name((source,), texts, NO_DISPOSITION, (link.address,)).label == chosen

    given = (_source_text(source) for source in sources if source is not NameSource.DISPOSITION and gives_it(source))
    has_name = any(link.names.values()) or bool(link.address)
    return LinkFinding(
        address=link.address, selector=link.selector, name=chosen, source=next(given, "") if has_name else ""
    )


def _source_text(source: NameSource | ElementText) -> str:
    return source.value if isinstance(source, NameSource) else source.selector


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedPage:
    """A page that was visited, with what its selectors match."""

    #: The order number in the portal's form; empty for another page than that of an order.
    portal_number: str
    #: The address that was opened.
    opened: str
    visit: Visit
    selectors: tuple[SelectorFinding, ...] = ()
    #: The request guard of the page, if it had one.
    guard: RequestGuard | None = None


def conclude_examination(pack: Pack, base_url: str, page: VisitedPage) -> PageExamination:
    """Return all findings about a page.

    Args:
        pack: The portal's pack.
        base_url: Address of the portal.
        page: The page that was visited.
    """
    reading, facts, guard = page.visit.reading, page.visit.facts, page.guard
    reason = explain_verdict(pack, base_url, facts, page.visit.verdict, page.portal_number or None)
    signs = ListSigns.from_facts(page.visit.list_facts) if page.visit.list_facts else None
    return PageExamination(
        opened=page.opened,
        passed=tuple(facts.passed),
        url=facts.url,
        status=page.visit.status,
        end=reading.end.value,
        verdict=page.visit.verdict,
        reason=reason.sentence,
        marks=reason.marks,
        doubt=page.visit.doubt,
        problem=page.visit.problem,
        selectors=page.selectors,
        links=tuple(name_link(pack.attachments.names, link) for link in reading.links) if signs else (),
        signs=signs,
        fields={name: pack.fields[name].value_of(texts) for name, texts in reading.fields.items()} if signs else {},
        blocked=tuple(guard.withheld) if guard else (),
        strayed=tuple(guard.strayed) if guard else (),
    )
