"""What the workers are told: browser, sandbox, portal and login, tabs and time. Nothing is started here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import (
    BYTES_PER_MB,
    BrowserOptions,
    Limits,
    PoolOptions,
    PortalOptions,
    Proxy,
    Secret,
    SizeLimits,
    WorkerOptions,
)
from poolwright.service.certificates import find_certificates
from poolwright.service.out import STAGING_NAME
from poolwright.service.site import Site
from poolwright.settings import Settings
from poolwright.system.browsers import InstalledBrowser, find_browser
from poolwright.system.sandbox import SandboxChoice, resolve_sandbox

_USUAL_PORTS = {"http": 80, "https": 443}
#: As Debian, Playwright and Google call it.
_HEADLESS_SHELL = re.compile(r"headless[-_]shell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Options of every worker, and the sandbox notice for the user."""

    worker: WorkerOptions
    sandbox: SandboxChoice
    #: TOTP secret of the portal login. Never sent to a worker.
    totp_secret: Secret
    #: Whether the portal pack allows a login to be renewed before it expires.
    renews_early: bool


def find_crew(settings: Settings, site: Site | None) -> Crew:
    """Find the browser, check its sandbox, and take the rest from the settings.

    Raises:
        OptionsError: The configured browser is invalid, or the proxy or a certificate cannot be used.
        SetupError: There is no browser.
    """
    browser = find_browser(settings.browser_path, settings.playwright_browsers_path)
    certificates = find_certificates(settings)
    if certificates.identity is not None:
        _check_shows(browser)
    sandbox = resolve_sandbox(settings.sandbox, browser.path)
    worker = WorkerOptions(
        browser=BrowserOptions(
            executable_path=str(browser.path),
            headless_mode=settings.headless,
            sandbox=sandbox.mode,
            http_user=settings.http_user if site is not None else "",
            http_password=Secret(text=settings.http_password.get_secret_value()),
            http_origin="" if site is None else http_origin(site.base_url),
            proxy=_proxy(settings),
            authorities=certificates.authorities,
            identity=None if site is None else certificates.identity,
        ),
        portal=None if site is None else _portal(settings, site),
        tabs_per_worker=settings.tabs_per_worker,
        task_timeout_s=settings.task_timeout_s,
        sizes=SizeLimits(
            file_bytes=settings.file_max_mb * BYTES_PER_MB, order_bytes=settings.order_max_mb * BYTES_PER_MB
        ),
    )
    totp_secret = Secret(text=settings.totp_secret.get_secret_value())
    renews_early = site is not None and site.pack.login.logout is not None
    return Crew(worker=worker, sandbox=sandbox, totp_secret=totp_secret, renews_early=renews_early)


def http_origin(base_url: str) -> str:
    """Scheme, host and port of the portal, as a browser writes them: a usual port is left out."""
    parts = urlsplit(base_url)
    port = "" if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return the secrets that must never appear in a log."""
    own = (
        settings.password,
        settings.totp_secret,
        settings.http_password,
        settings.proxy_password,
        settings.client_key_password,
    )
    return tuple(secret.get_secret_value() for secret in own)


def pool_options(settings: Settings, crew: Crew, base: Path, worker_count: int) -> PoolOptions:
    """Return the options of a pool of these workers, each on a clone of the base profile."""
    return PoolOptions(
        worker=crew.worker,
        worker_count=worker_count,
        base_profile_path=base,
        runs_root=settings.runs_dir,
        staging_path=settings.out / PRIVATE_NAME / STAGING_NAME,
        max_attempts=settings.max_attempts,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        totp_secret=crew.totp_secret,
        renews_early=crew.renews_early,
        memory_threshold=settings.memory_threshold,
        recycle_after_tasks=settings.recycle_after_tasks or None,
        recycle_after_s=settings.recycle_after_minutes * 60 or None,
    )


def limits_of(settings: Settings) -> Limits:
    """Return the limits that can be changed while a pool is running."""
    return Limits(
        max_attempts=settings.max_attempts,
        task_timeout_s=settings.task_timeout_s,
        memory_threshold=settings.memory_threshold,
        recycle_after_tasks=settings.recycle_after_tasks or None,
        recycle_after_s=settings.recycle_after_minutes * 60 or None,
    )


def _check_shows(browser: InstalledBrowser) -> None:
    """Reject a browser that cannot present client certificates."""
    if _HEADLESS_SHELL.search(browser.path.name):
        msg = (
            f"client_cert is set, and the browser {browser.path} is a headless shell, which cannot present client "
            "certificates. Set browser_path (POOLWRIGHT_BROWSER_PATH) to Chrome, Chromium or Edge, or leave it unset."
        )
        raise OptionsError(msg)


def _proxy(settings: Settings) -> Proxy | None:
    if not settings.proxy:
        if settings.proxy_user or settings.proxy_bypass:
            msg = "proxy_user or proxy_bypass is set, but proxy is not. Set the proxy address (POOLWRIGHT_PROXY)."
            raise OptionsError(msg)
        return None
    return Proxy(
        address=settings.proxy,
        user=settings.proxy_user,
        password=Secret(text=settings.proxy_password.get_secret_value()),
        bypass=settings.proxy_bypass,
    )


def _portal(settings: Settings, site: Site) -> PortalOptions:
    return PortalOptions(
        pack_json=site.pack.to_json(),
        base_url=site.base_url,
        page_s=site.pack.limits.page_s,
        user=settings.user,
        password=Secret(text=settings.password.get_secret_value()),
    )
