"""Containers are known by the marks that their engines leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.system.container import Container, find_container


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        (".dockerenv", Container.DOCKER),
        ("run/.containerenv", Container.PODMAN),
        ("run/systemd/container", Container.OTHER),
        ("var/run/secrets/kubernetes.io/serviceaccount/token", Container.KUBERNETES),
    ],
)
def test_a_file_marks_a_container(tmp_path: Path, mark: str, kind: Container) -> None:
    (tmp_path / mark).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / mark).touch()

    assert find_container(tmp_path) is kind


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        (b"PATH=/bin\0container=podman\0", Container.PODMAN),
        (b"container=lxc\0", Container.OTHER),
        (b"container=\0PATH=/bin\0", None),
        (b"mycontainer=podman\0", None),
        (b"container=podman\0KUBERNETES_SERVICE_HOST=10.0.0.1\0", Container.KUBERNETES),
        (b"", None),
    ],
)
def test_the_first_process_tells_of_a_container(tmp_path: Path, environment: bytes, kind: Container | None) -> None:
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/environ").write_bytes(environment)

    assert find_container(tmp_path) is kind


def test_a_pod_is_told_before_its_engine(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()
    (tmp_path / "var/run/secrets/kubernetes.io").mkdir(parents=True)

    assert find_container(tmp_path) is Container.KUBERNETES


def test_outside_there_is_none(tmp_path: Path) -> None:
    assert find_container(tmp_path) is None
