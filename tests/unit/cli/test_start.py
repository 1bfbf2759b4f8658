"""What is settled before anything of the program is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poolwright.cli.main import CommandEntry
from poolwright.cli.start import keep_owner_rights
from poolwright.domain.errors import SetupError


@pytest.mark.parametrize(
    ("umask", "mode"), [(0o777, 0o600), (0o077, 0o600), (0o222, 0o644), (0o022, 0o644), (0, 0o666)]
)
@pytest.mark.skipif(os.name != "posix", reason="Windows knows no umask")
def test_what_is_made_is_its_makers_own_and_as_private_as_was_asked(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        keep_owner_rights()
        (tmp_path / "made").touch(0o666)
    finally:
        os.umask(before)

    assert (tmp_path / "made").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("others", "step"), [("/opt/others", "without PYTHONPATH=/opt/others"), ("", "Reinstall Poolwright")]
)
def test_a_library_that_does_not_fit_is_a_sentence_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, others: str, step: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", others)

    with pytest.raises(SetupError, match=rf"missing or has a wrong version \(ModuleNotFoundError: .*no_such.*{step}"):
        CommandEntry(module="no_such", function="run").load("run")
