"""A step of ``make image-test`` that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import image
from tools.bootstrap import SetupError


def test_a_step_that_fails_ends_with_its_last_words(tmp_path: Path) -> None:
    lab = image.Lab(folder=tmp_path)

    with pytest.raises(SetupError, match=r"(?s)no room\n`sh -c .*` failed with exit code 3"):
        lab.run("sh", "-c", "echo no room; exit 3")
