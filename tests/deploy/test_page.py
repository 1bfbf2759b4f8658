"""docs/container.md: every command in it is right, and its numbers are the program's own."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from app.memory.fit import TAB_BYTES, WORKER_BYTES, worker_count_that_fits
from app.service.out import JOURNAL_NAME
from app.settings import Settings, variable
from tests.deploy.containers import COMPOSE, MANIFESTS, compose_services, containers, documents
from tests.deploy.spoken import understood
from tests.support.paths import ROOT

PAGE = ROOT / "docs/container.md"
TEXT = PAGE.read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

_FENCED = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^#   ((?:docker|kubectl|mkdir) .*?)(?:  +#.*)?$", re.MULTILINE)


def typed(text: str) -> list[list[str]]:
    """Each command of a text as its words; a line that ends with a backslash goes on."""
    return [shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def commands_of_examples() -> list[list[str]]:
    """Those that the comments of the examples give."""
    texts = [path.read_text(encoding="utf-8") for path in (COMPOSE, *MANIFESTS)]
    return [words for text in texts for words in typed("\n".join(_TYPED.findall(text.replace("\\\n#", ""))))]


COMMANDS = [words for block in _FENCED.findall(TEXT) for words in typed(block)]
EVERYWHERE = [*COMMANDS, *commands_of_examples()]


def behind_options(words: Sequence[str]) -> list[str]:
    """What comes behind the options of docker, which all stand as one word with their value."""
    return list(words[next(index for index, word in enumerate(words) if not word.startswith("-")) :])


def arguments_of(words: list[str]) -> list[str] | None:
    """What a line gives to our program, if it starts it."""
    match words:
        case ["docker", "run", *rest]:
            image, *arguments = behind_options(rest)
            assert image == "poolwright"
        case ["docker", "compose", "run", *rest]:
            service, *given = behind_options(rest)
            arguments = given or list(compose_services()[service]["command"])
        case (
            ["poolwright", *arguments]
            | ["docker", "exec", "poolwright", "poolwright", *arguments]
            | ["docker", "compose", "exec", "serve", "poolwright", *arguments]
            | ["kubectl", "exec", "deployment/poolwright", "--", "poolwright", *arguments]
        ):
            pass
        case _:
            return None
    return arguments


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
    known = {variable(name) for name in Settings.model_fields}

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
    assert all(worker_count_that_fits(count * 1024**3, 0.75, 2) >= count for count in range(1, 9))


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
