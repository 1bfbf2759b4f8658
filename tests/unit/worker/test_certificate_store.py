"""What a browser with a HOME of its own inherits, and how it is told which certificate to show without asking."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.options import BrowserOptions, Identity, Secret
from poolwright.worker.browser import certificate_store
from poolwright.worker.errors import CannotStartError

ANNA = Identity(name="anna", chain="", key=Secret(text=""))


def test_all_but_certificates_is_found_where_it_was() -> None:
    inherited = {"HOME": "/home/anna", "PATH": "/bin", "XDG_CONFIG_HOME": "/etc/anna"}

    assert certificate_store.browser_environment(inherited, Path("/home/anna"), Path("/tmp/t/home")) == {
        "HOME": "/tmp/t/home",
        "PATH": "/bin",
        "XAUTHORITY": "/home/anna/.Xauthority",
        "XDG_CACHE_HOME": "/home/anna/.cache",
        "XDG_CONFIG_HOME": "/etc/anna",
        "XDG_DATA_HOME": "/home/anna/.local/share",
    }


def test_a_user_without_a_home_gets_one_for_certificates_alone() -> None:
    assert certificate_store.browser_environment({"PATH": "/bin"}, None, Path("/tmp/t/home")) == {
        "HOME": "/tmp/t/home",
        "PATH": "/bin",
    }


@pytest.mark.parametrize(
    ("origin", "pattern"),
    [("https://portal.test", "https://portal.test:443,*"), ("https://[::1]:8443", "https://[::1]:8443,*")],
)
async def test_it_is_shown_to_the_portal_alone_and_settings_stay(
    origin: str, pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text('{"profile": {"name": "mine"}, "plugins": {}}')

    assert (
        await certificate_store.prepare_certificates(BrowserOptions(identity=ANNA, http_origin=origin), tmp_path)
        is None
    )

    told = json.loads(preferences.read_text())
    assert told["profile"].pop("content_settings") == {
        "exceptions": {"auto_select_certificate": {pattern: {"setting": {"filters": [{"SUBJECT": {"CN": "anna"}}]}}}}
    }
    assert told == {"profile": {"name": "mine"}, "plugins": {}}


async def test_it_is_shown_to_other_hosts_where_settings_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    shared = replace(ANNA, hosts=("sso.test", ".company.test"))

    await certificate_store.prepare_certificates(
        BrowserOptions(identity=shared, http_origin="https://portal.test"), tmp_path
    )

    told = json.loads((tmp_path / "Default" / "Preferences").read_text())
    assert list(told["profile"]["content_settings"]["exceptions"]["auto_select_certificate"]) == [
        "https://portal.test:443,*",
        "https://sso.test,*",
        "https://[*.]company.test,*",
    ]


async def test_settings_that_cannot_be_read_stop_the_launch(tmp_path: Path) -> None:
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text("{")

    with pytest.raises(CannotStartError, match="client_cert"):
        await certificate_store.prepare_certificates(
            BrowserOptions(identity=ANNA, http_origin="https://portal.test"), tmp_path
        )


async def test_without_certificates_a_browser_is_told_nothing(tmp_path: Path) -> None:
    assert await certificate_store.prepare_certificates(BrowserOptions(), tmp_path / "none") is None
    assert not (tmp_path / "none").exists()
