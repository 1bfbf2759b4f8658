"""Every container of the examples for compose and Kubernetes, in the same words for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

FOLDER = ROOT / "deploy"
COMPOSE = FOLDER / "compose.yaml"
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))

_UNITS = {"g": 1024**3, "Gi": 1024**3, "m": 1024**2, "Mi": 1024**2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One of them."""

    #: ``job.yaml:run``.
    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    #: Whether nothing can be written there, by the path within the container.
    places: Mapping[str, bool]
    grace_s: float
    user_id: int
    group_id: int
    memory_bytes: int
    tmp_bytes: int
    #: Capabilities that are taken away, and given back.
    drops: frozenset[str]
    adds: frozenset[str]
    has_fixed_root: bool
    can_gain_privileges: bool
    host_name: str
    #: The whole of it as it is written; of Kubernetes, its pod.
    raw: Mapping[str, Any] = field(repr=False)


@cache
def containers() -> tuple[Container, ...]:
    """All of them."""
    return (*_of_compose(), *_of_kubernetes())


def documents(path: Path) -> list[dict[str, Any]]:
    """What a file of manifests holds."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def pods(path: Path) -> Iterator[dict[str, Any]]:
    """The pods that a file of manifests describes."""
    for document in documents(path):
        spec = document["spec"]
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]["spec"]


def compose_services() -> dict[str, dict[str, Any]]:
    """The services of the compose file."""
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def size_bytes(text: str) -> int:
    """``3g`` and ``3Gi`` alike."""
    number = text.rstrip("".join(_UNITS))
    return int(number) * _UNITS[text.removeprefix(number)]


def _of_compose() -> Iterator[Container]:
    for name, service in compose_services().items():
        user, _, group = service["user"].partition(":")
        (tmpfs,) = service["tmpfs"]
        place, _, asked = tmpfs.partition(":")
        options = dict(option.partition("=")[::2] for option in asked.split(","))
        assert options["mode"] == "1777", "whoever the user is can write there"
        yield Container(
            name=f"compose.yaml:{name}",
            arguments=tuple(service["command"]),
            environment=service["environment"],
            places={place: False} | {volume["target"]: volume.get("read_only", False) for volume in service["volumes"]},
            grace_s=float(service["stop_grace_period"].removesuffix("s")),
            user_id=int(user),
            group_id=int(group),
            memory_bytes=size_bytes(service["mem_limit"]),
            tmp_bytes=size_bytes(options["size"]),
            drops=frozenset(service["cap_drop"]),
            adds=frozenset(service["cap_add"]),
            has_fixed_root=service["read_only"],
            can_gain_privileges="no-new-privileges:true" not in service["security_opt"],
            host_name=service.get("hostname", ""),
            raw=service,
        )


def _of_kubernetes() -> Iterator[Container]:
    for path in MANIFESTS:
        for pod in pods(path):
            for container in pod["containers"]:
                yield _of_pod(path.name, pod, container)


def _of_pod(file: str, pod: dict[str, Any], container: dict[str, Any]) -> Container:
    user, security = pod["securityContext"], container["securityContext"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = container["volumeMounts"]
    assert {mount["name"] for mount in mounts} == volumes.keys(), "every volume is mounted, and no other"
    (tmp,) = (volume["emptyDir"] for volume in volumes.values() if "emptyDir" in volume)
    return Container(
        name=f"{file}:{container['name']}",
        arguments=tuple(container["args"]),
        environment={entry["name"]: entry["value"] for entry in container.get("env", [])},
        places={mount["mountPath"]: mount.get("readOnly", False) for mount in mounts},
        grace_s=pod["terminationGracePeriodSeconds"],
        user_id=user["runAsUser"],
        group_id=user["fsGroup"],
        memory_bytes=size_bytes(container["resources"]["limits"]["memory"]),
        tmp_bytes=size_bytes(tmp["sizeLimit"]),
        drops=frozenset(security["capabilities"]["drop"]),
        adds=frozenset(security["capabilities"]["add"]),
        has_fixed_root=security["readOnlyRootFilesystem"],
        can_gain_privileges=security["allowPrivilegeEscalation"],
        host_name=pod.get("hostname", ""),
        raw=pod,
    )
