"""Judges a saved page by a pack, as a worker judges it in a browser: its kind, its files and its fields. Pure.

The verdict is that of ``triage``. What only a browser knows is not judged: style sheets, scripts, frames, dialogs, and
what responses to requests contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.learn.actions.listed_files import read_lists
from poolwright.learn.actions.search_results import search_problem
from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors, found_files, name_of
from poolwright.learn.list_signs import number_in
from poolwright.learn.next_page import has_next, next_element
from poolwright.learn.observations import ShownKind
from poolwright.learn.page_tree import folded, is_shown, text_of
from poolwright.portal.numbers import OrderNumber, parse_number
from poolwright.portal.pack import FieldRule, Pack
from poolwright.portal.pack_schema import NoAttachmentsMark
from poolwright.portal.page_facts import PageFacts, leads_to
from poolwright.portal.triage import (
    ORDER,
    AttachmentListFacts,
    Verdict,
    classify_visit,
    incompleteness_reason,
    marks_of,
)
from poolwright.portal.triage_marks import PageKind, places_of, selectors_of

_VERDICTS = {
    ShownKind.LOGIN: Verdict.SESSION_LOST,
    ShownKind.HOME: Verdict.READY,
    ShownKind.ORDER: Verdict.READY,
    ShownKind.NOT_FOUND: Verdict.NOT_FOUND,
    ShownKind.FORBIDDEN: Verdict.FORBIDDEN,
    ShownKind.SEARCH: Verdict.READY,
    ShownKind.RESULTS: Verdict.READY,
    ShownKind.LOADING: Verdict.READY,
}
#: Pages of a search, where the portal has one.
_OF_SEARCH = frozenset({ShownKind.SEARCH, ShownKind.RESULTS, ShownKind.NOT_FOUND})
#: Pages that are judged like that of the probe; all others like those of orders.
_LIKE_PROBE = frozenset({ShownKind.LOGIN, ShownKind.HOME})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageJudgement:
    """What a pack makes of one saved page."""

    verdict: Verdict
    #: What the page calls each file; only for orders.
    files: tuple[str, ...] = ()
    #: Addresses of the files, empty for those that only a click brings.
    addresses: tuple[str, ...] = ()
    #: Why the list of files would not be trusted; empty if it would.
    doubt: str = ""
    fields: dict[str, str]


def judge_page(pack: Pack, base_url: str, seen: SeenPage) -> PageJudgement:
    """Return what a pack makes of a saved page.

    Raises:
        SelectorError: A selector of the pack cannot be tried on saved pages.
    """
    pack = _pack_for(pack, base_url, seen)
    tables = [marks for verdict in ORDER for marks in marks_of(pack.triage, verdict)]
    is_like_probe = seen.page.kind in _LIKE_PROBE
    facts = PageFacts(
        url=seen.tree.address,
        status=seen.page.status,
        present=[css for css in selectors_of(tables) if _is_present(seen, css)],
        texts={css: _shown_text(seen, [css]) for css in places_of(tables)},
        kind=PageKind.PROBE if is_like_probe else PageKind.ORDER,
    )
    portal_number = None if is_like_probe else _portal_number(pack, seen.page.number)
    verdict = classify_visit(pack, base_url, facts, portal_number=portal_number)
    is_order = seen.page.kind is ShownKind.ORDER
    files = found_files(seen, _selectors(pack)) if is_order else []
    listed = read_lists(api, seen) if is_order and (api := pack.attachments.api) else []
    return PageJudgement(
        verdict=verdict,
        files=(*(name_of(item) for item in files), *(listed or ())),
        addresses=(
            *(seen.tree.address_of(item, pack.attachments.address_attributes) for item in files),
            *(listed or ()),
        ),
        doubt=_doubt(pack, seen, len(files) + len(listed or ()), is_api_read=listed is not None) if is_order else "",
        fields={name: _field(seen, rule) for name, rule in pack.fields.items()} if is_order else {},
    )


def _pack_for(pack: Pack, base_url: str, seen: SeenPage) -> Pack:
    """Return the rules for a page of a search, or for the order that it found, as a worker has them."""
    find = pack.site.find
    if find is None:
        return pack
    path = pack.path_below(base_url, seen.tree.address) or ""
    if seen.page.kind in _OF_SEARCH:
        return pack.page_at("", find.list_rules, find.ready)
    return pack.page_at(path)


def _is_opened(pack: Pack, kind: ShownKind) -> bool:
    """Return whether a worker opens such pages: those of a search only if the pack has one."""
    find = pack.site.find
    if kind is ShownKind.SEARCH:
        return find is not None and bool(find.steps)
    return kind is not ShownKind.LOADING and (kind is not ShownKind.RESULTS or find is not None)


def problems_of(pack: Pack, base_url: str, seen: SeenPage) -> list[str]:
    """Return a sentence for each thing that a pack reads on a page in another way than it was observed."""
    page = seen.page
    if not _is_opened(pack, page.kind):
        return []
    if pack.site.find and page.kind in _OF_SEARCH:
        problem = search_problem(pack.site.find, seen)
        verdict = judge_page(pack, base_url, seen).verdict
        told = f"{page.file}: it is read as {verdict}, and not as a page of the search."
        return [*([problem] if problem else []), *([told] if verdict is not Verdict.READY else [])]
    judgement = judge_page(pack, base_url, seen)
    wanted = _VERDICTS[page.kind]
    if judgement.verdict is not wanted:
        return [f"{page.file}: it is read as {judgement.verdict}, not as {wanted}."]
    problems: list[str] = []
    if page.kind is ShownKind.ORDER:
        problems += [f"{page.file}: {judgement.doubt}"] if judgement.doubt else []
        problems += _file_problems(seen, judgement)
    if page.supplier and folded(judgement.fields.get("supplier", "")) != folded(page.supplier_name):
        problems.append(
            f"{page.file}: the supplier is read as {judgement.fields.get('supplier', '')!r}, "
            f"not as {page.supplier_name!r}."
        )
    return problems


def _file_problems(seen: SeenPage, judgement: PageJudgement) -> list[str]:
    page, count = seen.page, len(judgement.files)
    if not page.has_files:
        return [f"{page.file}: {count} attachments are found, but it has none."] if count else []
    if page.count is not None and count != page.count and next_element(seen) is None:
        return [f"{page.file}: {count} attachments are found, but it has {page.count}."]
    if count < len(page.attachments):
        return [f"{page.file}: only {count} of {len(page.attachments)} named attachments are found."]
    return []


def _selectors(pack: Pack) -> FileSelectors:
    rules = pack.attachments
    return FileSelectors(links=rules.links, clicks=rules.clicks, address_attributes=rules.address_attributes)


def _doubt(pack: Pack, seen: SeenPage, link_count: int, *, is_api_read: bool) -> str:
    rules = pack.attachments
    count = _count(pack, seen)
    following = pack.attachments.next
    is_part = following is not None and bool(following.click) and has_next(seen, following.click or "", following.text)
    if is_part and count is not None and count > link_count:
        count = None  # a worker goes on to the next page
    facts = AttachmentListFacts(
        link_count=link_count,
        count=count,
        is_declared_empty=count == 0 or (rules.empty is not None and _is_marked(seen, rules.empty)),
        is_settled=any(seen.tree.select(css) for css in rules.settled),
        is_answered=any(leads_to(rules.answered, address) for address in seen.page.requests),
        is_api_read=is_api_read and rules.api is not None,
    )
    return incompleteness_reason(rules, facts)


def _count(pack: Pack, seen: SeenPage) -> int | None:
    rule = pack.attachments.count
    found = seen.tree.select(rule.selector) if rule else []
    if rule is None or not found:
        return None
    item = next(filter(is_shown, found), found[0])
    return number_in((item.get(rule.attribute) or "") if rule.attribute else text_of(item))


def _is_marked(seen: SeenPage, marks: NoAttachmentsMark) -> bool:
    shown = folded(_shown_text(seen, marks.within))
    return any(_is_present(seen, css) for css in marks.selector) or any(folded(text) in shown for text in marks.text)


def _is_present(seen: SeenPage, css: str) -> bool:
    return any(is_shown(item) for item in seen.tree.select(css))


def _shown_text(seen: SeenPage, selectors: Iterable[str]) -> str:
    return " ".join(text_of(item) for css in selectors for item in seen.tree.select(css) if is_shown(item))


def _portal_number(pack: Pack, number: str) -> str | None:
    """Return an order number in the portal's form; ``None`` if the pack does not read it."""
    parsed = parse_number(number, pack.numbers)
    return parsed.portal_number if isinstance(parsed, OrderNumber) else None


def _field(seen: SeenPage, rule: FieldRule) -> str:
    texts = [_field_text(element, rule.attribute) for css in rule.selector for element in seen.tree.select(css)]
    shown = [text for text in texts if text]
    return rule.value_of(shown if rule.many else shown[:1])


def _field_text(element: HtmlElement, attribute: str) -> str:
    return re.sub(r"\s+", " ", element.get(attribute) or "").strip() if attribute else text_of(element)
