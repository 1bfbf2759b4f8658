"""Configuration of a pool from the settings: browser, login, and limits. Starts nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import (
    BYTES_PER_MB,
    BrowserKind,
    BrowserOptions,
    Courtesy,
    Limits,
    PoolOptions,
    PortalHeader,
    PortalOptions,
    Proxy,
    Secret,
    SizeLimits,
    WorkerOptions,
)
from poolwright.portal.login_schema import HttpScheme, SecretName, replace_secrets
from poolwright.portal.pack import Pack
from poolwright.profile.session_cookies import SessionCookies, count_session_cookies
from poolwright.service.certificates import find_certificates
from poolwright.service.output_folder import STAGING_NAME
from poolwright.service.portals.portal_config import PortalConfig
from poolwright.settings import Settings, has_proxy_script, variable_name
from poolwright.system.browser_choice import BrowserChoice, BrowserWish, BrowserWork, find_browser
from poolwright.system.browsers import InstalledBrowser
from poolwright.system.open_files import raise_open_file_limit
from poolwright.system.sandbox import SandboxChoice, resolve_sandbox

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Options of every worker, and the sandbox notice for the user."""

    worker: WorkerOptions
    sandbox: SandboxChoice
    #: TOTP secret of the portal login. Never sent to a worker.
    totp_secret: Secret
    #: Whether the portal pack allows a login to be renewed before it expires.
    renews_early: bool
    #: How much the portal may be asked.
    courtesy: Courtesy = field(default_factory=Courtesy)


def resolve_worker_config(settings: Settings, site: PortalConfig | None, base: Path | None = None) -> WorkerConfig:
    """Find the browser, check its sandbox, let it open enough files, and read the other options from the settings.

    Args:
        settings: The settings.
        site: The portal; ``None`` without one.
        base: The base whose clones the browsers open; a missing one is written by them. ``None`` for a browser that
            writes a base, or shows a window although the settings say otherwise.

    Raises:
        OptionsError: The configured browser is invalid, or the proxy or a certificate cannot be used.
        SetupError: No browser is installed, or it may not open enough files.
    """
    raise_open_file_limit()
    certificates = find_certificates(settings)
    browser = resolve_browser(settings, base, presents_certificate=certificates.identity is not None).browser
    if certificates.identity is not None:
        _check_offers_certificates(browser)
    sandbox = resolve_sandbox(settings.sandbox, browser.path)
    http_user, http_password = ("", SecretStr("")) if site is None else _http_credentials(settings, site.pack)
    worker = WorkerOptions(
        browser=BrowserOptions(
            executable_path=str(browser.path),
            headless_mode=settings.headless,
            sandbox=sandbox.mode,
            http_user=http_user,
            http_password=Secret(text=http_password.get_secret_value()),
            is_login_of_browser=site is not None and is_login_of_browser(site.pack),
            header=None if site is None else _portal_header(settings, site.pack),
            http_origin="" if site is None else http_origin(site.base_url),
            proxy=_proxy(settings),
            authorities=certificates.authorities,
            identity=None if site is None else certificates.identity,
            skip=() if site is None else site.pack.site.skip,
        ),
        portal=None if site is None else _portal_options(settings, site),
        tabs_per_worker=settings.tabs_per_worker,
        task_timeout_s=settings.task_timeout_s,
        sizes=SizeLimits(
            file_bytes=settings.file_max_mb * BYTES_PER_MB, order_bytes=settings.order_max_mb * BYTES_PER_MB
        ),
        page_evidence=settings.page_evidence,
    )
    totp_secret = Secret(text=settings.totp_secret.get_secret_value())
    renews_early = site is not None and site.pack.login.logout is not None
    return WorkerConfig(
        worker=worker,
        sandbox=sandbox,
        totp_secret=totp_secret,
        renews_early=renews_early,
        courtesy=resolve_courtesy(settings, None if site is None else site.pack),
    )


def resolve_browser(settings: Settings, base: Path | None, *, presents_certificate: bool = False) -> BrowserChoice:
    """Choose the browser by the settings and by what it has to do.

    Args:
        settings: The settings.
        base: As for ``resolve_worker_config``.
        presents_certificate: Whether it has to present a client certificate.

    Raises:
        OptionsError: The configured browser is invalid, or cannot do the work.
        SetupError: No such browser is installed.
    """
    wish = browser_wish(settings)
    has_base = base is not None and os.access(base, os.R_OK | os.X_OK)
    # To count them takes a reading of the profile, and only this choice needs it.
    counts = has_base and settings.headless and wish == BrowserWish()
    cookies = count_session_cookies(base, SystemClock().now()) if base is not None and counts else SessionCookies()
    work = BrowserWork(
        is_headed=not settings.headless,
        presents_certificate=presents_certificate,
        has_proxy_script=settings.headless and not settings.proxy and has_proxy_script(),
        writes_profile=not has_base,
        session_cookies=cookies.count,
        copied_session_cookies=cookies.copied_count,
    )
    return find_browser(wish, settings.playwright_browsers_path, work)


