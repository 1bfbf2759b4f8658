"""The options of a worker come from the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import PageEvidence, Sandbox
from poolwright.portal import pack as packs
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy
from poolwright.service.pool_config import is_login_of_browser, resolve_worker_config
from poolwright.service.portals.portal_config import PortalConfig
from poolwright.settings import Settings
from tests.support.login_portals import login_pack


@pytest.mark.parametrize("kind", PageEvidence)
def test_workers_file_pages_as_the_settings_say(kind: PageEvidence, tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings(browser_path=browser, sandbox=Sandbox.OFF, page_evidence=kind)

    assert resolve_worker_config(settings, None).worker.page_evidence is kind


@pytest.mark.parametrize(
    ("wanted", "rules"),
    [
        ({}, (ArchivePolicy.KEEP, MailPolicy.KEEP, False)),
        ({"unpack_archives": True}, (ArchivePolicy.BESIDE, MailPolicy.KEEP, False)),
        ({"unpack_mails": True}, (ArchivePolicy.KEEP, MailPolicy.UNPACK, False)),
        ({"mail_pdf": True}, (ArchivePolicy.KEEP, MailPolicy.KEEP, True)),
    ],
)
def test_workers_open_archives_and_mails_as_the_settings_say(
    wanted: dict[str, bool], rules: tuple[ArchivePolicy, MailPolicy, bool], tmp_path: Path
) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings.model_validate({"browser_path": browser, "sandbox": Sandbox.OFF, **wanted})
    site = PortalConfig(pack=packs.load("coupa"), base_url="https://x.example")

    portal = resolve_worker_config(settings, site).worker.portal

    assert portal is not None
    attachments = packs.parse_json(portal.pack_json).attachments
    assert (attachments.archive, attachments.mail, attachments.mail_pdf) == rules


@pytest.mark.parametrize(
    ("rules", "expected"),
    [("", False), ('scheme = "basic"', False), ('scheme = "ntlm"', True), ('scheme = "digest"', True)],
)
def test_the_browser_fetches_the_files_where_it_alone_can_log_in(rules: str, *, expected: bool) -> None:
    http = f"[login.http]\n{rules}" if rules else ""

    assert is_login_of_browser(login_pack(http, ladder='"revisit"')) is expected
