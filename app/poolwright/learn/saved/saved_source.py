"""Reads a page as a browser saved it: its HTML, all of it in one file, or a view of its source. Pure.

A page that scripts draw is of use only as it was drawn: browsers save it so as "Web page, complete" or "single file",
and as it came from the portal as "HTML only".
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from http import HTTPStatus

import lxml.html
from lxml import etree

from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservationError
from poolwright.learn.page_tree import is_shown, saved_address, text_of

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,30})", re.IGNORECASE)
_HEADER_MAX_BYTES = 4096
#: The head of a page that was saved with all its parts in one file (MHTML).
_ONE_FILE = re.compile(rb"(?:[\w-]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){1,40}\r?\n")
_TAG = re.compile(r"<(?:!doctype\s|[a-z][a-z0-9-]*[\s/>])", re.IGNORECASE)
#: Files that a browser saves in place of a page, by their beginning.
_OTHERS = (
    (b"%PDF-", "a PDF"),
    (b"bplist00", "a web archive of Safari"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_VIEWED = "view-source:"
#: What a page shows without a text.
_SPEAKING_TAGS = frozenset({"input", "button", "select", "textarea", "iframe", "frame", "object", "embed"})
_AS_DRAWN = (
    'Save it once it has been drawn, as "Web page, complete" or as a single file, or show it in a window (--url).'
)


def page_source(content: bytes, file: str) -> str:
    """Return the HTML of a saved page. Its address, where the file has one, is in a comment as browsers write it.

    Args:
        content: The bytes of the file.
        file: Its name, for messages.

    Raises:
        ObservationError: It is no web page.
    """
    for start, name in _OTHERS:
        if content.startswith(start):
            raise ObservationError(f'{file} is {name}, not a web page. Save the page as "Web page, complete".')
    html = _of_one_file(content) or _decoded(content)
    if not _TAG.search(html):
        raise ObservationError(f'{file} is not a web page. Save the page as "Web page, complete".')
    return _of_view(html)


def text_source(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16, else as a web page itself says."""
    return _decoded(content)


def require_drawn(pages: Sequence[SeenPage]) -> None:
    """Make sure that pages which scripts draw were saved as they were drawn.

    Raises:
        ObservationError: A page shows nothing, or pages of different kinds are the same, and they have scripts.
    """
    known: dict[bytes, SeenPage] = {}
    for seen in pages:
        document = seen.tree.roots[0]
        if next(document.iter("script"), None) is None:
            continue
        if seen.page.status < HTTPStatus.BAD_REQUEST and not _shows_anything(seen):
            raise ObservationError(
                f"{seen.page.file} shows nothing: it was saved before its scripts drew it. {_AS_DRAWN}"
            )
        other = known.setdefault(etree.tostring(document), seen)
        if (other.page.kind, other.page.number) != (seen.page.kind, seen.page.number):
            raise ObservationError(
                f"{other.page.file} and {seen.page.file} are the same page: they were saved before their scripts drew "
                f"them. {_AS_DRAWN}"
            )


def _shows_anything(seen: SeenPage) -> bool:
    if any(text_of(root) for root in seen.tree.roots):
        return True
    return any(item.tag in _SPEAKING_TAGS and is_shown(item) for item in seen.tree.elements())


def _of_one_file(content: bytes) -> str:
    """Return the page of a file that has all its parts; empty if it is none."""
    head = _ONE_FILE.match(content[:_HEADER_MAX_BYTES])
    if head is None or b"multipart/related" not in head[0].lower():
        return ""
    message = email.message_from_bytes(content, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() != "text/html":
            continue
        html = part.get_payload(decode=True)
        address = message.get("Snapshot-Content-Location") or part.get("Content-Location") or ""
        return _with_address(_decoded(html) if isinstance(html, bytes) else "", str(address).strip())
    return ""


def _of_view(html: str) -> str:
    """Return the source that a view of it shows; any other page as it is."""
    address = saved_address(html)
    is_view = address.startswith(_VIEWED) or re.search(r"<td class=\"line-content\"|<body[^>]* id=\"viewsource\"", html)
    if not is_view:
        return html
    document = lxml.html.document_fromstring(html)
    lines = document.cssselect("td.line-content") or document.cssselect("pre") or [document]
    source = "\n".join(line.text_content() for line in lines)
    return _with_address(source, address.removeprefix(_VIEWED))


def _with_address(html: str, address: str) -> str:
    if not address or saved_address(html):
        return html
    return f"<!-- saved from url=({len(address):04}){address} -->\n{html}"


def _decoded(content: bytes) -> str:
    """Return a page as text: UTF-8, UTF-16 with its mark, else as it says itself."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _CHARSET.search(content[:4096])
    try:
        return content.decode(named[1].decode() if named else "cp1252", "replace")
    except LookupError:
        return content.decode("cp1252", "replace")
