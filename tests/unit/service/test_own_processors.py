"""How a processor of the user's own is found, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.sdk.discovery import locate_processor
from poolwright.service.library import open_pool
from tests.support.packages import install


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("prices", r"Unknown processor 'prices'\. Available: po_attachments"),
        ("prices:", "Invalid processor name 'prices:'"),
        ("no_such_shop.prices:save", "no module no_such_shop is in"),
        ("cheap", "is provided by the package shop-a and the package shop-b"),
    ],
)
async def test_a_name_that_leads_nowhere_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    for package in ("shop-a", "shop-b"):
        install(tmp_path / "packages", package, cheap=f"{package.replace('-', '_')}:save")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages"), *sys.path])

    with pytest.raises(OptionsError, match=problem):
        async with open_pool(name, out=tmp_path / "out"):
            pytest.fail("it runs")

    assert not (tmp_path / "out").exists()


def test_a_module_of_the_user_is_looked_for_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop_of_mine").mkdir()
    (tmp_path / "shop_of_mine" / "__init__.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    located = locate_processor("shop_of_mine.prices:save")

    assert (located.name, located.import_path) == ("shop_of_mine.prices:save", (str(tmp_path),))
    assert "shop_of_mine" not in sys.modules
