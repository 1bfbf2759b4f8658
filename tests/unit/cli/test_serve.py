"""What ``serve`` refuses before anything is found or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Command


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])  # noqa: S104 - it is refused
def test_nobody_opens_a_daemon_to_the_network_by_accident(command: Command, profile: Path, host: str) -> None:
    ended = command("serve", "--host", host)

    assert ended.exit_code == 2
    assert "--allow-remote" in ended.stderr
    assert not (Path.cwd() / "downloads").exists()