def browser_wish(settings: Settings) -> BrowserWish:
    """Return what the settings say about the browser; ``browser_path`` counts while ``browser`` is auto."""
    if isinstance(settings.browser, Path):
        return BrowserWish(program=settings.browser)
    return BrowserWish(
        kind=settings.browser, program=settings.browser_path if settings.browser is BrowserKind.AUTO else None
    )


def resolve_courtesy(settings: Settings, pack: Pack | None) -> Courtesy:
    """Return how much the portal may be asked: the limits of the pack, or lower ones of the settings."""
    courtesy = Courtesy() if pack is None else pack.limits.courtesy
    courtesy = courtesy.lowered(settings.rate, settings.concurrency)
    return replace(courtesy, hours=None) if settings.ignore_hours else courtesy


def http_origin(base_url: str) -> str:
    """Return scheme, host and port of the portal as a browser writes them, without a default port."""
    parts = urlsplit(base_url)
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def secret_texts(settings: Settings) -> tuple[str, ...]:
    """Return the secrets that must never appear in a log."""
    secrets = (
        settings.password,
        settings.totp_secret,
        settings.login_token,
        settings.http_password,
        settings.proxy_password,
        settings.client_key_password,
    )
    return tuple(secret.get_secret_value() for secret in secrets)


def pool_options(settings: Settings, workers: WorkerConfig, base: Path, worker_count: int) -> PoolOptions:
    """Return the options of a pool of these workers, each on a clone of the base profile."""
    return PoolOptions(
        worker=workers.worker,
        worker_count=worker_count,
        courtesy=workers.courtesy,
        base_profile_path=base,
        runs_root=settings.runs_dir,
        staging_path=settings.out / PRIVATE_NAME / STAGING_NAME,
        max_attempts=settings.max_attempts,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        totp_secret=workers.totp_secret,
        renews_early=workers.renews_early,
        memory_threshold=settings.memory_threshold,
        recycle_after_tasks=settings.recycle_after_tasks or None,
        recycle_after_s=settings.recycle_after_minutes * 60 or None,
    )


def pool_limits(settings: Settings) -> Limits:
    """Return the limits that can be changed while a pool is running."""
    return Limits(
        max_attempts=settings.max_attempts,
        task_timeout_s=settings.task_timeout_s,
        memory_threshold=settings.memory_threshold,
        recycle_after_tasks=settings.recycle_after_tasks or None,
        recycle_after_s=settings.recycle_after_minutes * 60 or None,
    )


def is_login_of_browser(pack: Pack) -> bool:
    """Return whether only a browser can log in by the HTTP authentication of a portal."""
    return pack.login.http is not None and pack.login.http.scheme is not HttpScheme.BASIC


def _http_credentials(settings: Settings, pack: Pack) -> tuple[str, SecretStr]:
    """Return user and password of HTTP authentication; those of the login if the pack says that it is the login."""
    if settings.http_user or pack.login.http is None:
        return settings.http_user, settings.http_password
    return settings.user, settings.password


def _portal_header(settings: Settings, pack: Pack) -> PortalHeader | None:
    """Return the header of the pack with the token; ``None`` if the pack has none, or no token is set.

    Raises:
        OptionsError: The token cannot be sent in a header.
    """
    rule, token = pack.login.header, settings.login_token.get_secret_value()
    if rule is None or not token:
        return None
    if not (token.isascii() and token.isprintable()):
        msg = f"login_token ({variable_name('login_token')}) has a letter that cannot be sent. Check the token."
        raise OptionsError(msg)
    return PortalHeader(name=rule.name, value=Secret(text=replace_secrets(rule.value, {SecretName.TOKEN: token})))


def _check_offers_certificates(browser: InstalledBrowser) -> None:
    """Reject a browser that cannot present client certificates."""
    if browser.is_shell:
        msg = (
            f"client_cert is set, and the browser {browser.path} is a headless shell, which cannot present client "
            "certificates. Set browser (POOLWRIGHT_BROWSER, POOLWRIGHT_BROWSER_PATH) to Chrome, Chromium or Edge, or "
            "leave it unset."
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


def _portal_options(settings: Settings, site: PortalConfig) -> PortalOptions:
    pack = site.pack.with_extras(
        unpacks_archives=settings.unpack_archives,
        unpacks_mails=settings.unpack_mails,
        prints_mails=settings.mail_pdf,
    )
    return PortalOptions(
        pack_json=pack.to_json(),
        base_url=site.base_url,
        page_s=site.pack.limits.page_s,
        user=settings.user,
        password=Secret(text=settings.password.get_secret_value()),
    )
