"""Something that happens in the middle of a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.profile import clone as cloning
from poolwright.profile.clone import CopiedFile, SourceFile

Copy = Callable[[Path, Path, SourceFile], CopiedFile]


def after_first_copy(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, times: int = 1) -> None:
    """Have `act` happen in the middle of the first `times` copies: after their first file."""
    copy: Copy = cloning._copy_file
    sources: list[Path] = []

    def copy_and_act(source: Path, file: Path, entry: SourceFile) -> CopiedFile:
        copied = copy(source, file, entry)
        sources.append(source)
        if source == sources[0] and sources.count(source) <= times:
            act()
        return copied

    monkeypatch.setattr(cloning, "_copy_file", copy_and_act)
