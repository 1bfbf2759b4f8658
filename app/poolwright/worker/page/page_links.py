"""Makes the addresses of files by the rules of the pack, and joins links that lead to the same file. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from poolwright.portal.file_rules import ListedFile
from poolwright.portal.pack_schema import AttachmentRules, NameSource
from poolwright.worker.page.page_content import PageLink


def resolve_links(rules: AttachmentRules, base_url: str, page_url: str, links: Sequence[PageLink]) -> list[PageLink]:
    """Return the links with the addresses that the pack makes; those to the same file are one link.

    Args:
        rules: The pack's rules for attachments.
        base_url: Address of the portal.
        page_url: Address of the page with the links.
        links: The links of the page, in its order.
    """
    if rules.size is not None:
        links = [link.model_copy(update={"size": rules.size.text_in(link.size)}) for link in links]
    if rules.section is not None:
        links = [link.model_copy(update={"section": rules.section.text_in(link.section)}) for link in links]
    if not (rules.address or rules.ignore_query):
        return list(links)
    resolved: dict[str, PageLink] = {}
    for number, link in enumerate(links):
        made = (
            rule.address_from(text, base_url, page_url) for rule, text in zip(rules.address, link.sources, strict=False)
        )
        addressed = link.model_copy(update={"address": next(filter(None, made), link.address)})
        key = file_identity(addressed.address, rules.ignore_query) or f"click {number}"
        first = resolved.get(key)
        resolved[key] = addressed if first is None else first.model_copy(update={"names": _merged(first, addressed)})
    return list(resolved.values())


def add_listed_files(links: Sequence[PageLink], files: Sequence[ListedFile]) -> list[PageLink]:
    """Return the links of a page and the files that a response lists, each address once.

    A name in the response is the portal's own, as that of a ``download``; a link without one gets it.

    Args:
        links: The links of the page, in its order.
        files: The files of the response.
    """
    joined = list(links)
    places = {link.address: number for number, link in enumerate(links) if link.address}
    for file in files:
        names = {NameSource.DOWNLOAD.value: file.name}
        listed = PageLink(address=file.address, selector="", index=0, names=names, size=file.size)
        if file.address in places:
            number = places[file.address]
            shown = {source: text for source, text in joined[number].names.items() if text}
            size = file.size or joined[number].size
            joined[number] = joined[number].model_copy(update={"names": {**listed.names, **shown}, "size": size})
        else:
            places[file.address] = len(joined)
            joined.append(listed)
    return joined


def file_identity(address: str, ignore_query: Sequence[str]) -> str:
    """Return an address without the parameters that differ each time; empty for no address."""
    if not ignore_query or not address:
        return address
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ignore_query]
    return parts._replace(query=urlencode(kept)).geturl()


def _merged(first: PageLink, other: PageLink) -> dict[str, str]:
    """Return the names of two links to the same file; the page reader joins them in the same way."""
    return {
        source: "\n".join(dict.fromkeys(filter(None, (first.names.get(source, ""), other.names.get(source, "")))))
        for source in {**first.names, **other.names}
    }
