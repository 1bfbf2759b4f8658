"""Which processor a name leads to, and what a person is told when it leads to none."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask
from poolwright.worker.errors import CannotProcessError
from poolwright.worker.processors import purchase_orders
from poolwright.worker.processors.registry import load_processor
from tests.support.packages import install

Author = Callable[[str], str]


@pytest.fixture(name="author")
def _author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    """Writes a module called ``own`` below the test's folder; gives that folder. Afterwards nobody knows the module."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "own", raising=False)

    def write(source: str) -> str:
        (tmp_path / "own.py").write_text(source, encoding="utf-8")
        monkeypatch.delitem(sys.modules, "own", raising=False)
        return str(tmp_path)

    return write


def refusal(name: str, *import_path: str) -> str:
    with pytest.raises(CannotProcessError) as caught:
        load_processor(name, import_path)
    sys.modules.pop("own", None)
    return str(caught.value)


def test_a_shipped_processor_is_found_by_its_name() -> None:
    assert load_processor("po_attachments") is purchase_orders.process


def test_an_own_processor_is_found_in_the_import_path(author: Author) -> None:
    folder = author("async def titles(tab, task):\n    return task.po_number\n")

    found = load_processor("own:titles", (folder,))

    assert getattr(found, "__module__", "") == "own"
    assert sys.path[0] == folder
    sys.modules.pop("own")


async def test_an_own_processor_may_be_an_object_or_half_filled_in(author: Author) -> None:
    folder = author(
        "import functools\n"
        "class Titles:\n    async def __call__(self, tab, task):\n        return 'object'\n"
        "async def whole(depth, tab, task):\n    return depth\n"
        "titles, deep = Titles(), functools.partial(whole, 3)\n"
    )
    task = POTask(task_id=TaskId("own:1"), po_number="1", portal_number="1")

    told = [await functools.partial(load_processor(name, (folder,)), None)(task) for name in ("own:titles", "own:deep")]  # type: ignore[arg-type]

    assert told == ["object", 3]
    sys.modules.pop("own")


def test_the_import_path_comes_before_everything_else(author: Author) -> None:
    folder = author("async def titles(tab, task): ...\n")
    other = Path(folder) / "other"
    other.mkdir()
    (other / "own.py").write_text("async def covers(tab, task): ...\n", encoding="utf-8")

    found = load_processor("own:covers", (str(other), folder))

    assert getattr(found, "__name__", "") == "covers"
    sys.modules.pop("own")


@pytest.mark.parametrize("name", ["titles", "", ":titles", "own:"])
def test_a_name_that_leads_nowhere_is_told(name: str) -> None:
    assert "module:function" in refusal(name)


def test_one_that_a_package_offers_is_found_by_its_name(author: Author) -> None:
    folder = author("")
    install(Path(folder), "shop-prices", "async def save(tab, task): ...\n", prices="shop_prices:save")

    assert getattr(load_processor("prices", (folder,)), "__name__", "") == "save"
    sys.modules.pop("shop_prices")


def test_one_that_a_package_offers_may_stand_inside_a_class(author: Author) -> None:
    folder = author("")
    source = "class Orders:\n    @staticmethod\n    async def save(tab, task): ...\n"
    install(Path(folder), "shop-orders", source, orders="shop_orders:Orders.save")

    assert getattr(load_processor("orders", (folder,)), "__qualname__", "") == "Orders.save"
    sys.modules.pop("shop_orders")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise ValueError('no shop')\n", "(ValueError: no shop)"),
        ("raise SystemExit(3)\n", "(SystemExit: 3)"),
        ("", "(AttributeError: module 'shop_prices' has no attribute 'save')"),
    ],
)
def test_a_package_that_cannot_be_imported_is_named(author: Author, source: str, problem: str) -> None:
    folder = author("")
    install(Path(folder), "shop-prices", source, prices="shop_prices:save")

    told = refusal("prices", folder)
    sys.modules.pop("shop_prices", None)

    assert told == (
        f"The processor 'prices' of the package shop-prices cannot be imported from shop_prices:save {problem}; "
        "fix the package or remove it."
    )


def test_what_a_package_offers_must_be_a_processor_too(author: Author) -> None:
    folder = author("")
    install(Path(folder), "shop-prices", "def save(tab, task): ...\n", prices="shop_prices:save")

    assert refusal("prices", folder) == "'prices' is not a processor: it must be an async function (async def)."
    sys.modules.pop("shop_prices")


def test_a_module_that_is_not_there_is_told_with_the_places_that_were_looked_in(author: Author) -> None:
    folder = author("")

    assert refusal("own_missing:titles", folder) == (
        "The processor 'own_missing:titles' cannot be imported (ModuleNotFoundError: No module named 'own_missing'); "
        f"looked in {folder} and among the installed packages."
    )
    assert "looked in no folder (import_path is empty)" in refusal("own_missing:titles")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("async def titles(tab, task:\n", "SyntaxError: '(' was never closed"),
        ("raise ValueError('first\\nsecond')\n", "ValueError: first)"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_told_with_its_error(
    author: Author, source: str, problem: str
) -> None:
    assert problem in refusal("own:titles", author(source))


def test_a_function_that_is_not_there_is_told_with_its_file(author: Author) -> None:
    folder = author("async def titles(tab, task): ...\n")

    assert refusal("own:title", folder) == f"There is no processor 'own:title': {folder}/own.py has no title."


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def process(tab, task): ...\n", "async def"),
        ("process = 5\n", "async def"),
        ("class process: ...\n", "async def"),
        ("class Titles:\n    def __call__(self, tab, task): ...\nprocess = Titles()\n", "async def"),
        ("async def process(tab): ...\n", "take exactly (tab, task)"),
        ("async def process(tab, task, program): ...\n", "take exactly (tab, task)"),
        ("async def process(*, tab, task): ...\n", "take exactly (tab, task)"),
    ],
)
def test_what_cannot_be_called_as_a_processor_is_none(author: Author, source: str, problem: str) -> None:
    told = refusal("own:process", author(source))

    assert told.startswith("'own:process' is not a processor: it must ")
    assert problem in told
