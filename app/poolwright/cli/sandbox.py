"""What is told of Chromium's own sandbox: to a person where it is off or in doubt, to the log always."""

from __future__ import annotations

from poolwright.domain.events import Level, Notice
from poolwright.service.pool_config import WorkerConfig


def sandbox_notice(crew: WorkerConfig) -> tuple[str, ...]:
    """What a person is told when browsers run without their sandbox, or may not start because of it."""
    return (crew.sandbox.sentence,) if crew.sandbox.is_worth_telling else ()


def sandbox_record(crew: WorkerConfig) -> tuple[Notice, ...]:
    """What only the log is told: that it is on, and why."""
    return () if crew.sandbox.is_worth_telling else (Notice(level=Level.INFO, text=crew.sandbox.sentence),)
