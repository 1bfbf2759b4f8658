"""How long a property may take, and how many examples it gets.

As long as a busy machine needs: results tell what is wrong, time does not. Every day each property sees a few new
examples, which differ from run to run; HYPOTHESIS_PROFILE=deep asks for many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: Examples of a property, runs of a machine of many steps, and the steps of one run.
_PROFILES = {"everyday": (20, 25, 50), "deep": (500, 300, 60)}
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "everyday")  # noqa: TID251 - of the tests, no setting of the program
_EXAMPLES, _RUNS, _STEPS = _PROFILES[_PROFILE]

UNHURRIED = settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: For machines of rules, which go a long way in each run.
LONG_WALKS = settings(UNHURRIED, max_examples=_RUNS, stateful_step_count=_STEPS)
#: For those whose every step asks a journal on the disk.
WALKS_ON_DISK = settings(UNHURRIED, max_examples=max(_RUNS // 3, 8), stateful_step_count=_STEPS // 2)
