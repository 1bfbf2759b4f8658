"""Writes a mail as one HTML document to be printed: its header lines, its text, and the names of its attachments. Pure.

A mail is the work of strangers. Its text is cleaned of everything that runs, loads or leads elsewhere, and stands in a
tree of its own (a shadow root) within a box that nothing of it can leave: no style of it can hide or imitate the header
lines above. The browser that prints it has neither scripts nor a network in any case.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import lxml.html
from lxml import etree

from poolwright.worker.rendering.mail_message import MailMessage

#: Says once more that nothing may be loaded or run.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
_STYLE: Final = """
body { font: 10pt/1.4 "Liberation Sans", Arial, sans-serif; color: #000; margin: 0; }
table.poolwright-head { border-collapse: collapse; width: 100%; border-bottom: 1px solid #888; }
table.poolwright-head th { text-align: left; vertical-align: top; padding: 1px 10px 1px 0; white-space: nowrap; }
table.poolwright-head td { width: 100%; overflow-wrap: anywhere; }
.poolwright-body { contain: layout paint; margin-top: 12px; overflow-wrap: anywhere; }
.poolwright-plain { white-space: pre-wrap; font-family: "Liberation Mono", monospace; font-size: 9pt; }
"""
#: Elements that run, load or lead elsewhere.
_REMOVED: Final = frozenset(
    {
        *("script", "noscript", "template", "slot", "portal", "dialog"),
        *("iframe", "frame", "frameset", "object", "embed", "applet"),
        *("link", "meta", "base", "audio", "video", "source", "track", "svg", "math"),
    }
)
#: Attributes that load something when it is shown, or put an element elsewhere.
_UNWANTED: Final = frozenset({"srcset", "background", "ping", "formaction", "autofocus", "slot", "is", "lowsrc"})
#: Beginning of the address of a picture in the mail itself.
_OWN: Final = "cid:"
#: Mail servers add texts behind the end of a mail's HTML, where the parser would not read them.
_ENDS = re.compile(r"</\s*(?:body|html)\b[^>]*>", re.IGNORECASE)
_NOT_SHOWN: Final = "its text cannot be shown"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailDocument:
    """A mail as a document."""

    html: str
    #: What it does not show, as parts of a sentence.
    notes: tuple[str, ...] = ()


def mail_document(mail: MailMessage) -> MailDocument:
    """Return a mail as a whole HTML document."""
    lines = dict(mail.headers)
    if mail.attachments:
        lines["Attachments"] = "; ".join(mail.attachments)
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in lines.items())
    title = html.escape(mail.headers.get("Subject", ""))
    cleaned = clean_html(mail.html, mail.pictures) if mail.html.strip() else ""
    text = mail.text.strip("\r\n")
    notes = tuple(mail.notes) if cleaned or text or mail.notes else (_NOT_SHOWN,)
    if cleaned:
        body = f'<div><template shadowrootmode="open">{cleaned}</template></div>'
    else:
        plain = text or "".join(f"({note})\n" for note in notes)
        body = f'<div class="poolwright-plain">{html.escape(plain)}</div>'
    document = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{_POLICY}"><title>{title}</title><style>{_STYLE}</style></head><body>'
        f'<table class="poolwright-head">{rows}</table><div class="poolwright-body">{body}</div></body></html>'
    )
    return MailDocument(document, notes)


def clean_html(text: str, pictures: Mapping[str, tuple[str, bytes]]) -> str:
    """Return the text of a mail as HTML that is whole, runs nothing and loads nothing; empty if it cannot be read.

    Args:
        text: The HTML of the mail.
        pictures: Its own pictures by their ids, which are put into the text.
    """
    try:
        root = lxml.html.document_fromstring(_ENDS.sub("", _DECLARATION.sub("", text)))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag.lower().rpartition(":")[2] in _REMOVED:
            _drop(element)
        else:
            _clean_attributes(element, pictures)
    styles = "".join(_source(style) for style in root.iter("style") if style.getparent() is not None)
    body = root.find("body")
    if body is None:
        return ""
    for style in list(body.iter("style")):
        _drop(style)
    body.tag = "div"
    return styles + _source(body)


def _clean_attributes(element: lxml.html.HtmlElement, pictures: Mapping[str, tuple[str, bytes]]) -> None:
    for name in list(element.attrib):
        value = str(element.attrib[name])
        is_script = re.sub(r"[\s\x00-\x1f]", "", value).lower().startswith(("javascript:", "vbscript:"))
        if name.lower().startswith("on") or name.lower() in _UNWANTED or is_script:
            del element.attrib[name]
    address = str(element.get("src") or "")
    if address.lower().startswith(_OWN) and (picture := pictures.get(unquote(address[len(_OWN) :]))):
        kind, content = picture
        element.set("src", f"data:{kind};base64,{base64.b64encode(content).decode()}")


def _drop(element: lxml.html.HtmlElement) -> None:
    """Remove an element with what is in it; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    previous, tail = element.getprevious(), element.tail or ""
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def _source(element: lxml.html.HtmlElement) -> str:
    return lxml.html.tostring(element, encoding="unicode", with_tail=False)
