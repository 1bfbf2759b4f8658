"""The image is there when these tests begin: ``make image-test`` builds it, in a store of its own."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _lab() -> None:
    if "CONTAINERS_STORAGE_CONF" not in os.environ:  # noqa: TID251 - the lab's, not the program's
        pytest.fail("These tests need the image that `make image-test` builds; run that.")
