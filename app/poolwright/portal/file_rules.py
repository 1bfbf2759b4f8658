"""Defines the parts of a portal pack that find what belongs to a file: its name and its address."""

from __future__ import annotations

from typing import Annotated, Self

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
