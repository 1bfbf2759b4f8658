"""The compose file: a daemon for this machine alone, and a batch beside it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.deploy_examples import COMPOSE, compose_services, size_bytes

SERVE, RUN = compose_services()["serve"], compose_services()["run"]


def test_the_daemon_is_reached_from_this_machine_alone_and_comes_back() -> None:
    assert SERVE["ports"] == ["127.0.0.1:8484:8484"]
    assert SERVE["restart"] == "unless-stopped"
    assert SERVE["hostname"] == "poolwright"
    assert "profiles" not in SERVE


def test_a_batch_starts_only_when_it_is_asked_for_and_ends() -> None:
    assert RUN["profiles"] == ["batch"]
    assert "restart" not in RUN
    assert "ports" not in RUN
    assert RUN["healthcheck"] == {"disable": True}


def test_both_work_on_the_same_folders_and_none_is_made_by_the_engine() -> None:
    for service in (SERVE, RUN):
        assert {volume["source"]: volume["target"] for volume in service["volumes"]} == {
            "./profiles": "/data/profiles",
            "./out": "/data/out",
            "./in": "/data/in",
        }
        assert all(volume["bind"] == {"create_host_path": False} for volume in service["volumes"])


def test_secrets_come_from_a_file_that_may_be_missing_and_the_image_from_nowhere_else() -> None:
    for service in (SERVE, RUN):
        assert service["env_file"] == [{"path": "./poolwright.env", "required": False}]
        assert (service["image"], service["pull_policy"]) == ("poolwright", "never")


def test_there_is_one_limit_of_memory_and_temporary_files_fit_below_it() -> None:
    for service in (SERVE, RUN):
        assert service["mem_limit"] == service["memswap_limit"]
        assert size_bytes(service["mem_limit"]) > size_bytes("1g")


def test_the_seccomp_profile_leaves_the_browser_its_sandbox_and_shuts_what_leads_out() -> None:
    name = next(item.partition("=")[2] for item in SERVE["security_opt"] if item.startswith("seccomp="))
    profile = json.loads(Path(COMPOSE.parent, name).read_text(encoding="utf-8"))

    refused = [name for rule in profile["syscalls"] for name in rule["names"]]

    assert RUN["security_opt"] == SERVE["security_opt"]
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    assert {(rule["action"], rule["errnoRet"]) for rule in profile["syscalls"]} == {("SCMP_ACT_ERRNO", 1)}
    assert len(refused) == len(set(refused))
    assert {"clone", "clone3", "unshare", "setns", "chroot", "seccomp", "prctl", "ptrace"}.isdisjoint(refused)
    assert {"mount", "fsopen", "move_mount", "pivot_root", "bpf", "keyctl", "io_uring_setup"} <= set(refused)
    assert {"kexec_load", "init_module", "open_by_handle_at", "perf_event_open", "userfaultfd"} <= set(refused)
