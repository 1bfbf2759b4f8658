"""Defines the parts of a portal pack that find what belongs to a file: its name and its address. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Self
from urllib.parse import quote, urldefrag, urljoin

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from poolwright.portal import patterns


def _regex(text: str) -> str:
    patterns.validate(text)
    return text


class ElementText(BaseModel):
    """A text of the page beside the element of a file: in that element, in a cell beside it, or in a row around it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: The nearest element around that matches, the element of the file included; empty for that element itself.
    closest: str = ""
    #: The first element within it; empty for the element around itself.
    selector: str = ""
    #: Attribute with the text; empty for the visible text.
    attribute: str = ""
    #: Regular expression whose first group is the text; empty for the whole text.
    pattern: Annotated[str, AfterValidator(_regex)] = ""

    @model_validator(mode="after")
    def _is_defined(self) -> Self:
        if not (self.closest or self.selector or self.attribute or self.pattern):
            msg = "it needs closest, selector, attribute or pattern"
            raise ValueError(msg)
        return self

    def text_in(self, text: str) -> str:
        """Return the part of a text of the page that is meant; empty if the pattern does not match."""
        return (patterns.extract(self.pattern, text) or "") if self.pattern else text.strip()


#: A group of a match in a template: ``{1}`` percent-encoded, ``{1:raw}`` as it is.
_GROUP = re.compile(r"\{([0-9])(:raw)?\}")


class AddressRule(ElementText):
    """The address of a file, made from a text of the page such as an id or a call of a script."""

    #: A path below base_url, or an address; ``{1}`` is the first group of the pattern, ``{0}`` the whole match.
    template: str

    @model_validator(mode="after")
    def _has_groups(self) -> Self:
        count = patterns.group_count(self.pattern) if self.pattern else 0
        used = [int(match[1]) for match in _GROUP.finditer(self.template)]
        if not used or "{" in _GROUP.sub("", self.template):
            msg = f"template {self.template!r} needs a part such as {{1}} or {{1:raw}}, and no other braces"
            raise ValueError(msg)
        if max(used) > count:
            msg = f"template {self.template!r} uses group {max(used)}, but the pattern has {count}"
            raise ValueError(msg)
        return self

    def address_from(self, text: str, base_url: str, page_url: str) -> str:
        """Return the address of a file; empty if the text holds none.

        Args:
            text: The text of the page.
            base_url: Address of the portal, below which a template with a slash begins.
            page_url: Address of the page, for other relative addresses.
        """
        found = (text.strip(),) if not self.pattern else patterns.groups(self.pattern, text)
        if not found or not found[0]:
            return ""
        path = _GROUP.sub(
            lambda group: found[int(group[1])] if group[2] else quote(found[int(group[1])], safe=""), self.template
        )
        if self.template.startswith("/"):
            return base_url + path
        try:
            return urldefrag(urljoin(page_url, path)).url
        except ValueError:  # such as a bracket in the wrong position
            return ""


class WantedFiles(BaseModel):
    """Which attachments of an order are wanted; the others are left out, and the report names them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Endings of names, without the dot.
    endings: tuple[str, ...] = ()
    #: Media types of contents, such as ``application/pdf`` or ``image/*``. A file of any of both lists is wanted.
    types: tuple[str, ...] = ()
    #: Places of the page whose pattern must match, all of them. A file without a text there is wanted.
    where: tuple[ElementText, ...] = ()

    @model_validator(mode="after")
    def _is_limited(self) -> Self:
        if not (self.endings or self.types or self.where):
            msg = "it needs endings, types or where"
            raise ValueError(msg)
        if not all(place.pattern for place in self.where):
            msg = "each place of where needs a pattern that the text must match"
            raise ValueError(msg)
        wrong = next((ending for ending in self.endings if not re.fullmatch(r"[A-Za-z0-9_]+", ending)), None)
        if wrong is not None:
            msg = f"{wrong!r} must be an ending without the dot, such as pdf"
            raise ValueError(msg)
        return self

    def are_places_right(self, texts: Sequence[str]) -> bool:
        """Return whether a link is wanted by the texts of the places, which are in the order of ``where``."""
        known = ((place, text) for place, text in zip(self.where, texts, strict=False) if text.strip())
        return all(patterns.is_found(place.pattern, text) for place, text in known)

    def is_kind_right(self, name: str, media_type: str = "") -> bool:
        """Return whether a file is wanted by its name, or by the media type of its content if that is known."""
        if not (self.endings or self.types):
            return True
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        if ending in {wanted.lower() for wanted in self.endings}:
            return True
        group = f"{media_type.partition('/')[0]}/*"
        return bool(media_type) and not {media_type, group}.isdisjoint(wanted.lower() for wanted in self.types)
