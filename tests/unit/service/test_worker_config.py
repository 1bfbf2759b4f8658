"""The options of a worker come from the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import PageEvidence, Sandbox
from poolwright.service.pool_config import resolve_worker_config
from poolwright.settings import Settings


@pytest.mark.parametrize("kind", PageEvidence)
def test_workers_file_pages_as_the_settings_say(kind: PageEvidence, tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings(browser_path=browser, sandbox=Sandbox.OFF, page_evidence=kind)

    assert resolve_worker_config(settings, None).worker.page_evidence is kind
