"""How somebody wants to see what happens, and the view that shows it so: of a run here, and of a daemon elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from poolwright.cli.json_lines import JsonView
from poolwright.cli.live import LiveView
from poolwright.cli.plain import PlainView
from poolwright.cli.progress import Progress
from poolwright.cli.view import QuietView, View
from poolwright.domain.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a person wants to see a run."""

    is_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False


def make_view(manner: Manner, progress: Progress, title: str, screen: Console, clock: Clock) -> View:
    """The view for this manner on this screen."""
    if manner.is_json:
        return JsonView(progress, console=screen, clock=clock)
    if manner.is_quiet:
        return QuietView(progress, console=screen, clock=clock)
    if screen.is_terminal and not manner.is_verbose:
        return LiveView(progress, title, console=screen, clock=clock)
    return PlainView(progress, console=screen, clock=clock)
