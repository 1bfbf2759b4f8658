"""A pack that was learned from saved pages brings every file of its portal, of orders that were never shown too."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.learn.learner import learn, seen_pages
from tests.browser.learn.bringing import brings_every_file
from tests.support.calling_portals import TAUGHT_NAMES, portal_by_name
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario
from tests.support.taught_pages import observed, shown_pages
from tests.support.taught_portals import serving_taught

pytestmark = [needs_chromium, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("name", TAUGHT_NAMES)
async def test_every_file_comes_by_its_sha256(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with serving_taught(portal_by_name(name)) as portal:
        observations, sources = observed(shown_pages(portal))
        pack = learn(name, observations, seen_pages(observations, sources)).pack
        await brings_every_file(pack, portal, tmp_path, open_scenario)
