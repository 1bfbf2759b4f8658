"""What a failed test leaves for whoever looks for its cause: logs, the journals' stories, pictures, processes.

While a test runs, the places that hold its programs and browsers are watched: when an exception leaves one, the
processes and pages are looked at before they are cleared away. Nothing is written before the test has failed, and
whatever goes wrong in here is told in the record and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sqlite3
import zlib
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio
import pytest

from poolwright.archive.evidence import EVIDENCE_NAME
from poolwright.service.output_folder import JOURNAL_NAME, LOG_NAME
from tests.support.journal_story import Order, Story, read_story
from tests.support.process_table import process_table

#: A page takes well under a second to be pictured; one that hangs must not hold up what clears away behind it.
PICTURE_LIMIT_S, PICTURES_LIMIT_S = 4.0, 5.0
#: What is kept of one text; of a log the end.
TEXT_MAX_BYTES = 2 * 1024 * 1024
PICTURES_MAX_COUNT = 20
#: A test may expect many exceptions before it fails: the latest moments tell of the failure.
MOMENTS_MAX_COUNT = 8
BRIEF_MAX_LINES = 40
BRIEF_MAX_CHARS = 240
PROBLEMS_MAX_LINES = 10
_NAME_MAX_CHARS = 120


class Page(Protocol):
    """What of Playwright's is needed of a page."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    async def screenshot(self, *, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - Playwright's own
        """A picture of what it shows."""
        ...


