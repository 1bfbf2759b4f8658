"""docs/operations/container.md, held against docker itself."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.support.container_page import EVERYWHERE, arguments_of


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker here to ask")
@pytest.mark.parametrize("command", ["run", "build", "exec", "logs", "inspect", "stop"])
def test_docker_knows_every_option(command: str) -> None:
    told = subprocess.run(["docker", command, "--help"], capture_output=True, text=True, check=True).stdout

    for words in EVERYWHERE:
        if words[:2] == ["docker", command]:
            own = arguments_of(words) or []
            engine = words[2 : len(words) - len(own)]
            options = [word.partition("=")[0] for word in engine if word.startswith("--")]
            assert all(re.search(rf"{option}\b", told) for option in options), words
