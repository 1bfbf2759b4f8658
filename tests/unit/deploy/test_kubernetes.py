"""The manifests: one owner for one journal, no retry where none can help, probes that a kubelet can ask."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.support.deploy_examples import FOLDER, MANIFESTS, documents, pods

ALL = [(path.name, document) for path in MANIFESTS for document in documents(path)]
PODS = [(path.name, pod) for path in MANIFESTS for pod in pods(path)]
#: What a person must put right first.
HOPELESS = {ExitCode.USAGE, ExitCode.INPUT, ExitCode.LOGIN, ExitCode.PROFILE}

every_pod = pytest.mark.parametrize("pod", [pod for _, pod in PODS], ids=[name for name, _ in PODS])


def found(file: str, kind: str) -> dict[str, Any]:
    return next(document for document in documents(FOLDER / "kubernetes" / file) if document["kind"] == kind)


def job_of(file: str) -> dict[str, Any]:
    if file == "cronjob.yaml":
        return found(file, "CronJob")["spec"]["jobTemplate"]["spec"]
    return found(file, "Job")["spec"]


@every_pod
def test_a_pod_is_nobody_of_importance(pod: dict[str, Any]) -> None:
    security = pod["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "POOLWRIGHT_PORT is ours"


@every_pod
def test_volumes_are_claims_that_exist_or_come_with_the_example(pod: dict[str, Any]) -> None:
    claims = {document["metadata"]["name"] for document in documents(FOLDER / "kubernetes/storage.yaml")}
    by_name = {volume["name"]: volume for volume in pod["volumes"]}

    assert by_name["profiles"]["persistentVolumeClaim"]["claimName"] in claims
    assert "emptyDir" in by_name["tmp"]
    assert "medium" not in by_name["tmp"]["emptyDir"], "on disk: it costs no memory"
    for volume in pod["volumes"]:
        assert volume.get("persistentVolumeClaim", {"claimName": "poolwright-in"})["claimName"] in claims


def test_claims_are_for_one_node_as_the_locks_of_journal_and_profiles_want() -> None:
    claims = documents(FOLDER / "kubernetes/storage.yaml")

    assert {claim["kind"] for claim in claims} == {"PersistentVolumeClaim"}
    assert all(claim["spec"]["accessModes"] == ["ReadWriteOnce"] for claim in claims)


@every_pod
def test_secrets_come_from_a_secret_and_only_there(pod: dict[str, Any]) -> None:
    for container in pod["containers"]:
        if container["name"] != "import":
            assert container["envFrom"] == [{"secretRef": {"name": "poolwright", "optional": True}}]
        assert not [entry for entry in container.get("env", []) if "PASSWORD" in entry["name"]]


@pytest.mark.parametrize("file", ["job.yaml", "cronjob.yaml"])
def test_a_batch_is_not_tried_again_where_a_person_must_help_and_a_disruption_costs_no_try(file: str) -> None:
    job = job_of(file)
    fails, ignores = job["podFailurePolicy"]["rules"]

    assert fails["action"] == "FailJob"
    assert fails["onExitCodes"]["operator"] == "In"
    assert set(fails["onExitCodes"]["values"]) == HOPELESS
    assert fails["onExitCodes"]["containerName"] in {item["name"] for item in job["template"]["spec"]["containers"]}
    assert ignores["action"] == "Ignore"
    assert ignores["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert job["backoffLimit"] >= 1
    assert job["template"]["spec"]["restartPolicy"] == "Never", "a failure policy needs that"


def test_a_login_is_brought_in_once() -> None:
    job = job_of("import-state.yaml")

    assert job["backoffLimit"] == 0
    assert job["template"]["spec"]["restartPolicy"] == "Never"


def test_runs_of_the_calendar_do_not_meet() -> None:
    spec = found("cronjob.yaml", "CronJob")["spec"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["schedule"].split()[-1] == "1-5"
    assert "timeZone" in spec
    assert spec["startingDeadlineSeconds"] > 0


def test_there_is_one_daemon_and_the_old_one_is_gone_before_the_new_one_starts() -> None:
    spec = found("deployment.yaml", "Deployment")["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["template"]["metadata"]["labels"] == spec["selector"]["matchLabels"]


def test_probes_ask_what_they_are_for_and_leave_time_for_the_first_browsers() -> None:
    (container,) = found("deployment.yaml", "Deployment")["spec"]["template"]["spec"]["containers"]
    startup, live, ready = (container[f"{name}Probe"] for name in ("startup", "liveness", "readiness"))

    assert startup["httpGet"] == live["httpGet"] == {"path": "/healthz", "port": "http"}
    assert ready["httpGet"] == {"path": "/readyz", "port": "http"}
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120
    assert container["ports"] == [{"name": "http", "containerPort": 8484}]


def test_the_service_finds_the_daemon_alone_also_while_it_waits_for_a_login() -> None:
    deployment, service = found("deployment.yaml", "Deployment"), found("deployment.yaml", "Service")
    template = deployment["spec"]["template"]

    assert service["spec"]["selector"] == template["metadata"]["labels"]
    assert service["metadata"]["name"] == template["spec"]["hostname"], "the name that the daemon answers"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["ports"] == [{"name": "http", "port": 8484, "targetPort": "http"}]
    for file in ("job.yaml", "cronjob.yaml", "import-state.yaml"):
        assert job_of(file)["template"]["metadata"]["labels"] != service["spec"]["selector"]


def test_all_run_one_image() -> None:
    images = {container["image"] for _, pod in PODS for container in pod["containers"]}

    assert images == {"poolwright"}
    assert all(document["metadata"]["labels"]["app.kubernetes.io/name"] == "poolwright" for _, document in ALL)
