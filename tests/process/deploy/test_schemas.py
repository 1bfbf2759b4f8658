"""The examples are what compose and Kubernetes take, field by field; a field that they do not know is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deploy_examples import COMPOSE, MANIFESTS, documents

BIN = Path(sys.executable).parent
#: The oldest that the examples name, and the newest that the tool knows of those pinned.
KUBERNETES = ("1.31", "1.37")


def compose_verdict(path: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kubernetes_verdict(version: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "kubernetes-validate", "--strict", "--kubernetes-version", version, *paths]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def broken(path: Path, folder: Path, old: str, new: str) -> Path:
    """A copy with one word of it replaced."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    copy = folder / path.name
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def test_the_compose_file_is_one_by_its_specification() -> None:
    verdict = compose_verdict(COMPOSE)

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stop_grace_period:", "stop_grace_periods:"),
        ("cap_drop: [ALL]", "cap_drop: ALL"),
        ("read_only: true", "read_only: {}"),
        ("create_host_path:", "create_host_paths:"),
    ],
)
def test_a_compose_file_with_a_mistake_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert compose_verdict(broken(COMPOSE, tmp_path, old, new)).returncode == 1


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_manifest(version: str) -> None:
    verdict = kubernetes_verdict(version, *MANIFESTS)

    passed = verdict.stdout.count(" passed for resource ")
    assert (verdict.returncode, passed) == (0, sum(len(documents(path)) for path in MANIFESTS)), verdict.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("terminationGracePeriodSeconds:", "terminationGracePeriodSecond:"),
        ("readOnlyRootFilesystem:", "readOnlyRootFileSystem:"),
        ("runAsUser: 10001", "runAsUser: poolwright"),
        ("drop: [ALL]", "dropped: [ALL]"),
    ],
)
def test_a_manifest_with_a_mistake_is_refused(tmp_path: Path, old: str, new: str) -> None:
    copies = [broken(path, tmp_path, old, new) for path in MANIFESTS if path.stem != "storage"]

    verdict = kubernetes_verdict(KUBERNETES[-1], *copies)

    refused = [line for line in verdict.stdout.splitlines() if " did not validate for resource " in line]
    assert verdict.returncode == 1
    assert len(refused) == len(copies) >= 4, verdict.stdout
