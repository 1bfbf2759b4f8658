"""The policy is a function: it changes no state that it was given, and decides the same each time."""

from __future__ import annotations

from copy import deepcopy

from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import PoolInput
from poolwright.supervisor.policy.state import PoolState
from tests.contract.supervisor.test_policy import Policy
from tests.support.pace import LONG_WALKS


class Purity(Policy):
    """The same walks; every state is kept with a copy from before anything was decided about it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = list[tuple[PoolState, PoolState]]()

    def tell(self, fact: PoolInput) -> None:
        self.kept.append((self.state, deepcopy(self.state)))

        assert decide(self.state, fact) == decide(deepcopy(self.state), deepcopy(fact))

        super().tell(fact)

    def teardown(self) -> None:
        assert all(state == copy for state, copy in self.kept)


Purity.TestCase.settings = LONG_WALKS
TestPurity = Purity.TestCase
