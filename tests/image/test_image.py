"""What the image says of itself, and what is in it."""

from __future__ import annotations

import json

import pytest

from poolwright.version import __version__
from tests.image.containers import podman
from tools.image import IMAGE, SHELL_IMAGE

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("image", [IMAGE, SHELL_IMAGE])
async def test_it_says_how_it_is_to_be_run(image: str) -> None:
    (found,) = json.loads((await podman("image", "inspect", image)).out)
    config = found["Config"]

    assert config["User"] == "10001:10001", "a number: an engine can tell that it is not root"
    assert config["Entrypoint"] == ["/usr/bin/tini", "-s", "--", "poolwright"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["WorkingDir"] == "/data"
    assert set(config["Volumes"]) == {"/data/out", "/data/profiles"}
    assert found["HealthCheck" if "HealthCheck" in found else "Healthcheck"]["Test"] == ["CMD", "poolwright", "health"]
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items() if ".image." in name}
    assert (labels["title"], labels["licenses"], labels["version"]) == ("Poolwright", "MIT", __version__)
    assert labels["description"]
    assert not any(word in one for one in config["Env"] for word in ("PASSWORD", "SECRET", "TOKEN"))


async def test_what_built_it_stays_behind() -> None:
    look = "command -v pip uv gcc git; ls -d /src /opt/tools /data/* 2>/dev/null; ls /opt; id -u; id -g"

    found = (await podman("run", "--rm", "--entrypoint", "sh", IMAGE, "-c", look)).out.split()

    assert found == ["/data/in", "/data/out", "/data/profiles", "poolwright", "10001", "10001"]


async def test_without_a_word_it_says_what_it_can_do() -> None:
    told = await podman("run", "--rm", IMAGE)

    assert told.code == 0
    assert "doctor" in told.out


@pytest.mark.parametrize("image", [IMAGE, SHELL_IMAGE])
async def test_without_a_network_it_brings_the_orders_of_its_own_portal(image: str) -> None:
    strict = ("--network", "none", "--read-only", "--cap-drop", "ALL", "--cap-add", "SYS_CHROOT")
    limits = ("--security-opt", "no-new-privileges", "--memory", "2g", "--memory-swap", "2g")
    orders = ("demo", "--orders", "40" if image == IMAGE else "10", "--out", "/tmp/demo", "--sandbox", "on")

    ended = await podman("run", "--rm", *strict, *limits, image, *orders)

    assert ended.code == 0, ended
    assert f"{orders[2]} of {orders[2]} orders as expected" in ended.out
