"""The sandbox: ``auto`` is on wherever the system gives it, and what it becomes is always explained."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.options import Sandbox
from app.service.sandbox import SandboxFacts, choose_sandbox, has_helper, probe, resolve_sandbox

GOOD = SandboxFacts(is_linux=True, is_root=False, has_namespaces=True, has_helper=False)
linux_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root on Linux to become another user"
)


@pytest.mark.parametrize(
    ("facts", "mode", "why"),
    [
        (GOOD, Sandbox.ON, "allows"),
        (replace(GOOD, has_namespaces=False, has_helper=True), Sandbox.ON, "allows"),
        (replace(GOOD, has_namespaces=False), Sandbox.OFF, "user namespaces"),
        (replace(GOOD, is_root=True), Sandbox.OFF, "root"),
        (replace(GOOD, is_linux=False, has_namespaces=False), Sandbox.ON, "always"),
    ],
)
def test_auto_follows_the_facts(facts: SandboxFacts, mode: Sandbox, why: str) -> None:
    choice = choose_sandbox(Sandbox.AUTO, facts)

    assert choice.mode is mode
    assert why in choice.why


@pytest.mark.parametrize("asked", [Sandbox.ON, Sandbox.OFF])
def test_what_is_asked_plainly_is_never_changed(asked: Sandbox, tmp_path: Path) -> None:
    assert choose_sandbox(asked, replace(GOOD, is_root=True, has_namespaces=False)).mode is asked
    assert resolve_sandbox(asked, tmp_path / "none").mode is asked


def test_auto_never_stays_auto(tmp_path: Path) -> None:
    assert resolve_sandbox(Sandbox.AUTO, tmp_path / "chrome").mode in {Sandbox.ON, Sandbox.OFF}


@linux_root
def test_root_is_seen(tmp_path: Path) -> None:
    assert probe(tmp_path / "chrome").is_root


CHILD = (sys.executable, "-P", "-m", "app.service.sandbox")
UNSHARE = ("unshare", "--user", "--map-root-user")
makes_namespaces = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode != 0,
    reason="needs a system that allows user namespaces",
)


@makes_namespaces
def test_the_probes_child_succeeds_where_namespaces_are_allowed() -> None:
    assert subprocess.run(CHILD, check=False).returncode == 0


@makes_namespaces
def test_the_probes_child_fails_where_they_are_forbidden() -> None:
    script = f"echo 0 > /proc/sys/user/max_user_namespaces; exec {shlex.join(CHILD)}"

    told = subprocess.run([*UNSHARE, "sh", "-c", script], capture_output=True, text=True, check=False)

    assert told.returncode == 1
    assert "No space left" in told.stderr, "the kernel's word for a namespace over the limit"


@linux_root
def test_only_a_setuid_file_of_root_is_a_helper(tmp_path: Path) -> None:
    helper = tmp_path / "chrome-sandbox"
    assert not has_helper(tmp_path)

    helper.write_text("")
    helper.chmod(0o755)
    assert not has_helper(tmp_path)

    helper.chmod(0o4755)
    assert has_helper(tmp_path)

    os.chown(helper, 65534, 65534)
    helper.chmod(0o4755)
    assert not has_helper(tmp_path)
