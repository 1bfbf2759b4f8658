"""Counts what every selector of a pack matches on the page that a browser shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import resources

from playwright.async_api import Page
from pydantic import BaseModel, ConfigDict, TypeAdapter

from poolwright.portal.examination.pack_selectors import PackSelector, pack_selectors
from poolwright.portal.examination.page_examination import SelectorFinding
from poolwright.portal.pack import Pack
from poolwright.worker.page.devtools import isolated_world

_SCRIPT = resources.files("poolwright.worker").joinpath("survey.js").read_text(encoding="utf-8")
_LIMIT_S = 10.0
_TEXT_COUNT, _TEXT_CHARS = 3, 80


class Matches(BaseModel):
    """What ``survey.js`` returns for one selector. Validated, because a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    selector: str
    count: int
    shown_count: int
    texts: tuple[str, ...]
    problem: str = ""


_MATCHES = TypeAdapter(tuple[Matches, ...])


async def count_matches(page: Page, pack: Pack, may_read: Callable[[str], bool]) -> tuple[SelectorFinding, ...]:
    """Return what every selector of a pack matches on the page that a browser shows.

    Args:
        page: The page.
        pack: The portal's pack.
        may_read: Return whether the frame at an address may be read.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    selectors = pack_selectors(pack)
    wanted = sorted({one.selector for one in selectors})
    spec = {"selectors": wanted, "text_count": _TEXT_COUNT, "text_chars": _TEXT_CHARS}
    world = await isolated_world(page)
    results = [await world.evaluate(_SCRIPT, spec, _LIMIT_S)]
    results += await world.evaluate_in_frames(may_read, _SCRIPT, spec, _LIMIT_S)
    return tuple(add_matches(selectors, (_MATCHES.validate_python(result) for result in results)))


def add_matches(selectors: Sequence[PackSelector], results: Iterable[Sequence[Matches]]) -> list[SelectorFinding]:
    """Return one finding for each selector, with the matches of all parts of the page added up."""
    parts: dict[str, list[Matches]] = {}
    for result in results:
        for match in result:
            parts.setdefault(match.selector, []).append(match)
    return [_finding(one, parts.get(one.selector, [])) for one in selectors]


def _finding(one: PackSelector, parts: Sequence[Matches]) -> SelectorFinding:
    texts = [text for part in parts for text in part.texts]
    return SelectorFinding(
        key=one.key,
        selector=one.selector,
        count=sum(part.count for part in parts),
        shown_count=sum(part.shown_count for part in parts),
        texts=tuple(texts[:_TEXT_COUNT]),
        problem=next(filter(None, (part.problem for part in parts)), ""),
    )
