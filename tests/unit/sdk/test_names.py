"""What a processor's name leads to, as far as it can be told without importing anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.sdk.discovery import (
    BuiltInProcessor,
    ModuleProcessor,
    PackageProcessor,
    find_processor,
    package_processors,
)
from tests.support.packages import install


@pytest.fixture(name="site")
def _site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_the_name_of_a_shipped_one_is_ours() -> None:
    assert find_processor("po_attachments") == BuiltInProcessor(name="po_attachments")


def test_a_module_and_function_are_told_apart() -> None:
    assert find_processor("shop.prices:save") == ModuleProcessor(
        name="shop.prices:save", module="shop.prices", function="save"
    )


def test_a_name_that_a_package_offers_leads_to_it_and_imports_nothing(site: Path) -> None:
    install(site, "shop-prices", "raise AssertionError('imported')\n", prices="shop_prices:save")

    found = find_processor("prices")

    assert isinstance(found, PackageProcessor)
    assert (found.name, found.package, found.entry.value) == ("prices", "shop-prices", "shop_prices:save")
    assert "shop_prices" not in sys.modules


def test_an_unknown_name_is_refused_with_what_there_is(site: Path) -> None:
    install(site, "shop-prices", prices="shop_prices:save", labels="shop_prices:labels")

    with pytest.raises(OptionsError) as caught:
        find_processor("price")

    assert str(caught.value) == (
        "Unknown processor 'price'. Available: po_attachments, labels (of shop-prices), prices (of shop-prices). "
        "Name your own as module:function."
    )


def test_a_name_that_two_packages_offer_is_refused_with_both(site: Path) -> None:
    install(site, "shop-a", prices="shop_a:save")
    install(site, "shop-b", prices="shop_b:save")

    with pytest.raises(OptionsError) as caught:
        find_processor("prices")

    assert str(caught.value) == (
        "The processor 'prices' is provided by the package shop-a and the package shop-b. Remove one of them, or name "
        "the function that you mean as module:function."
    )


def test_a_package_that_takes_a_name_of_ours_is_refused(site: Path) -> None:
    install(site, "impostor", po_attachments="impostor:steal")

    with pytest.raises(OptionsError, match=r"is provided by Poolwright itself and the package impostor"):
        find_processor("po_attachments")


def test_a_package_that_is_found_in_two_places_is_one(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "shop-a", prices="shop_a:save")
    other = install(site / "other", "shop-a", prices="shop_a:save")
    monkeypatch.setattr(sys, "path", [str(other), *sys.path])

    assert [offer.package for offer in package_processors()] == ["shop-a"]
    assert find_processor("prices")


@pytest.mark.parametrize("name", [":save", "shop:", "shop:save.all", "shop-prices:save", "shop..x:save", "a:b:c", ":"])
def test_what_is_no_module_and_function_is_refused(name: str) -> None:
    with pytest.raises(
        OptionsError, match=r"^Invalid processor name '.*': expected module:function or package\.module:function\.$"
    ):
        find_processor(name)


def test_an_empty_name_is_none() -> None:
    with pytest.raises(OptionsError, match="Unknown processor ''"):
        find_processor("")
