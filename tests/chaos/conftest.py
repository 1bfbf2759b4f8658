"""Options of a storm: ``make chaos ARGS="--seed 7 --orders 300 --kills 60"``."""

from __future__ import annotations

import pytest

from tests.support.storm.accidents import make_storm

#: Seeds of a storm when none is named.
SEEDS = (1, 2, 3)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options of a storm."""
    storm = parser.getgroup("storm")
    storm.addoption("--seed", type=int, action="append", help="a storm to make; may be given again (default: 1, 2, 3)")
    storm.addoption("--orders", type=int, default=300, help="orders of the list (default: 300)")
    storm.addoption("--kills", type=int, default=60, help="processes that are killed or frozen (default: 60)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one storm of each seed."""
    if "storm" in metafunc.fixturenames:
        told = metafunc.config.option
        storms = [make_storm(seed=seed, order_count=told.orders, kill_count=told.kills) for seed in told.seed or SEEDS]
        metafunc.parametrize("storm", storms, ids=lambda storm: f"seed-{storm.seed}")
