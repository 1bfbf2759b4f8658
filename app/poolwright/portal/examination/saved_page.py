"""A page as it was read, in a folder: ``page.json``, one HTML file for each document, and ``expected.toml``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import tomli_w
from pydantic import Field, ValidationError

from poolwright.domain.errors import OptionsError
from poolwright.portal.examination.page_examination import ExaminationPart, PageExamination
from poolwright.portal.page_facts import PageAnswer
from poolwright.portal.triage import Verdict

#: Increased with every change that an earlier version would not understand.
FORMAT_VERSION = 1
FACTS_NAME, EXPECTED_NAME, SCREENSHOT_NAME = "page.json", "expected.toml", "page.png"
_EXPECTED_COMMENT = (
    "# What a pack must find on this page. Correct it if the page shows something else; `poolwright portal replay`\n"
    "# compares with it. files are the names on the page, in its order.\n"
)


class SavedDocument(ExaminationPart):
    """One document of a saved page: the page itself, or a frame of another origin."""

    #: Its address, without a fragment.
    address: str
    #: The file with its HTML in the folder; empty if it has none.
    file: str = ""
    media_type: str = "text/html"


class SavedPage(ExaminationPart):
    """What a browser needs to show a page again, and the pack needs to judge it; the content of ``page.json``."""

    format_version: int = FORMAT_VERSION
    pack: str
    base_url: str
    #: The order number as the person wrote it.
    number: str
    #: The number in the portal's form.
    portal_number: str
    #: The address that the page was judged by.
    url: str
    #: HTTP status of the last response; 0 if there was none.
    status: int = 0
    passed: tuple[str, ...] = ()
    #: Addresses of the requests of the page's scripts that were answered.
    answered: tuple[str, ...] = ()
    #: Texts of the page's dialogs.
    dialogs: tuple[str, ...] = ()
    #: Responses that the page's scripts got and that a mark of the pack asks for.
    answers: tuple[PageAnswer, ...] = ()
    documents: tuple[SavedDocument, ...] = ()
    examination: PageExamination


class ExpectedPage(ExaminationPart):
    """What a pack must find on a saved page; the content of ``expected.toml``."""

    verdict: Verdict
    #: Whether the list of attachments is known to be complete.
    is_complete: bool = True
    files: tuple[str, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict[str, str])

    @classmethod
    def from_examination(cls, examination: PageExamination) -> ExpectedPage:
        """Return what was found on a page, as the expectation for the next time."""
        return cls(
            verdict=examination.verdict,
            is_complete=not examination.doubt,
            files=examination.names,
            fields=examination.fields,
        )


def read_saved_page(folder: Path) -> SavedPage:
    """Read the facts about a saved page.

    Raises:
        OptionsError: There is no such file, or it is not what ``portal record`` writes.
    """
    path = folder / FACTS_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        page = SavedPage.model_validate(data)
    except (OSError, ValueError) as error:  # a ValidationError is a ValueError
        raise OptionsError(f"{path} cannot be read as a saved page: {_cause(error)}.") from error
    if page.format_version != FORMAT_VERSION:
        raise OptionsError(
            f"{path} has the format {page.format_version}; this version of Poolwright reads {FORMAT_VERSION}. Record "
            "the page again."
        )
    return page


def read_expected(folder: Path) -> ExpectedPage:
    """Read what must be found on a saved page.

    Raises:
        OptionsError: There is no such file, or it has a mistake.
    """
    path = folder / EXPECTED_NAME
    try:
        return ExpectedPage.model_validate(tomllib.loads(path.read_text(encoding="utf-8")), strict=False)
    except (OSError, ValueError) as error:
        raise OptionsError(f"{path} cannot be read: {_cause(error)}.") from error


def write_expected(folder: Path, expected: ExpectedPage) -> None:
    """Write what must be found on a saved page; a file that a person corrected is replaced.

    Raises:
        OSError: The folder is not writable.
    """
    content = tomli_w.dumps(expected.model_dump(mode="json"))
    (folder / EXPECTED_NAME).write_text(_EXPECTED_COMMENT + content, encoding="utf-8")


def find_saved_pages(folder: Path) -> tuple[Path, ...]:
    """Return the folders of saved pages in a folder, sorted; the folder itself if it is one.

    Raises:
        OptionsError: There is none.
    """
    if (folder / FACTS_NAME).is_file():
        return (folder,)
    found = tuple(sorted(path.parent for path in folder.glob(f"*/{FACTS_NAME}")))
    if not found:
        raise OptionsError(
            f"{folder} has no saved pages. Save some: `poolwright portal record PACK NUMBER --to {folder}`."
        )
    return found


def differences(expected: ExpectedPage, found: PageExamination) -> tuple[str, ...]:
    """Return the differences between what must be found and what was found, each as a sentence; empty if none."""
    return tuple(_differences(expected, found))


def _differences(expected: ExpectedPage, found: PageExamination) -> Iterator[str]:
    if found.verdict is not expected.verdict:
        yield f"The verdict is {found.verdict}, not {expected.verdict}: {found.reason}"
    if expected.is_complete and found.doubt:
        yield f"The list of attachments is not sure: {found.doubt}"
    if not expected.is_complete and not found.doubt:
        yield "The list of attachments counts as complete, and should not."
    missing, more = _without(expected.files, found.names), _without(found.names, expected.files)
    if missing:
        yield f"Files that are not found: {', '.join(missing)}."
    if more:
        yield f"Files that are not expected: {', '.join(more)}."
    for name in sorted(expected.fields.keys() | found.fields.keys()):
        wanted, value = expected.fields.get(name, ""), found.fields.get(name, "")
        if wanted != value:
            yield f"The field {name} is {value!r}, not {wanted!r}."


def _without(names: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """Return the names that are not among the others, each as often as it is missing there."""
    left = list(others)
    missing: list[str] = []
    for name in names:
        if name in left:
            left.remove(name)
        else:
            missing.append(name)
    return missing


def _cause(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    return getattr(error, "strerror", None) or str(error)
