"""Names and types of the settings of ``open_pool``, so that a type checker refuses a wrong one.

The meaning, the bounds and the defaults of each are those of ``Settings``; a test holds that the names are the same. At
run time the values are validated like those of any other source, so text such as ``"4"`` is accepted there, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, TypedDict

from poolwright.domain.errors import OptionsError

FilePath: TypeAlias = str | Path
BrowserName: TypeAlias = Literal["auto", "headless-shell", "chromium", "chrome", "msedge"]


class PoolSettings(TypedDict, total=False):
    """The settings of a pool in a program of one's own. Units are in the names."""

    profiles_dir: FilePath
    profile: str
    portal: str
    packs_dir: FilePath | None
    base_url: str
    user: str
    password: str
    login_token: str
    http_user: str
    http_password: str
    proxy: str
    proxy_user: str
    proxy_password: str
    proxy_bypass: str | Sequence[str]
    ca_file: FilePath | None
    client_cert: FilePath | None
    client_key: FilePath | None
    client_key_password: str
    client_cert_hosts: str | Sequence[str]
    totp_secret: str
    workers: int | Literal["auto"]
    tabs_per_worker: int
    rate: float
    concurrency: int
    ignore_hours: bool
    headless: bool
    browser: BrowserName | FilePath
    browser_path: FilePath | None
    sandbox: Literal["auto", "on", "off"]
    task_timeout_s: float
    file_max_mb: int
    order_max_mb: int
    page_evidence: Literal["off", "screenshot", "pdf"]
    unpack_archives: bool
    unpack_mails: bool
    mail_pdf: bool
    max_attempts: int
    memory_threshold: float
    recycle_after_tasks: int
    recycle_after_minutes: float
    shutdown_timeout_s: float
    out: FilePath
    folder_template: str
    group_limit: int
    runs_dir: FilePath
    log_level: Literal["debug", "info", "warning", "error"]
    log_file: FilePath | None
    playwright_browsers_path: FilePath | None


_OF_DAEMON = "is a setting of the daemon"
#: Settings that a pool has no use for, and the reason.
NOT_OF_POOL: Mapping[str, str] = MappingProxyType(
    {
        "group_by": "names a column of a list; give each task its group: new_task(..., group=...)",
        "retention_days": _OF_DAEMON,
        "host": _OF_DAEMON,
        "allow_remote": _OF_DAEMON,
        "port": _OF_DAEMON,
        "host_names": _OF_DAEMON,
        "path_prefix": _OF_DAEMON,
        "upload_max_mb": _OF_DAEMON,
        "schedules": _OF_DAEMON,
        "inbox_dir": _OF_DAEMON,
        "inbox_interval_s": _OF_DAEMON,
    }
)


def refuse_foreign_settings(given: Mapping[str, object]) -> None:
    """Refuse settings that would have no effect in a pool of one's own program.

    Raises:
        OptionsError: There are some; one sentence for each.
    """
    foreign = [f"open_pool has no {name}: it {NOT_OF_POOL[name]}." for name in given if name in NOT_OF_POOL]
    if foreign:
        raise OptionsError("\n".join(foreign))