Pages = Callable[[], Iterable[Page]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """A place that is open: where its pages are, and the loop that they live on."""

    place: str
    pages: Pages
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The files of a test that tell what happened, by kind."""

    logs: list[Path] = field(default_factory=list[Path])
    journals: list[Path] = field(default_factory=list[Path])
    evidence: list[Path] = field(default_factory=list[Path])


class FailureRecord:
    """What is known of the failure of one test so far."""

    def __init__(self, name: str = "") -> None:
        """Begin with nothing; ``name`` is that of the folder that it would get."""
        self._name = name
        self._folders: dict[Path, None] = {}
        self._watches: list[_Watch] = []
        self._moments: list[str] = []
        self._pictures: dict[str, bytes] = {}
        self._stories: dict[str, Story] = {}
        self._last_error: BaseException | None = None
        self._problems: list[str] = []
        self._is_kept = False

    def look_into(self, folder: Path) -> None:
        """Look for what was left there too, and for processes that name it."""
        self._folders[folder.absolute()] = None

    def add_story(self, name: str, story: Story) -> None:
        """Keep what a journal tells that is no file."""
        self._stories[name] = story

    def note_processes(self, moment: str) -> None:
        """Keep the process table as it is now."""
        with self._telling("the process table"):
            self._moments.append(f"{moment}:\n{process_table([*self._folders])}")
            del self._moments[:-MOMENTS_MAX_COUNT]

    @asynccontextmanager
    async def watching(self, place: str, folder: Path | None = None, pages: Pages = tuple) -> AsyncGenerator[None]:
        """Look at processes and pages when an exception leaves this block; it goes on unchanged.

        Args:
            place: What the block holds, for people.
            folder: Where that leaves its files.
            pages: Gives the pages that are open.
        """
        if folder is not None:
            self.look_into(folder)
        watch = _Watch(place=place, pages=pages, loop=asyncio.get_running_loop())
        self._watches.append(watch)
        try:
            yield
        except GeneratorExit:  # nobody is left who could wait for pictures
            raise
        except BaseException as error:
            await self._look(watch, error)
            raise
        finally:
            self._watches.remove(watch)

    async def _look(self, watch: _Watch, error: BaseException) -> None:
        if self._is_kept:  # the test failed already and is only being cleared away
            return
        if error is not self._last_error:  # the innermost of the places that it passes comes first
            self._last_error = error
            self.note_processes(f"When {type(error).__name__} left {watch.place}")
        with contextlib.suppress(Exception):
            await self._picture(watch)

    async def _picture(self, watch: _Watch) -> None:
        """Picture every page, all at a time. Bounded, also where the caller is being cancelled."""
        with anyio.move_on_after(PICTURES_LIMIT_S, shield=True) as limit:
            async with anyio.create_task_group() as tasks:
                for page in watch.pages():
                    tasks.start_soon(self._picture_page, page, watch.place)
        if limit.cancelled_caught:
            self._problems.append(f"Not every page of {watch.place} could be pictured within {PICTURES_LIMIT_S:.0f} s.")

    async def _picture_page(self, page: Page, place: str) -> None:
        try:
            picture = await page.screenshot(timeout=PICTURE_LIMIT_S * 1000)
        except Exception as error:  # noqa: BLE001 - a page that is gone says so in many ways
            self._problems.append(f"The page {page.url} of {place} could not be pictured: {_first_line(error)}")
            return
        if len(self._pictures) < PICTURES_MAX_COUNT:
            self._pictures[f"page-{len(self._pictures) + 1}-{_plain(page.url, 60)}.png"] = picture

    def keep(self, kept: Path) -> Section:
        """Write everything into a folder below ``kept``, in place of what the test left there before."""
        if not self._is_kept:
            self._is_kept = True
            self._look_at_what_is_open()
        target = kept / self._name
        section = Section(folder=target)
        with self._telling("the folder"):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            self._write(target, section)
        section.note(self._problems)
        return section

    def _look_at_what_is_open(self) -> None:
        """A test that ran out of time, or whose fixture holds a browser, fails while its places are still open."""
        if self._watches or not self._moments:
            self.note_processes("When the failure was reported")
        for watch in reversed(self._watches):
            with self._telling(f"what {watch.place} shows"):
                if not (watch.loop.is_closed() or watch.loop.is_running() or _is_in_a_loop()):
                    watch.loop.run_until_complete(self._picture(watch))

    def _write(self, target: Path, section: Section) -> None:
        found = _search(self._folders)
        for name, picture in self._pictures.items():
            with self._telling(name):
                (target / name).write_bytes(picture)
                section.count("screenshot")
        with self._telling("processes.txt"):
            (target / "processes.txt").write_text("\n".join(self._moments), "utf-8")
            section.count("process table", len(self._moments))
        for log in found.logs:
            with self._telling(f"the log {log}"):
                (target / self._name_of(log)).write_bytes(_end_of(log))
                section.count("log")
        for picture in found.evidence[:PICTURES_MAX_COUNT]:
            with self._telling(f"the picture {picture}"):
                shutil.copyfile(picture, target / self._name_of(picture))
                section.count("picture of the run's own")
        for name, story in [*self._stories.items(), *self._read(found.journals)]:
            with self._telling(f"the story {name}"):
                (target / f"{name}.txt").write_bytes(_beginning_of(story.text().encode(errors="replace")))
                section.count("journal's story", plural="journals' stories")
                section.suspects += story.suspects()

    def _read(self, journals: list[Path]) -> Iterator[tuple[str, Story]]:
        for journal in journals:
            try:
                yield self._name_of(journal), read_story(journal)
            except sqlite3.Error as error:
                self._problems.append(f"The journal {journal} could not be read: {error}")

    def _name_of(self, path: Path) -> str:
        """A name that says where the file was: its way below the folder of the test, named where there are several."""
        folders = _outermost(self._folders)
        folder = next(folder for folder in folders if path.is_relative_to(folder))
        return "__".join([*([folder.name] if len(folders) > 1 else []), *path.relative_to(folder).parts])

    @contextmanager
    def _telling(self, what: str) -> Generator[None]:
        """Note an error instead of letting it out; also that time is up, where the test has failed already."""
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            if isinstance(error, pytest.fail.Exception) and not self._is_kept:
                raise
            self._problems.append(f"For {what}: {type(error).__name__}: {_first_line(error)}")


@dataclass(kw_only=True)
class Section:
    """What is printed with the failure."""

    folder: Path
    suspects: list[Order] = field(default_factory=list[Order])
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _plurals: dict[str, str] = field(default_factory=dict[str, str])
    _problems: list[str] = field(default_factory=list[str])

    def count(self, what: str, count: int = 1, plural: str = "") -> None:
        """Something more is there."""
        self._counts[what] = self._counts.get(what, 0) + count
        self._plurals[what] = plural or f"{what}s"

    def note(self, problems: Iterable[str]) -> None:
        """Something went wrong with the record itself."""
        self._problems += problems

    def title(self, root: Path) -> str:
        """What this is and where."""
        place = self.folder.relative_to(root) if self.folder.is_relative_to(root) else self.folder
        return f"What this failure left: {place.as_posix()}"

    def text(self) -> str:
        """What is there in one line; then, should the folder be lost, the orders that need a look."""
        there = ", ".join(f"{n} {self._plurals[what] if n > 1 else what}" for what, n in self._counts.items())
        return "\n".join([there or "nothing", *self._problems[:PROBLEMS_MAX_LINES], *self._brief()])

    def _brief(self) -> list[str]:
        if not self.suspects:
            return []
        head = "Orders that took more than one attempt or did not end well:"
        room = BRIEF_MAX_LINES - 2  # but for the head and the rest
        begun_ones = [order for order in self.suspects if order.has_begun]
        told = [f"  {order.brief()}"[:BRIEF_MAX_CHARS] for order in begun_ones[:room]]
        rest = {"more": len(begun_ones) - len(told), "that nobody began": len(self.suspects) - len(begun_ones)}
        tail = ", ".join(f"and {count} {what}" for what, count in rest.items() if count)
        return [head, *told, *([f"  {tail}"] if tail else [])]


_running: list[FailureRecord] = []


@contextmanager
def begun(name: str) -> Generator[FailureRecord]:
    """A test begins: what happens in this block belongs to its record."""
    record = FailureRecord(name)
    _running.append(record)
    try:
        yield record
    finally:
        _running.remove(record)


def current() -> FailureRecord:
    """The record of the test that runs; outside of tests one that nobody keeps."""
    return _running[-1] if _running else FailureRecord()


def folder_name(nodeid: str) -> str:
    """A name for the folder of a test that a person recognises and every system takes; no two tests share one."""
    told = nodeid.removeprefix("tests/").replace(".py::", ".").replace("::", ".").replace("/", ".")
    plain = _plain(told, _NAME_MAX_CHARS)
    return plain if plain == told else f"{plain}-{zlib.crc32(nodeid.encode(errors='replace')):08x}"


def _plain(text: str, max_chars: int) -> str:
    return re.sub(r"[^A-Za-z0-9_.\[\]-]+", "-", text.partition("://")[2] or text)[:max_chars].strip("-.") or "page"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _search(folders: Iterable[Path]) -> _Found:
    """Look through the folders once, links left alone."""
    found = _Found()
    for folder in _outermost(folders):
        for place, _, names in os.walk(folder):
            paths = [Path(place, name) for name in sorted(names)]
            found.logs.extend(path for path in paths if path.name == LOG_NAME)
            found.journals.extend(path for path in paths if path.name == JOURNAL_NAME)
            found.evidence.extend(path for path in paths if path.suffix == ".png" and EVIDENCE_NAME in path.parts)
    return found


def _outermost(folders: Iterable[Path]) -> list[Path]:
    """Those that lie in no other."""
    whole = [*folders]
    return [one for one in whole if not any(one != other and one.is_relative_to(other) for other in whole)]


def _end_of(log: Path) -> bytes:
    """The end of a file, from the beginning of a line on."""
    size = log.stat().st_size
    with log.open("rb") as file:
        if size <= TEXT_MAX_BYTES:
            return file.read(TEXT_MAX_BYTES)
        file.seek(-TEXT_MAX_BYTES, os.SEEK_END)
        _, _, rest = file.read(TEXT_MAX_BYTES).partition(b"\n")
    return f"The first {size - len(rest):,} of {size:,} bytes are left off.\n".encode() + rest


def _beginning_of(text: bytes) -> bytes:
    if len(text) <= TEXT_MAX_BYTES:
        return text
    return text[:TEXT_MAX_BYTES] + f"\nThe rest of {len(text):,} bytes is left off.\n".encode()
