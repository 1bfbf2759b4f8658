"""Defines the parts of a portal pack that find what belongs to a file: its name and its address. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Self, cast
from urllib.parse import quote, urldefrag, urljoin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

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
        return absolute_address(path, base_url, page_url, is_below=self.template.startswith("/"))


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


#: A value of an entry in a template: ``{id}`` percent-encoded, ``{url:raw}`` as it is; points lead to inner objects.
_VALUE = re.compile(r"\{([\w.-]+?)(:raw)?\}")


class ListedFile(BaseModel):
    """A file in the response to a request of the page."""

    model_config = ConfigDict(frozen=True)

    address: str
    #: Empty if the response does not name it.
    name: str
    #: Its size as the response states it; empty if it states none.
    size: str = ""


class FileListAnswer(BaseModel):
    """A list of files in a response, as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Keys to the list, with points between; empty if the response is the list itself.
    items: str = ""
    #: The address of a file by the values of its entry, such as ``/files/{id}`` or ``{url:raw}``.
    template: str
    #: Keys to the name in an entry; empty if it has none.
    name: str = ""
    #: Keys to the size in an entry, in bytes or with a unit; empty if it has none. A file of another size is missed.
    size: str = ""

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if not _VALUE.search(self.template) or "{" in _VALUE.sub("", self.template):
            wanted = "a key of an entry such as {id} or {url:raw}, and no other braces"
            msg = f"template {self.template!r} needs {wanted}"
            raise ValueError(msg)
        return self

    def files_in(self, content: object, base_url: str, page_url: str) -> list[ListedFile] | None:
        """Return the files that a response lists; ``None`` if it is no such list, or an entry has no address.

        Args:
            content: The response, as JSON values.
            base_url: Address of the portal, below which a template with a slash begins.
            page_url: Address of the page, for other relative addresses.
        """
        entries = _value_at(content, self.items)
        if not isinstance(entries, list):
            return None
        files: list[ListedFile] = []
        for entry in cast("list[object]", entries):
            path = self._path(entry)
            address = absolute_address(path, base_url, page_url, is_below=self.template.startswith("/"))
            if not path or not address:
                return None
            name, size = (_text_at(entry, keys) if keys else "" for keys in (self.name, self.size))
            files.append(ListedFile(address=address, name=name, size=size))
        return files

    def _path(self, entry: object) -> str:
        values = {key: _text_at(entry, key) for key, _ in _VALUE.findall(self.template)}
        if not all(values.values()):
            return ""
        return _VALUE.sub(lambda part: values[part[1]] if part[2] else quote(values[part[1]], safe=""), self.template)


class FileListRequest(FileListAnswer):
    """The request by which the page's scripts load the list of files."""

    #: Regular expression, searched in path and query of the request.
    request: Annotated[str, AfterValidator(_regex)] = Field(min_length=1)


def _value_at(content: object, keys: str) -> object:
    for key in keys.split(".") if keys else ():
        content = cast("dict[str, object]", content).get(key) if isinstance(content, dict) else None
    return content


def _text_at(entry: object, keys: str) -> str:
    """Return a text or a whole number of an entry; empty for anything else."""
    value = _value_at(entry, keys)
    is_text = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value).strip() if is_text else ""


def absolute_address(path: str, base_url: str, page_url: str, *, is_below: bool) -> str:
    """Return an address that was made from a template; empty if it is none."""
    if is_below:
        return base_url + path
    try:
        return urldefrag(urljoin(page_url, path)).url
    except ValueError:  # such as a bracket in the wrong position
        return ""
