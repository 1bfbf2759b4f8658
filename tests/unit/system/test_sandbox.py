"""The sandbox: ``auto`` is on wherever the system gives it, and what it becomes is always explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.options import Sandbox
from poolwright.system.container import Container
from poolwright.system.sandbox import SandboxChoice, choose_sandbox, find_obstacle, resolve_sandbox
from poolwright.system.sandbox_probe import RefusedStep, SandboxFacts

GOOD = SandboxFacts(is_linux=True, is_root=False, refused=None, has_helper=False)
NO_NAMESPACES = replace(GOOD, refused=RefusedStep.NAMESPACE)
NO_CHROOT = replace(GOOD, refused=RefusedStep.CHROOT)
APPARMOR = "kernel.apparmor_restrict_unprivileged_userns=0"


@pytest.mark.parametrize(
    ("facts", "mode", "why"),
    [
        (GOOD, Sandbox.ON, "this system allows it"),
        (replace(NO_NAMESPACES, has_helper=True), Sandbox.ON, "by the browser's setuid helper"),
        (NO_NAMESPACES, Sandbox.OFF, "user namespaces"),
        (NO_CHROOT, Sandbox.OFF, "changing the root"),
        (replace(GOOD, is_root=True), Sandbox.OFF, "root"),
        (replace(GOOD, is_linux=False, refused=RefusedStep.UNKNOWN), Sandbox.ON, "always"),
    ],
)
def test_auto_follows_the_facts(facts: SandboxFacts, mode: Sandbox, why: str) -> None:
    choice = choose_sandbox(Sandbox.AUTO, facts)

    assert choice.mode is mode
    assert why in choice.why
    assert choice.is_notable is (mode is Sandbox.OFF)


@pytest.mark.parametrize("asked", [Sandbox.ON, Sandbox.OFF])
def test_what_is_asked_plainly_is_never_changed(asked: Sandbox, tmp_path: Path) -> None:
    assert choose_sandbox(asked, replace(NO_NAMESPACES, is_root=True)).mode is asked
    assert resolve_sandbox(asked, tmp_path / "none").mode is asked


def test_auto_never_stays_auto(tmp_path: Path) -> None:
    assert resolve_sandbox(Sandbox.AUTO, tmp_path / "chrome").mode in {Sandbox.ON, Sandbox.OFF}


def test_what_stands_in_the_way_of_a_sandbox_that_was_asked_for_is_told() -> None:
    choice = choose_sandbox(Sandbox.ON, NO_CHROOT)

    assert choice.is_notable
    assert choice.sentence.startswith(
        "Chromium's own sandbox is on (as configured), but browsers may fail to start: this system"
    )
    assert not choose_sandbox(Sandbox.ON, GOOD).is_notable


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (SandboxChoice(mode=Sandbox.ON, why="because"), "Chromium's own sandbox is on: because."),
        (SandboxChoice(mode=Sandbox.OFF, why="because"), "The browsers run without Chromium's own sandbox: because."),
    ],
)
def test_mode_and_reason_are_one_sentence(choice: SandboxChoice, sentence: str) -> None:
    assert choice.sentence == sentence


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (NO_NAMESPACES, ["this system forbids user namespaces", "chromium-sandbox"]),
        (replace(NO_NAMESPACES, setting=APPARMOR), ["run `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"]),
        (replace(NO_CHROOT, setting=APPARMOR), ["run `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"]),
        (replace(GOOD, refused=RefusedStep.NAMESPACE_COUNT), ["; run `sysctl user.max_user_namespaces=15000`"]),
        (NO_CHROOT, ["this system's security settings forbid", "chroot"]),
        (replace(NO_CHROOT, has_chroot=False), ["this system's security settings forbid"]),
        (replace(GOOD, refused=RefusedStep.UNKNOWN), ["could not determine", "--sandbox on"]),
        (replace(GOOD, is_root=True), ["run as an ordinary user"]),
    ],
)
def test_outside_of_a_container_settings_of_the_system_are_named(facts: SandboxFacts, words: list[str]) -> None:
    told = find_obstacle(facts)

    assert all(word in told for word in words), told
    assert not any(word in told for word in ("container", "--security-opt", "--cap-add", "--user", "host"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (NO_NAMESPACES, ["the container forbids user namespaces", "--security-opt seccomp=FILE", "seccompProfile"]),
        (
            replace(NO_NAMESPACES, has_chroot=False),
            ["--security-opt seccomp=FILE", ", and --cap-add SYS_CHROOT"],
        ),
        (replace(NO_NAMESPACES, setting=APPARMOR), [f"on the host run `sysctl {APPARMOR}`"]),
        (
            replace(GOOD, refused=RefusedStep.NAMESPACE_COUNT),
            ["on the host run `sysctl user.max_user_namespaces=15000`"],
        ),
        (replace(NO_CHROOT, has_chroot=False), ["SYS_CHROOT", "add it by --cap-add SYS_CHROOT"]),
        (NO_CHROOT, ["the container's seccomp profile forbids", "chroot"]),
        (replace(GOOD, is_root=True), ["--user 10001:10001"]),
    ],
)
def test_in_a_container_the_very_flag_is_named(facts: SandboxFacts, words: list[str]) -> None:
    told = find_obstacle(replace(facts, container=Container.DOCKER))

    assert all(word in told for word in words), told


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (NO_NAMESPACES, "set securityContext.seccompProfile to"),
        (replace(NO_CHROOT, has_chroot=False), "add SYS_CHROOT to securityContext.capabilities"),
        (replace(GOOD, is_root=True), "securityContext.runAsUser"),
    ],
)
def test_in_a_pod_the_very_field_is_named(facts: SandboxFacts, words: str) -> None:
    told = find_obstacle(replace(facts, container=Container.KUBERNETES))

    assert words in told
    assert "--" not in told
