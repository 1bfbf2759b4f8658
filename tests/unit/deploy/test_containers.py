"""What holds for every container of the examples: who it is, what it may, where it writes, how long it has to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from poolwright.profile.clone import RESERVE_BYTES
from poolwright.service.api.http_server import check_bind_address, is_local_host, request_limits_for
from poolwright.service.capacity import DISK_BYTES_PER_WORKER
from poolwright.settings import Settings, load_settings, variable_name
from poolwright.system.memory_limit import max_worker_count
from tests.support.deploy_examples import COMPOSE, FOLDER, MANIFESTS, Container, containers
from tests.unit.deploy.spoken import understood

#: Browsers and clones take a little longer than the orders in flight.
GRACE_MIN_S = SHUTDOWN_TIMEOUT_MAX_S + 10
#: The places of the image that can be written, and whether they must outlive a container.
PROFILES, OUT, IN, TMP = "/data/profiles", "/data/out", "/data/in", "/tmp"

every_container = pytest.mark.parametrize("container", containers(), ids=lambda container: container.name)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def is_daemon(container: Container) -> bool:
    return container.arguments[:1] == ("serve",)


def test_there_is_a_daemon_and_a_batch_of_each_kind() -> None:
    commands = {container.name: understood(container.arguments) for container in containers()}

    assert commands == {
        "compose.yaml:serve": "poolwright serve",
        "compose.yaml:run": "poolwright run",
        "cronjob.yaml:run": "poolwright run",
        "deployment.yaml:serve": "poolwright serve",
        "import-state.yaml:import": "poolwright profile import-state",
        "job.yaml:run": "poolwright run",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serv"], "No such command"),
        (["profile", "import", "coupa", "state.json"], "No such command"),
        (["run", "orders.xlsx", "--worker-count", "2"], "No such option"),
        (["run", "orders.xlsx", "--workers", "9"], "workers"),
        (["serve", "orders.xlsx"], "extra argument"),
    ],
)
def test_arguments_that_the_program_does_not_take_are_found(arguments: list[str], told: str) -> None:
    with pytest.raises(Exception, match=told):
        understood(arguments)


@every_container
def test_whoever_stops_it_waits_longer_than_orders_in_flight_may_take(container: Container) -> None:
    assert container.grace_s >= GRACE_MIN_S


@every_container
def test_every_variable_is_a_setting_with_a_value_that_is_allowed(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {variable_name(name): name for name in Settings.model_fields}
    for name, value in container.environment.items():
        assert isinstance(value, str), f"{name}: what is no text is written by the reader's own rules"
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert container.environment.keys() <= known.keys()
    assert all(known[name] in settings.model_fields_set for name in container.environment)


@pytest.mark.parametrize("path", [COMPOSE, *MANIFESTS], ids=lambda path: path.name)
def test_no_file_holds_a_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not [line for line in text.splitlines() if "PASSWORD" in line and not line.startswith("#")]
    assert "TOTP" not in text


@every_container
def test_it_runs_as_the_user_of_the_image_and_gains_nothing(container: Container) -> None:
    assert (container.user_id, container.group_id) == (10001, 10001)
    assert container.drops == {"ALL"}
    assert container.adds == {"SYS_CHROOT"}
    assert not container.can_gain_privileges


@every_container
def test_it_can_write_in_the_documented_places_alone(container: Container) -> None:
    assert container.has_fixed_root
    assert container.places.keys() <= {PROFILES, OUT, IN, TMP}
    assert container.places.keys() >= {PROFILES, IN, TMP}
    assert (OUT in container.places) is (container.arguments[0] in {"serve", "run"})
    assert not any(container.places[place] for place in container.places.keys() - {IN})
    assert container.places[IN] is not is_daemon(container), "an inbox is sorted, a list is only read"


@every_container
def test_what_it_reads_lies_where_lists_are(container: Container) -> None:
    paths = [word for word in (*container.arguments, *container.environment.values()) if word.startswith("/")]

    assert all(path == IN or path.startswith(f"{IN}/") for path in paths)


@every_container
def test_memory_and_room_are_enough_for_its_workers(container: Container) -> None:
    tabs = int(container.environment.get("POOLWRIGHT_TABS_PER_WORKER", "1"))
    workers = int(container.environment.get("POOLWRIGHT_WORKERS", "1"))

    assert max_worker_count(container.memory_bytes, 0.75, tabs) >= workers
    assert container.tmp_bytes >= max(1024**3, RESERVE_BYTES + workers * DISK_BYTES_PER_WORKER)


@pytest.mark.parametrize("container", list(filter(is_daemon, containers())), ids=lambda container: container.name)
def test_a_daemon_answers_addresses_in_figures_and_its_own_name(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: container.host_name)
    host = container.environment["POOLWRIGHT_HOST"]
    check_bind_address(host, allows_remote=container.environment["POOLWRIGHT_ALLOW_REMOTE"] == "true")

    limits = request_limits_for(host, 1)

    assert not is_local_host(host)
    assert limits.takes_addresses, "a probe of Kubernetes asks by the pod's address"
    assert "poolwright" in limits.hosts


def test_the_examples_name_no_file_that_is_not_there() -> None:
    for path in (COMPOSE, *MANIFESTS):
        words = path.read_text(encoding="utf-8").split()
        named = [word.strip("`.,;:") for word in words if word.startswith("deploy/")]
        assert all((FOLDER.parent / name).is_file() for name in named), named
