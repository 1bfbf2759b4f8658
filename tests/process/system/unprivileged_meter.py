"""Measures itself and processes of root, as somebody who may not look into those: ``... unprivileged PID...``."""

from __future__ import annotations

import json
import os
import sys

from poolwright.system.memory_usage import ProcessTreeMeter

NOBODY = 65534

if __name__ == "__main__":
    pids = [int(one) for one in sys.argv[1:]]
    meter = ProcessTreeMeter(lambda: [os.getpid(), *pids])
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    usage = meter.measure()
    os.write(1, json.dumps({"memory_bytes": usage.memory_bytes, "metric": usage.metric}).encode())
