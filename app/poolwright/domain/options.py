"""What a run is told, checked once and then passed on whole. Units stand in the names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from poolwright.domain.errors import OptionsError

#: The mission's rule: between 1 and 8 workers.
WORKER_COUNT_MIN, WORKER_COUNT_MAX = 1, 8
#: More tabs than a browser can usefully serve at once; HTTP/1.1 gives 6 connections to a host.
TABS_MIN, TABS_MAX = 1, 16
#: The mission's rule: between 50 % and 90 % of memory.
MEMORY_THRESHOLD_MIN, MEMORY_THRESHOLD_MAX = 0.5, 0.9
#: A long-lived browser grows (design section 7).
RECYCLE_AFTER_TASKS, RECYCLE_AFTER_MINUTES = 500, 240
#: The most that one file and one order may have (2 GB): more is an accident, or fills the disk of all others.
FILE_MAX_MB, ORDER_MAX_MB = 2048, 2048
BYTES_PER_MB = 1024 * 1024
#: The mission's rule: at most one minute for a graceful shutdown.
SHUTDOWN_TIMEOUT_MAX_S = 60.0
#: A list may take days: restarts of a worker are limited within this time, and not within the whole of it.
RESTART_WINDOW_S = 3600.0


class Sandbox(StrEnum):
    """Whether Chromium's own sandbox is on."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A text that never shows in logs or tracebacks."""

    text: str = field(repr=False)

    def __bool__(self) -> bool:
        """Whether there is anything to hide."""
        return bool(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Who stands between this machine and the network, for browsers and downloads alike."""

    #: Scheme, host and port.
    address: str
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(text=""))
    #: Hosts that are reached past it; a name with a dot in front stands for all below it.
    bypass: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            OptionsError: No browser tells a SOCKS proxy a user.
        """
        if self.user and self.address.startswith("socks"):
            msg = "proxy_user is set, and browsers tell a SOCKS proxy no user; take the address of an http:// proxy."
            raise OptionsError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is shown to a portal that asks its visitors for a certificate."""

    #: Whose it is; empty where the certificate gives no name.
    name: str
    #: The certificate first, then those between it and its authority, as PEM text.
    chain: str
    #: The private key as PEM text, without a passphrase.
    key: Secret
    #: Who is shown it beside the portal; a name with a dot in front stands for all below it.
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserOptions:
    """Which browser, and how it is started."""

    #: Browser binary; empty for the one that Playwright brings.
    executable_path: str = ""
    headless_mode: bool = True
    #: Resolved before a worker starts: a worker is told ``on`` or ``off``.
    sandbox: Sandbox = Sandbox.AUTO
    #: Answers the question for user and password that a server asks before any page, and a login form is none of.
    http_user: str = ""
    http_password: Secret = field(default_factory=lambda: Secret(text=""))
    #: The only place that is answered, and the first that is shown a certificate: scheme, host and port.
    http_origin: str = ""
    #: Certificates of authorities that are trusted beside those of the system, as PEM text.
    authorities: str = ""
    #: Nothing for a visitor without a certificate.
    identity: Identity | None = None
    #: Nothing for that of the system, where it has one.
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalOptions:
    """Which portal, and who logs in."""

    #: The portal pack as JSON text, already validated by ``poolwright.portal.pack``.
    pack_json: str
    #: Where the portal is, without a trailing slash.
    base_url: str
    #: How long one of its pages may take, as the pack says: whoever waits for a worker waits for its pages too.
    page_s: float = 30.0
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(text=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How much may be downloaded."""

    file_bytes: int = FILE_MAX_MB * BYTES_PER_MB
    order_bytes: int = ORDER_MAX_MB * BYTES_PER_MB

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            OptionsError: Nothing could be downloaded.
        """
        if self.file_bytes < 1 or self.order_bytes < 1:
            raise OptionsError("The limits for the size of a file and of an order must be at least 1 byte each.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What every worker of a pool is told, the same for all of them."""

    browser: BrowserOptions
    #: Nothing for a pool whose own processor needs no login: its sessions are ready as soon as the browser is open.
    portal: PortalOptions | None = None
    tabs_per_worker: int = 2
    #: One order may take this long, from its tab's opening to its last file.
    task_timeout_s: float = 300.0
    #: ``po_attachments``, or your own as ``module:function``, which is ``async def function(tab, task) -> Report``.
    processor: str = "po_attachments"
    #: How large one file and all files of one order may be.
    sizes: SizeLimits = field(default_factory=SizeLimits)
    #: Folders in which a worker looks for that module before anywhere else; the current folder is none of them.
    import_path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            OptionsError: A number is out of its range.
        """
        if not TABS_MIN <= self.tabs_per_worker <= TABS_MAX:
            msg = f"tabs_per_worker is {self.tabs_per_worker}; it must be between {TABS_MIN} and {TABS_MAX}."
            raise OptionsError(msg)
        if not 0 < self.task_timeout_s < math.inf:
            msg = f"task_timeout_s is {self.task_timeout_s}; it must be more than 0 seconds, and not without end."
            raise OptionsError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """What a pool is told."""

    worker: WorkerOptions
    worker_count: int = 2
    #: The user-data folder that every worker's profile is cloned from. Never opened by a browser during a run.
    base_profile_path: Path
    #: Local folder for the private folder of this run: clones and the browsers' temporary files.
    runs_root: Path
    #: Where workers put files before they are filed; on the file system of the output folder.
    staging_path: Path
    max_attempts: int = 3
    shutdown_timeout_s: float = SHUTDOWN_TIMEOUT_MAX_S
    #: Secret of the portal's one-time codes: base32, or an otpauth:// address. It stays in the supervisor.
    totp_secret: Secret = field(default_factory=lambda: Secret(text=""))
    #: Whether the pool waits for a person when no worker can log in; else it ends then.
    waits_for_login: bool = False
    #: Whether tasks stay queued when no worker is left; else they end for that reason, for a list must come to its end.
    keeps_queue: bool = False
    #: Whether a login may be renewed before it ends, as far as that can be foretold.
    renews_early: bool = False
    #: How long a restart of a worker counts against its limit; nothing where it counts for as long as the pool lives.
    restart_window_s: float | None = RESTART_WINDOW_S
    #: The part of all memory (the machine's, or what a container may have) that the pool may use.
    memory_threshold: float = 0.75
    #: A worker is started anew after so many finished attempts; nothing for never.
    recycle_after_tasks: int | None = RECYCLE_AFTER_TASKS
    #: A worker is started anew when its browser has run for so long; nothing for never.
    recycle_after_s: float | None = RECYCLE_AFTER_MINUTES * 60.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            OptionsError: A number is out of its range.
        """
        if not WORKER_COUNT_MIN <= self.worker_count <= WORKER_COUNT_MAX:
            msg = f"worker_count is {self.worker_count}; it must be between {WORKER_COUNT_MIN} and {WORKER_COUNT_MAX}."
            raise OptionsError(msg)
        if self.max_attempts < 1:
            msg = f"max_attempts is {self.max_attempts}; it must be at least 1."
            raise OptionsError(msg)
        check_shutdown_timeout(self.shutdown_timeout_s)
        for name in ("restart_window_s", "recycle_after_s"):
            seconds: float | None = getattr(self, name)
            if seconds is not None and not 0 < seconds < math.inf:
                msg = f"{name} is {seconds}; it must be more than 0 seconds, and not without end."
                raise OptionsError(msg)
        if not MEMORY_THRESHOLD_MIN <= self.memory_threshold <= MEMORY_THRESHOLD_MAX:
            msg = f"memory_threshold is {self.memory_threshold}; it must be between 0.5 and 0.9."
            raise OptionsError(msg)
        if self.recycle_after_tasks is not None and self.recycle_after_tasks < 1:
            msg = f"recycle_after_tasks is {self.recycle_after_tasks}; it must be at least 1."
            raise OptionsError(msg)

    @property
    def limits(self) -> Limits:
        """Those of its numbers that can be told anew."""
        return Limits(
            max_attempts=self.max_attempts,
            task_timeout_s=self.worker.task_timeout_s,
            memory_threshold=self.memory_threshold,
            recycle_after_tasks=self.recycle_after_tasks,
            recycle_after_s=self.recycle_after_s,
        )

    @property
    def tab_count(self) -> int:
        """How many orders can be open at the same time."""
        return self.worker_count * self.worker.tabs_per_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a running pool can be told anew; the rest needs another pool."""

    max_attempts: int
    task_timeout_s: float
    memory_threshold: float
    recycle_after_tasks: int | None
    recycle_after_s: float | None


def check_shutdown_timeout(timeout_s: float) -> None:
    """Refuse a time for a graceful shutdown that the mission does not allow.

    Raises:
        OptionsError: It is out of its range.
    """
    if not 0 < timeout_s <= SHUTDOWN_TIMEOUT_MAX_S:
        msg = f"shutdown_timeout_s is {timeout_s}; it must be more than 0 and at most 60 seconds."
        raise OptionsError(msg)
