"""Deaths and refusals of the disk at any one step, so that each place where a filing can stop is tried."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import Enum, auto

import pytest

#: Every call by which the archive changes the disk, apart from writing into a file that nobody reads yet.
STEPS = ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir", "chmod")


class DeathError(BaseException):
    """The process is killed here: no handler of the program may catch it."""


class Failure(Enum):
    """What happens at the step."""

    DEATH = auto()
    #: The disk refuses this one step.
    ONE_REFUSAL = auto()
    #: The disk refuses this step and all that follow.
    REFUSALS = auto()


class FailingDisk:
    """Counts the steps that a program takes, and fails at the chosen one."""

    def __init__(self, fail_at: int, failure: Failure) -> None:
        self.step_count = 0
        self._fail_at = fail_at
        self._failure = failure

    @property
    def has_failed(self) -> bool:
        return self.step_count >= self._fail_at

    def watch(self, step: Callable[..., object], name: str) -> Callable[..., object]:
        def watched(*args: object, **options: object) -> object:
            self.step_count += 1
            match self._failure:
                case Failure.DEATH if self.has_failed:
                    raise DeathError(name)
                case Failure.REFUSALS if self.has_failed:
                    raise OSError(errno.ENOSPC, "No space left on device")
                case Failure.ONE_REFUSAL if self.step_count == self._fail_at:
                    raise OSError(errno.ENOSPC, "No space left on device")
                case _:
                    return step(*args, **options)

        return watched


@contextmanager
def failing_disk(fail_at: int, failure: Failure) -> Generator[FailingDisk]:
    """Every disk that the program sees fails before its step number ``fail_at``."""
    disk = FailingDisk(fail_at, failure)
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, disk.watch(getattr(os, name), name))
        yield disk
