"""What naming and inspecting files costs a worker to import."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["names", "content_type"])
def test_what_a_worker_imports_is_light(module: str) -> None:
    code = f"import poolwright.files.{module}, sys; print('openpyxl' in sys.modules or 'pydantic' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
