"""Kinds of values that more than one setting has, or that are more than a number or a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from poolwright.domain.options import WORKER_COUNT_MAX, WORKER_COUNT_MIN
from poolwright.settings.checks import names_of_hosts, user_path
from poolwright.settings.face import Face

WorkerCount: TypeAlias = Annotated[int, Field(ge=WORKER_COUNT_MIN, le=WORKER_COUNT_MAX)] | Literal["auto"]
WORKERS_ALLOWED = f"a whole number from {WORKER_COUNT_MIN} to {WORKER_COUNT_MAX}, or auto"
UserPath = Annotated[Path, BeforeValidator(user_path)]
HostNames: TypeAlias = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(names_of_hosts),
    Face(default="none", allowed="names of hosts, with commas between"),
]
