"""A folder of saved pages with ``observations.toml``: read to learn from it, written beside a learned pack.

The pages beside a pack are its regression test: ``check_pages`` tries the pack on them again after it was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from poolwright.files.disk import write_file
from poolwright.learn.examples import SeenPage
from poolwright.learn.learner import Lesson, seen_pages
from poolwright.learn.observations import ObservationError, Observations, parse_observations
from poolwright.learn.page_judge import problems_of
from poolwright.learn.page_tree import SelectorError
from poolwright.learn.saved.saved_source import page_source, text_source
from poolwright.portal import pack as packs

OBSERVATIONS_FILE = "observations.toml"
#: No page that a person reads is larger.
_PAGE_MAX_BYTES = 50_000_000


def read_folder(folder: Path) -> tuple[Observations, dict[str, str]]:
    """Return the observations of a folder, and the HTML source or JSON of each file.

    Raises:
        ObservationError: The observations or a page are missing, not readable or not valid.
    """
    text = text_source(_read(folder / OBSERVATIONS_FILE))
    observations = parse_observations(text, str(folder / OBSERVATIONS_FILE))
    sources: dict[str, str] = {}
    for page in observations.pages:
        sources[page.file] = page_source(_read(_inside(folder, page.file)), page.file)
        for response in page.responses:
            sources[response.file] = text_source(_read(_inside(folder, response.file)))
    return observations, sources


def write_lesson(lesson: Lesson, observations: Observations, sources: Mapping[str, str], pack_path: Path) -> Path:
    """Write a pack and the pages that it was learned from, and return the folder of the pages.

    Args:
        lesson: The learned pack.
        observations: What the pages are.
        sources: Their HTML source.
        pack_path: The file of the pack; the folder of the pages has its name and the ending ``.pages``.

    Raises:
        OSError: They cannot be written.
    """
    folder = pages_folder(pack_path)
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in sources.items():
        write_file(folder / file, source)
    write_file(folder / OBSERVATIONS_FILE, _observations_text(observations))
    write_file(pack_path, lesson.text)
    return folder


def pages_folder(pack_path: Path) -> Path:
    """Return the folder of the pages that a pack was learned from."""
    return pack_path.with_suffix(".pages")


def check_pages(pack_path: Path) -> tuple[int, list[str]]:
    """Try a pack on the pages beside it; return their number, and a sentence for each that is read in another way.

    Raises:
        PackError: The pack is not valid.
        ObservationError: There are no pages beside it, or something in the pack cannot be tried on saved pages.
    """
    pack = packs.load(str(pack_path))
    observations, sources = read_folder(pages_folder(pack_path))
    if pack.attachments.api is not None and not any(page.responses for page in observations.pages):
        raise ObservationError(
            f"{pack_path}: attachments.api cannot be tried on these pages, as they have no responses. Use `poolwright "
            "portal record` and `poolwright portal replay`."
        )
    seen = seen_pages(observations, sources)
    try:
        problems = [problem for one in seen for problem in problems_of(pack, _base_url(pack.site.base_url, seen), one)]
    except SelectorError as error:
        raise ObservationError(f"{pack_path}: a selector cannot be tried on saved pages: {error}.") from error
    return len(seen), problems


def _base_url(base_url: str, seen: Sequence[SeenPage]) -> str:
    if base_url:
        return base_url
    return "/".join(seen[0].tree.address.split("/", 3)[:3])


def _observations_text(observations: Observations) -> str:
    tables: dict[str, Any] = observations.model_dump(mode="json", exclude_defaults=True)
    return "# Which page is what; `poolwright portal learn --check` tries the pack on them again.\n" + tomli_w.dumps(
        tables
    )


def _inside(folder: Path, file: str) -> Path:
    if Path(file).name != file:
        raise ObservationError(f"{file} must be the name of a file in {folder}, without folders.")
    return folder / file


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _PAGE_MAX_BYTES:
            raise ObservationError(f"{path} is larger than {_PAGE_MAX_BYTES // 1_000_000} MB, which no page is.")
        return path.read_bytes()
    except OSError as error:
        raise ObservationError(f"{path} cannot be read: {error.strerror}.") from error
