"""A disk that says no: one kind of step of the system fails, from its n-th call on, for so many calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest


class Faults:
    """Lets calls fail that are about places below ``root``, or about files that are open already."""

    def __init__(self, root: Path, code: int, begin: int, count: int) -> None:
        self._root, self._code, self._begin, self._left = str(root), code, begin, count
        self._seen = 0
        #: Whether any call failed.
        self.have_struck = False

    def watch(self, step: Callable[..., object]) -> Callable[..., object]:
        def watched(place: object, *args: object, **options: object) -> object:
            named = os.fsdecode(place) if isinstance(place, bytes) else str(place)
            if isinstance(place, int) or named.startswith(self._root):
                self._seen += 1
                if self._seen >= self._begin and self._left > 0:
                    self._left -= 1
                    self.have_struck = True
                    raise OSError(self._code, "the disk says no", str(place))
            return step(place, *args, **options)

        return watched


@contextmanager
def failing(module: ModuleType, name: str, faults: Faults) -> Generator[None]:
    """Let a function of the system fail while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, faults.watch(getattr(module, name)))
        yield
