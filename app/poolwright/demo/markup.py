"""Fills the page templates: plain text is escaped, ready HTML is marked as such."""

from __future__ import annotations

import functools
import html
from importlib import resources
from string import Template


class Markup(str):
    """HTML that is ready: it goes into a template as it is."""

    __slots__ = ()


def fill(name: str, **values: str) -> Markup:
    """Fill ``templates/<name>.html``; every value that is not ``Markup`` is escaped.

    Raises:
        KeyError: The template names a value that was not given.
    """
    return Markup(_template(name).substitute({key: escaped(value) for key, value in values.items()}))


def escaped(text: str) -> str:
    """The text as HTML shows it."""
    return text if isinstance(text, Markup) else html.escape(text)


def joined(pieces: list[Markup]) -> Markup:
    """Pieces under each other."""
    return Markup("\n".join(pieces))


def static_text(name: str) -> str:
    """The text of a file that ships in ``static/``."""
    return resources.files("poolwright.demo").joinpath("static", name).read_text(encoding="utf-8")


@functools.cache
def _template(name: str) -> Template:
    return Template(
        resources.files("poolwright.demo").joinpath("templates", f"{name}.html").read_text(encoding="utf-8")
    )
