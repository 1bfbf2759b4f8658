"""The tools for the author of a pack, as typed: an order is probed; pages are saved and judged without a portal."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import anyio
import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.portal import SHELL
from tests.system.cli.test_real import left_in, poolwright

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("program")]


def set_up(program: Path, monkeypatch: pytest.MonkeyPatch, portal: PortalClient, *, password: str = "") -> None:
    """Set what the commands need to reach the portal."""
    monkeypatch.setenv("POOLWRIGHT_RUNS_DIR", str(program / "r"))
    monkeypatch.setenv("POOLWRIGHT_BROWSER_PATH", SHELL or "")
    monkeypatch.setenv("POOLWRIGHT_BASE_URL", portal.url)
    monkeypatch.setenv("POOLWRIGHT_USER", portal.user)
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", password or portal.password)


async def test_an_order_is_probed_and_saved_pages_are_judged_again_when_the_portal_is_gone(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_portal() as portal:
        set_up(program, monkeypatch, portal)
        truth = await portal.truth()
        full = next(number for number, one in truth.items() if one.reason_hint == "all_saved")
        empty = next(number for number, one in truth.items() if one.reason_hint == "none_listed")
        await probe_orders(program, full)
        await record_pages(program, portal.password, full, empty, [one.name for one in truth[full].attachments])

        monkeypatch.setenv("POOLWRIGHT_PASSWORD", "wrong")
        done, said = await poolwright("portal", "probe", "demo", full)
        assert done.returncode == ExitCode.LOGIN, said
        assert "Login check" in said

    done, said = await poolwright("portal", "probe", "demo", full)
    assert done.returncode == ExitCode.RESOURCES, said
    await replay_pages(program, full)
    assert left_in(program / "r") == []


async def probe_orders(program: Path, full: str) -> None:
    """An order with files is shown with what decided; one that does not exist is told to a program."""
    done, said = await poolwright("portal", "probe", "demo", full)
    assert done.returncode == ExitCode.DONE, said
    assert "session_lost: triage.session_lost.address '^/sessions/new' matches" in " ".join(said.split())
    assert "ready: triage.ready.selector '#order_header_show' matches" in " ".join(said.split())
    assert (program / "probe" / full / "page.png").read_bytes().startswith(b"\x89PNG")

    done, said = await poolwright("portal", "probe", "demo", "11111111", "--json", "--to", "other")
    assert done.returncode == ExitCode.NOT_ALL_DONE, said
    check, order = (json.loads(line) for line in done.stdout.splitlines())
    assert (check["number"], order["number"]) == (None, "11111111")
    assert order["found"]["verdict"] == "not_found"
    assert order["found"]["marks"][0]["key"] == "triage.not_found.status"
    await anyio.to_thread.run_sync(shutil.rmtree, program / "probe")


async def record_pages(program: Path, password: str, full: str, empty: str, names: list[str]) -> None:
    """Pages of orders and of the login check are saved, without cookies and passwords."""
    done, said = await poolwright("portal", "record", "demo", full, empty, "11111111", "--to", "pages")
    assert done.returncode == ExitCode.DONE, said
    saved = [path for path in (program / "pages").rglob("*") if path.is_file()]
    assert sorted(path.parent.name for path in saved if path.suffix == ".png") == sorted(
        [full, empty, "11111111", "login-check"]
    )
    secrets = (password, "_demo_session")
    assert not [path for path in saved if any(secret.encode() in path.read_bytes() for secret in secrets)]
    expected = (program / "pages" / full / "expected.toml").read_text(encoding="utf-8")
    assert all(json.dumps(name, ensure_ascii=False) in expected for name in names if name == name.strip())


async def replay_pages(program: Path, full: str) -> None:
    """The pages are as expected by the pack that saved them, and not by a worse one."""
    done, said = await poolwright("portal", "replay", "demo", "pages")
    assert done.returncode == ExitCode.DONE, said
    assert "4 pages, all as expected." in said

    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    (program / "worse.toml").write_text(text.replace("a.attachment_link", "a.gone"), encoding="utf-8")
    done, said = await poolwright("portal", "replay", "./worse.toml", "pages")
    assert done.returncode == ExitCode.NOT_ALL_DONE, said
    assert f"Order {full}: Files that are not found: " in said
