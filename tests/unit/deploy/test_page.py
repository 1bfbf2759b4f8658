"""docs/operations/container.md: every command in it is right, and its numbers are the program's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.settings import Settings, variable_name
from poolwright.system.memory_limit import TAB_BYTES, WORKER_BYTES, max_worker_count
from tests.support.container_page import COMMANDS, EVERYWHERE, TEXT, arguments_of
from tests.support.deploy_examples import MANIFESTS, compose_services, containers, documents
from tests.support.paths import ROOT
from tests.unit.deploy.spoken import understood

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def started() -> list[list[str]]:
    return [arguments for words in EVERYWHERE if (arguments := arguments_of(words)) is not None]


@pytest.mark.parametrize("arguments", started(), ids=" ".join)
def test_the_program_takes_every_command(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert understood(arguments).startswith("poolwright ")


def test_all_ways_to_start_it_are_shown() -> None:
    shown = {understood(arguments) for arguments in started()}

    assert {"poolwright run", "poolwright serve", "poolwright doctor", "poolwright submit"} <= shown
    assert {"poolwright profile import-state", "poolwright profile login", "poolwright status"} <= shown


def test_the_lines_for_docker_say_what_the_compose_file_says() -> None:
    lines = {"serve" if "serve" in words else "run": words for words in COMMANDS if words[:2] == ["docker", "run"]}

    assert lines.keys() == {"run", "serve"}
    for name, service in compose_services().items():
        options = {word.partition("=")[0]: word.partition("=")[2] for word in lines[name] if word.startswith("--")}
        (tmpfs,) = service["tmpfs"]
        assert options["--tmpfs"] == tmpfs
        assert (options["--memory"], options["--memory-swap"]) == (service["mem_limit"], service["memswap_limit"])
        assert (options["--cap-drop"], options["--cap-add"]) == ("ALL", "SYS_CHROOT")
        assert f"{options['--stop-timeout']}s" == service["stop_grace_period"]
        assert "--read-only" in options
        assert "--security-opt=no-new-privileges" in lines[name]
        assert "--security-opt=seccomp=deploy/seccomp.json" in lines[name]
        assert [word for word in lines[name] if word.startswith("--volume")] == [
            f"--volume=$PWD/{volume['source'].removeprefix('./')}:{volume['target']}"
            + (":ro" if volume.get("read_only") else "")
            for volume in service["volumes"]
        ]
    daemon = compose_services()["serve"]
    assert f"--publish={daemon['ports'][0]}" in lines["serve"]
    assert f"--hostname={daemon['hostname']}" in lines["serve"]
    assert {word for word in lines["serve"] if word.startswith("--env=")} == {
        f"--env={name}={daemon['environment'][name]}" for name in ("POOLWRIGHT_HOST", "POOLWRIGHT_ALLOW_REMOTE")
    }


def test_files_and_objects_that_kubectl_is_given_exist() -> None:
    made = {f"{item['kind'].lower()}/{item['metadata']['name']}" for path in MANIFESTS for item in documents(path)}
    files = [word for words in EVERYWHERE for word in words if word.startswith(("--filename=", "deploy/"))]
    named = [word for words in EVERYWHERE if words[0] == "kubectl" for word in words[1:] if "/" in word]
    objects = [word.rpartition("=")[2] for word in named if not word.endswith(".yaml")]

    assert files
    assert all((ROOT / file.removeprefix("--filename=")).is_file() for file in files)
    assert objects
    assert set(objects) <= made


def test_every_setting_that_is_named_is_one() -> None:
    known = {variable_name(name) for name in Settings.model_fields}

    assert set(re.findall(r"\bPOOLWRIGHT_[A-Z_]+", TEXT)) <= known


def test_places_and_grace_are_those_of_the_examples() -> None:
    places = {place for container in containers() for place in container.places}
    table = set(re.findall(r"^\| `(/\S+)` \|", TEXT, re.MULTILINE))

    assert table == places
    assert f"at least {SHUTDOWN_TIMEOUT_MAX_S + 10:.0f} s" in TEXT
    assert {container.grace_s for container in containers()} == {90.0}
    assert JOURNAL_NAME.removesuffix(".db") in TEXT


def test_the_rule_for_memory_is_what_the_program_reckons() -> None:
    assert f"about {WORKER_BYTES // 10**6} MB, and {TAB_BYTES // 10**6} MB" in TEXT
    assert all(max_worker_count(count * 1024**3, 0.75, 2) >= count for count in range(1, 9))


def test_build_arguments_are_those_of_the_image() -> None:
    arguments = set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))
    given = {word.split("=")[1] for words in COMMANDS for word in words if word.startswith("--build-arg=")}

    assert given
    assert given <= arguments
    assert [name for name in sorted(arguments) if f"`{name}`" not in TEXT] == []


def test_the_page_and_the_image_speak_of_the_same_user() -> None:
    assert "USER 10001:10001" in DOCKERFILE
    assert "sudo chown -R 10001:10001 profiles out in" in TEXT
    assert re.search(r'^ENTRYPOINT \["(/usr/bin/)?tini", "-s", "--", "poolwright"\]', DOCKERFILE, re.MULTILINE)
