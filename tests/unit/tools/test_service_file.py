"""The service file of systemd holds words that systemd knows, and times that fit the program's own."""

from __future__ import annotations

import re

from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from tests.support.paths import ROOT

FILE = ROOT / "deploy/poolwright.service"

#: From systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5).
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        *("Type", "NotifyAccess", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus"),
        *("SuccessExitStatus", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec", "KillMode", "OOMPolicy"),
        *("User", "WorkingDirectory", "StateDirectory", "StateDirectoryMode", "EnvironmentFile", "UMask"),
        *("LimitNOFILE", "NoNewPrivileges", "CapabilityBoundingSet", "PrivateTmp", "PrivateDevices", "ProtectSystem"),
        *("ReadWritePaths", "ProtectHome", "ProtectClock", "ProtectHostname", "ProtectKernelLogs"),
        *("ProtectKernelModules", "ProtectControlGroups", "RestrictAddressFamilies", "RestrictRealtime"),
        *("RestrictSUIDSGID", "LockPersonality"),
    },
    "Install": {"WantedBy"},
}
#: What Chromium's own sandbox, or its script engine, cannot live with.
HARMFUL = {"RestrictNamespaces", "SystemCallFilter", "MemoryDenyWriteExecute", "PrivateUsers", "PrivateNetwork"}


def entries() -> dict[str, dict[str, str]]:
    """Every key by its section, each given once."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = found.setdefault(match[1], {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            assert key not in section, key
            section[key] = value
    return found


def test_every_key_is_one_that_systemd_knows() -> None:
    for section, keys in entries().items():
        assert keys.keys() <= KNOWN[section]


def test_nothing_stands_in_the_way_of_the_browsers_own_sandbox() -> None:
    assert HARMFUL.isdisjoint(entries()["Service"])
    assert {"AF_UNIX", "AF_INET", "AF_INET6"} <= set(entries()["Service"]["RestrictAddressFamilies"].split())


def test_systemd_waits_longer_than_orders_in_flight_may_take() -> None:
    service = entries()["Service"]

    assert int(service["TimeoutStopSec"]) >= SHUTDOWN_TIMEOUT_MAX_S + 20
    assert service["KillMode"] == "mixed"
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 0
