"""Finds the elements of the attachments that a person named, and the elements that look like them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from poolwright.files.names import has_ending
from poolwright.learn.observations import ObservationError, ObservedPage
from poolwright.learn.page_tree import CLICKED_MARK, HIDDEN_MARK, LATE_MARK, OPENED_MARK, PageTree, folded, text_of
from poolwright.learn.selectors import is_stable, stable_classes

#: Attributes that name a file for people.
NAMING_ATTRIBUTES = ("download", "title", "aria-label", "data-filename", "data-name")
_ROWS = frozenset({"tr", "li", "article"})
_ROW_ROLES = frozenset({"row", "listitem"})
_ACTION = re.compile(
    r"(?:delete|remove|destroy|edit|rename|upload|add|log-?_?out|sign-?_?out|l\u00f6schen|entfernen|bearbeiten|hochladen|abmelden|"
    r"supprimer|modifier|eliminar|borrar|editar|elimina|modifica|excluir|remover|verwijderen|\u00d7|\u2715)",
    re.IGNORECASE,
)
#: Words of a link that brings a file, beside one that opens a page about it.
_DOWNLOAD = re.compile(
    r"download|raw|herunterladen|t\u00e9l\u00e9charger|descargar|scarica|baixar|pobierz", re.IGNORECASE
)
#: What the window writes into elements of the pages that it keeps.
_MARKS = frozenset({CLICKED_MARK, HIDDEN_MARK, LATE_MARK, OPENED_MARK})
#: Elements that are made to be clicked.
_CLICKABLE_TAGS = frozenset({"a", "button", "area", "object", "embed", "iframe"})
_CLICKABLE_ROLES = frozenset({"button", "link", "menuitem"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """An observed page with its tree."""

    page: ObservedPage
    tree: PageTree
    #: Address and content of the JSON that lists its attachments.
    answers: tuple[tuple[str, object], ...] = ()


def example_elements(seen: SeenPage) -> list[HtmlElement]:
    """Return the element of each attachment that the observations name, in their order.

    Raises:
        ObservationError: A name is on no element of the page, or on several that are not the same.
    """
    return shown_elements(seen, seen.page.attachments)


def shown_elements(seen: SeenPage, names: Sequence[str]) -> list[HtmlElement]:
    """Return the elements that were clicked while a page was shown, or else those that have the names.

    Raises:
        ObservationError: As ``example_elements``.
    """
    clicked = [element for element in seen.tree.elements() if element.get(CLICKED_MARK) is not None]
    found = [element if (actor := actor_of(element)) is None else actor for element in clicked]
    if not clicked:
        found = [_named_element(seen, name) for name in names]
    return list(dict.fromkeys(_download_of(element) for element in found))


def is_served(seen: SeenPage, source: str) -> bool:
    """Return whether the portal sent the list of an order with its page, so that no script brought it.

    Args:
        seen: The page of an order as it was shown.
        source: The page as the portal sent it.

    Raises:
        ObservationError: As ``example_elements``.
    """
    examples = example_elements(seen)
    files = {item for example in examples for item in (example, *look_alikes(seen, example))}
    shown = {seen.tree.address_of(item, tuple(address_attributes(item))) for item in files}
    sent = PageTree(source, seen.tree.address)
    addresses = {sent.address_of(item, tuple(address_attributes(item))) for item in sent.elements()}
    return bool(shown) and "" not in shown and shown <= addresses


def look_alikes(seen: SeenPage, example: HtmlElement) -> list[HtmlElement]:
    """Return the elements at the same kind of place as an example: those of its siblings in the list."""
    place = _place(example)
    alike = [item for item in seen.tree.elements() if item.tag == example.tag and _place(item) == place]
    mates = row_mates(example)
    if any(item in mates for item in alike):
        shape = _shape(example)
        alike = [item for item in alike if _shape(item) == shape]
    return [item for item in alike if not is_action(item)]


def _download_of(example: HtmlElement) -> HtmlElement:
    """Return the link in the row of an example that brings its file, if the example opens a page about it."""
    if not address_attributes(example) or _is_download(example):
        return example
    downloads = [item for item in row_mates(example) if _is_download(item) and not is_action(item)]
    same = [item for item in downloads if _is_about_same_file(item, example)]
    return same[0] if same and all(_is_same_file(item, same[0]) for item in same) else example


def _is_download(element: HtmlElement) -> bool:
    if not address_attributes(element):
        return False
    text = "" if has_ending(text_of(element)) else text_of(element)
    told = [element.get("title") or "", element.get("aria-label") or "", element.get("class") or "", text]
    words = [word for text in told for word in re.split(r"[\W_]+", text)]
    folders = [word for part in _path_words(element.get("href") or "") for word in re.split(r"[-_]", part)]
    return element.get("download") is not None or any(map(_DOWNLOAD.fullmatch, (*words, *folders)))


def _is_about_same_file(element: HtmlElement, other: HtmlElement) -> bool:
    """Return whether two links name one file: by their text, the end of their addresses, or a number in both."""
    text = folded(text_of(other))
    if has_ending(text) and folded(text_of(element)) == text:
        return True
    parts, others = ([unquote(part) for part in _path_words(item.get("href") or "")] for item in (element, other))
    key = others[-1] if others else ""
    return (has_ending(key) or key.isdigit()) and key in parts


def row_mates(example: HtmlElement) -> list[HtmlElement]:
    """Return the other elements that can be clicked in the row of an example: actions upon the same file."""
    row = row_of(example)
    if row is None:
        return []
    own = {example, *example.iterancestors(), *example.iterdescendants()}
    mates = [item for item in row.iter() if isinstance(item.tag, str) and is_clickable(item) and item not in own]
    return [item for item in mates if not _is_same_file(item, example)]


def row_of(element: HtmlElement) -> HtmlElement | None:
    """Return the row of a list or table around an element; ``None`` if it is in none."""
    for item in element.iterancestors():
        is_page = item.tag == "article" and next(item.iter("h1"), None) is not None
        if not is_page and (item.tag in _ROWS or item.get("role") in _ROW_ROLES):
            return item
        if item.tag == "dt" and any(is_clickable(inner) for inner in item.iterdescendants("*")):
            return item
    return None


def is_action(element: HtmlElement) -> bool:
    """Return whether an element changes something: deletes, uploads, logs out."""
    words = [*(element.get("class") or "").split(), *_path_words(element.get("href") or "")]
    words += re.split(r"[\W_]+", (element.get("onclick") or "").partition("(")[0])
    texts = [text_of(element), element.get("title") or "", element.get("aria-label") or ""]
    words += [word for text in texts if not has_ending(text) for word in text.split()[:1]]
    return any(_ACTION.fullmatch(part) for word in words for part in (word, *re.split(r"[-_]", word)))


def is_clickable(element: HtmlElement) -> bool:
    """Return whether an element is made to be clicked, or has the address of something."""
    if element.tag in _CLICKABLE_TAGS or element.get("role") in _CLICKABLE_ROLES or element.get("onclick") is not None:
        return True
    return any(_is_address(str(name), str(value)) for name, value in element.attrib.items())


def address_attributes(element: HtmlElement) -> list[str]:
    """Return the attributes of an element that have the address of something, the best known first."""
    names = [str(name) for name, value in element.attrib.items() if _is_address(str(name), str(value))]
    return sorted(names, key=lambda name: (name != "href", name != "data-url", name))


def _is_address(name: str, value: str) -> bool:
    value = value.strip()
    if name in {"href", "data-url"} and value and not value.startswith("#"):
        return True
    return name.startswith("data-") and bool(re.match(r"https?://|/(?!/)[\w%.~-]", value))


def _named_element(seen: SeenPage, name: str) -> HtmlElement:
    found = _by_address(seen, name) or _by_text(seen, name, is_whole=True) or _by_text(seen, name, is_whole=False)
    if not found:
        raise ObservationError(
            f"{seen.page.file}: no element of the page shows or leads to {name!r}. Give the text or the address of the "
            f"attachment as the page has it.{_way_out(seen)}"
        )
    downloads = {_download_of(item) for item in found}
    if len(downloads) > 1 and not all(_is_same_file(item, found[0]) for item in found):
        raise ObservationError(
            f"{seen.page.file}: {name!r} is on {len(found)} elements that can be clicked. Give the address of the "
            "attachment instead."
        )
    return found[0]


def _way_out(seen: SeenPage) -> str:
    """Return what helps where a saved file lacks what its page shows."""
    if any(next(root.iter("iframe", "frame"), None) is not None for root in seen.tree.roots):
        return " What its frames show is not in the file: if the list is in one, show the portal in a window (--url)."
    if next(seen.tree.roots[0].iter("script"), None) is not None:
        return ' If a script draws the list, save the page once it is there, as "Web page, complete".'
    return " If a click opens the list, show the portal in a window (--url)."


def _by_address(seen: SeenPage, name: str) -> list[HtmlElement]:
    if not re.match(r"https?://|[./?]|\w+/", name):
        return []
    return [item for item in seen.tree.elements() if not is_action(item) and _leads_to(seen, item, name)]


def _leads_to(seen: SeenPage, element: HtmlElement, name: str) -> bool:
    values = [element.get(attribute) or "" for attribute in address_attributes(element)]
    if element.tag in {"object", "embed", "iframe"}:
        values += [element.get("data") or "", element.get("src") or ""]
    if name in values:
        return True
    address = seen.tree.address_of(element, tuple(address_attributes(element)))
    path = "/" + address.partition("://")[2].partition("/")[2]
    return bool(address) and unquote(name) in {unquote(address), unquote(path), unquote(path[1:])}


def _by_text(seen: SeenPage, name: str, *, is_whole: bool) -> list[HtmlElement]:
    """Return what must be clicked for the file that a text names: itself, what is around it, or what is in its row."""
    wanted = folded(name)
    actors: dict[HtmlElement, None] = {}
    for item in seen.tree.elements():
        texts = [folded(text_of(item)), *(folded(item.get(attribute) or "") for attribute in NAMING_ATTRIBUTES)]
        if not (wanted in texts if is_whole else any(wanted in text for text in texts)):
            continue
        if any(wanted in folded(text_of(child)) for child in item if isinstance(child.tag, str)):
            continue  # a smaller element has it too
        direct = actor_of(item)
        actor = _in_row(item) if direct is None else direct
        if actor is not None and not is_action(actor):
            actors[actor] = None
    return list(actors)


def actor_of(element: HtmlElement) -> HtmlElement | None:
    """Return the element that a click on this one reaches."""
    for item in (element, *element.iterancestors()):
        if item.tag in {"tr", "table", "body", "ul", "form"}:
            return None
        if is_clickable(item):
            return item
    return None


def _in_row(element: HtmlElement) -> HtmlElement | None:
    """Return the one element in the row of a name that brings its file."""
    row = row_of(element)
    if row is None:
        return None
    actors = [item for item in row.iter() if isinstance(item.tag, str) and is_clickable(item) and not is_action(item)]
    outermost = [item for item in actors if not any(other in actors for other in item.iterancestors())]
    first = outermost[0] if outermost else None
    is_one = all(item is first or (first is not None and _is_same_file(item, first)) for item in outermost)
    return first if is_one else None


def _is_same_file(first: HtmlElement, second: HtmlElement) -> bool:
    attributes = address_attributes(first)
    return bool(attributes) and any(first.get(name) == second.get(name) for name in attributes)


def _place(element: HtmlElement) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return what the ancestors of an element are, without what differs between the rows of a list."""
    return tuple(
        (str(item.tag), item.get("id") or "" if is_stable(item.get("id") or "") else "", tuple(stable_classes(item)))
        for item in element.iterancestors()
        if isinstance(item.tag, str)
    )


def _shape(element: HtmlElement) -> tuple[object, ...]:
    """Return what tells an element from its neighbours in a row: classes, attributes, folders of the address."""
    path = re.sub(r"[^/]*\d[^/]*", "0", urlsplit(element.get("href") or "").path)
    texts = "" if has_ending(text_of(element)) else folded(text_of(element))
    attributes = sorted(set(map(str, element.attrib)) - _MARKS)
    return tuple(stable_classes(element)), tuple(attributes), path.rpartition("/")[0], texts[:20]


def _path_words(address: str) -> Iterator[str]:
    try:
        yield from urlsplit(address).path.split("/")
    except ValueError:
        return
