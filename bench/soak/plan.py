"""What a soak is told: read from the command line, handed to the process that holds the pool as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

#: Removed by ``make clean``.
FOLDER = Path("build/soak")


class Plan(BaseModel):
    """One soak. Its ranges are those of the settings where it has them too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: How long orders are fed; starting and draining come on top.
    minutes: Annotated[float, Field(gt=0)] = 10.0
    workers: Annotated[int, Field(ge=1, le=8)] = 2
    tabs: Annotated[int, Field(ge=1, le=16)] = 2
    #: Memory that the script of each order page takes and keeps.
    page_mb: Annotated[int, Field(ge=1, le=4000)] = 32
    #: Seconds between two samples.
    interval_s: Annotated[float, Field(gt=0)] = 2.5
    #: Where the figures and the plot go.
    folder: Path = FOLDER

    @property
    def duration_s(self) -> float:
        """How long orders are fed."""
        return self.minutes * 60


def read_plan(arguments: Sequence[str] | None = None) -> Plan:
    """The plan of a command line; ends the program with a sentence when it is none."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="Watch a pool for a long time.")
    told = Plan()
    parser.add_argument("--minutes", type=float, default=told.minutes, help="how long (default: %(default)g)")
    parser.add_argument("--workers", type=int, default=told.workers, help="browser workers (default: %(default)s)")
    parser.add_argument("--tabs", type=int, default=told.tabs, help="tabs of each worker (default: %(default)s)")
    parser.add_argument("--page-mb", type=int, default=told.page_mb, help="weight of a page (default: %(default)s)")
    parser.add_argument("--interval-s", type=float, default=told.interval_s, help="between samples (%(default)g)")
    parser.add_argument("--folder", type=Path, default=told.folder, help="for the results (default: %(default)s)")
    given = vars(parser.parse_args(arguments))
    try:
        return Plan(**given)
    except ValidationError as error:
        parser.error("; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors()))
