"""Compares the size of a file with the one that the page or a response of the portal states for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.files.stated_size import parse_size, size_at_end
from poolwright.portal.pack_schema import NameSource
from poolwright.worker.page.page_content import PageLink

#: Texts of a link in which portals write the size behind the name.
_TEXTS = (NameSource.TEXT, NameSource.TITLE, NameSource.ARIA_LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeCheck:
    """What the size of a file tells."""

    #: The reason to refuse the file; empty if its size is right, or if none is stated.
    problem: str = ""
    #: What a person should check in a file that is accepted.
    note: str = ""


def check_size(link: PageLink, label: str, size_bytes: int) -> SizeCheck:
    """Return whether a file has the size that the portal states for it.

    The place of the pack (``attachments.size``, ``api.size``) is believed; a size in the text of a link gives a note.

    Args:
        link: The link of the file.
        label: The name of the file, for the sentence.
        size_bytes: The size of the file.
    """
    if link.size and (stated := parse_size(link.size)) is not None:
        return SizeCheck(problem=stated.problem(label, size_bytes))
    found = [size for source in _TEXTS if (size := size_at_end(link.names.get(source.value, ""))) is not None]
    problem = found[0].problem(label, size_bytes) if found else ""
    return SizeCheck(note=f"{problem.removesuffix('.')}: check whether it is the file." if problem else "")
