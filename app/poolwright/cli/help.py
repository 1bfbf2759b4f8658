"""How help is laid out: options under the headings of their panels, examples as they are typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperOption

from poolwright.cli.exits import MEANINGS, Exit

#: For options that stand under no heading of their own.
OTHER = "Options"


def epilog_of(examples: Iterable[str], exit_codes: Iterable[Exit] = ()) -> str:
    """The end of a command's help: lines that can be typed as they stand, and what its exit codes say."""
    told = (f"{code.value}  {MEANINGS[code]}" for code in exit_codes)
    return "\n\n".join(filter(None, (_block("Examples", examples), _block("Exit codes", told))))


def _block(title: str, lines: Iterable[str]) -> str:
    """Lines that stay as they are, below their title."""
    kept = [f"  {line}" for line in lines]
    return "\n".join(("\b", f"{title}:", *kept)) if kept else ""


class HelpfulCommand(TyperCommand):
    """A command whose help groups options by their panel."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - the library keeps these types to itself
        """Write arguments, then the groups of options in the order of their first ones, then what belongs to none."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for heading, line in self._lines(ctx):
            groups.setdefault(heading, []).append(line)
        for heading in sorted(groups, key=lambda name: name == OTHER):
            with formatter.section(heading):
                formatter.write_dl(groups[heading])

    def _lines(self, context: Any) -> Iterator[tuple[str, tuple[str, str]]]:  # noqa: ANN401 - as above
        for parameter in self.get_params(context):
            if isinstance(parameter, TyperArgument):
                yield "Arguments", (parameter.metavar or parameter.name.upper(), parameter.help or "")
                continue
            panel = parameter.rich_help_panel if isinstance(parameter, TyperOption) else None
            line = parameter.get_help_record(context)
            if line is not None:
                yield panel or OTHER, line
