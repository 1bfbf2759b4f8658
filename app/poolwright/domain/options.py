"""The options of a pool, its workers and its browsers: checked once, then passed on whole. Names have the units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from poolwright.domain.errors import OptionsError
from poolwright.domain.working_hours import WorkingHours

#: The mission's rule: between 1 and 8 workers.
WORKER_COUNT_MIN, WORKER_COUNT_MAX = 1, 8
#: More tabs than a browser can usefully serve at once; HTTP/1.1 gives 6 connections to a host.
TABS_MIN, TABS_MAX = 1, 16
#: The mission's rule: between 50 % and 90 % of memory.
MEMORY_THRESHOLD_MIN, MEMORY_THRESHOLD_MAX = 0.5, 0.9
#: A long-lived browser grows (design section 7).
RECYCLE_AFTER_TASKS, RECYCLE_AFTER_MINUTES = 500, 240
#: Default limits of one file and of one order (2 GB): more is an accident, or fills the disk for all other orders.
FILE_MAX_MB, ORDER_MAX_MB = 2048, 2048
BYTES_PER_MB = 1024 * 1024
#: The mission's rule: at most one minute for a graceful shutdown.
SHUTDOWN_TIMEOUT_MAX_S = 60.0
#: A list may take days: restarts of a worker are limited within this time, not within the whole run.
RESTART_WINDOW_S = 3600.0


class Sandbox(StrEnum):
    """The mode of Chromium's own sandbox."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class BrowserKind(StrEnum):
    """The kinds of browsers that the workers can start."""

    #: The headless shell where it does the work as well as a whole browser, else a whole browser.
    AUTO = "auto"
    HEADLESS_SHELL = "headless-shell"
    CHROMIUM = "chromium"
    CHROME = "chrome"
    MSEDGE = "msedge"


class Skipped(StrEnum):
    """Kinds of resources that pages can do without, so that they are not loaded."""

    IMAGE = "image"
    FONT = "font"
    MEDIA = "media"


class PageEvidence(StrEnum):
    """How the page of an order is filed beside its files."""

    OFF = "off"
    #: A picture of the whole page, up to a height.
    SCREENSHOT = "screenshot"
    #: The page as it is printed; only browsers without windows can print.
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A text that never shows in logs or tracebacks."""

    text: str = field(repr=False)

    def __bool__(self) -> bool:
        """Whether the text is not empty."""
        return bool(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The proxy for browsers and downloads."""

    #: Scheme, host and port.
    address: str
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(text=""))
    #: Hosts that are reached without it; a name that begins with a dot means all hosts below it.
    bypass: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            OptionsError: A user is set for a SOCKS proxy, to which browsers send none.
        """
        if self.user and self.address.startswith("socks"):
            msg = "proxy_user is set, but browsers send no user to a SOCKS proxy. Use the address of an http:// proxy."
            raise OptionsError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The client certificate for a portal that asks its visitors for one."""

    #: The holder's name; empty if the certificate has none.
    name: str
    #: The certificate, then the intermediate ones up to its authority, as PEM text.
    chain: str
    #: The private key as PEM text, without a passphrase.
    key: Secret
    #: Further hosts that receive it; a name that begins with a dot means all hosts below it.
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalHeader:
    """A header that every request to the portal gets, with a token by which the portal knows its visitor."""

    name: str
    value: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserOptions:
    """The browser and its start options."""

    #: Browser binary; empty for Playwright's own.
    executable_path: str = ""
    headless_mode: bool = True
    #: Resolved before a worker starts: a worker receives ``on`` or ``off``.
    sandbox: Sandbox = Sandbox.AUTO
    #: User and password of HTTP authentication, which a server asks for before any page; no login form.
    http_user: str = ""
    http_password: Secret = field(default_factory=lambda: Secret(text=""))
    #: Whether only the browser can answer the portal's question for them, and so has to fetch its files, too.
    is_login_of_browser: bool = False
    #: ``None`` if the portal needs no such header.
    header: PortalHeader | None = None
    #: The only origin that receives these, and the first that receives the certificate: scheme, host and port.
    http_origin: str = ""
    #: Certificates of further trusted authorities beside those of the system, as PEM text.
    authorities: str = ""
    #: ``None`` without a client certificate.
    identity: Identity | None = None
    #: ``None`` for the system's own, if it has one.
    proxy: Proxy | None = None
    #: What the pages of a worker do not load.
    skip: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalOptions:
    """The portal and its login."""

    #: The portal pack as JSON text, already validated by ``poolwright.portal.pack``.
    pack_json: str
    #: The address of the portal, without a trailing slash.
    base_url: str
    #: Time limit of one page by the pack; waiting for a worker includes waiting for its pages.
    page_s: float = 30.0
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(text=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """The size limits of downloads."""

    file_bytes: int = FILE_MAX_MB * BYTES_PER_MB
    order_bytes: int = ORDER_MAX_MB * BYTES_PER_MB

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            OptionsError: A limit is below 1 byte.
        """
        if self.file_bytes < 1 or self.order_bytes < 1:
            raise OptionsError("The limits for the size of a file and of an order must be at least 1 byte each.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """The options that all workers of a pool share."""

    browser: BrowserOptions
    #: ``None`` for a custom processor that needs no login: its sessions are ready as soon as the browser is open.
    portal: PortalOptions | None = None
    tabs_per_worker: int = 2
    #: Time limit of one order, from the opening of its tab to its last file.
    task_timeout_s: float = 300.0
    #: ``po_attachments``, or a custom one as ``module:function``: ``async def function(tab, task) -> Report``.
    processor: str = "po_attachments"
    #: Size limits of one file and of all files of one order.
    sizes: SizeLimits = field(default_factory=SizeLimits)
    #: Folders in which a worker looks for that module first; the current folder is not among them.
    import_path: tuple[str, ...] = ()
    #: How the page of an order is filed beside its files, for the processor ``po_attachments``.
    page_evidence: PageEvidence = PageEvidence.OFF

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            OptionsError: A number is out of its range.
        """
        if not TABS_MIN <= self.tabs_per_worker <= TABS_MAX:
            msg = f"tabs_per_worker is {self.tabs_per_worker}; it must be between {TABS_MIN} and {TABS_MAX}."
            raise OptionsError(msg)
        if not 0 < self.task_timeout_s < math.inf:
            msg = f"task_timeout_s is {self.task_timeout_s}; it must be a finite number of seconds above 0."
            raise OptionsError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Courtesy:
    """The limits that a portal, or the person who runs the pool, sets for how much it is asked."""

    #: Pages of orders and files a minute, over all workers; ``None`` for any number.
    rate_per_min: float | None = None
    #: Orders that are open at the same time, over all workers; ``None`` for as many as there are tabs.
    concurrency: int | None = None
    #: Hours in which orders start; ``None`` for any time.
    hours: WorkingHours | None = None
    #: Whether fewer orders are open at the same time while the portal answers more slowly than before.
    slow_down: bool = True

    def lowered(self, rate_per_min: float, concurrency: int) -> Courtesy:
        """Return these limits, or lower ones where a number is above 0 and lower."""
        rates = [rate for rate in (self.rate_per_min, rate_per_min) if rate]
        counts = [count for count in (self.concurrency, concurrency) if count]
        return replace(self, rate_per_min=min(rates, default=None), concurrency=min(counts, default=None))

    @property
    def sentence(self) -> str:
        """The limits for people; empty if there are none."""
        parts: list[str] = []
        if self.rate_per_min is not None:
            parts.append(f"at most {self.rate_per_min:g} pages and files a minute")
        if self.concurrency is not None:
            parts.append(f"at most {self.concurrency} orders at the same time")
        if self.hours is not None:
            parts.append(f"orders start {self.hours.text}{f' ({self.hours.zone})' if self.hours.zone else ''} only")
        return f"limits of the portal: {', '.join(parts)}" if parts else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """The options of a pool."""

    worker: WorkerOptions
    worker_count: int = 2
    courtesy: Courtesy = field(default_factory=Courtesy)
    #: The user-data folder of which every worker has a clone. No browser opens it during a run.
    base_profile_path: Path
    #: Local folder for the run folder: clones and the browsers' temporary files.
    runs_root: Path
    #: The staging folders of the workers; on the file system of the output folder.
    staging_path: Path
    max_attempts: int = 3
    shutdown_timeout_s: float = SHUTDOWN_TIMEOUT_MAX_S
    #: Secret of the portal's one-time codes: base32, or an otpauth:// address. It stays in the supervisor.
    totp_secret: Secret = field(default_factory=lambda: Secret(text=""))
    #: Whether the pool waits for a person if no worker can log in; else it ends.
    waits_for_login: bool = False
    #: Whether tasks stay queued if no worker is left; else they end with that reason, so that the list ends.
    keeps_queue: bool = False
    #: Whether a login is renewed before its expected end.
    renews_early: bool = False
    #: How long a restart of a worker counts against its limit; ``None`` for the whole life of the pool.
    restart_window_s: float | None = RESTART_WINDOW_S
    #: The share of the machine's or container's memory that the pool may use.
    memory_threshold: float = 0.75
    #: A worker is recycled after this many finished attempts; ``None`` for never.
    recycle_after_tasks: int | None = RECYCLE_AFTER_TASKS
    #: A worker is recycled when its browser has run for this long; ``None`` for never.
    recycle_after_s: float | None = RECYCLE_AFTER_MINUTES * 60.0
    #: A group of orders is set aside when this many of them in a row were refused; ``None`` for never.
    group_limit: int | None = None

    def __post_init__(self) -> None:
        """Check the options.

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
                msg = f"{name} is {seconds}; it must be a finite number of seconds above 0."
                raise OptionsError(msg)
        if not MEMORY_THRESHOLD_MIN <= self.memory_threshold <= MEMORY_THRESHOLD_MAX:
            msg = f"memory_threshold is {self.memory_threshold}; it must be between 0.5 and 0.9."
            raise OptionsError(msg)
        if self.group_limit is not None and self.group_limit < 1:
            msg = f"group_limit is {self.group_limit}; it must be at least 1."
            raise OptionsError(msg)
        if self.recycle_after_tasks is not None and self.recycle_after_tasks < 1:
            msg = f"recycle_after_tasks is {self.recycle_after_tasks}; it must be at least 1."
            raise OptionsError(msg)

    @property
    def limits(self) -> Limits:
        """Those of its options that can change while the pool runs."""
        return Limits(
            max_attempts=self.max_attempts,
            task_timeout_s=self.worker.task_timeout_s,
            memory_threshold=self.memory_threshold,
            recycle_after_tasks=self.recycle_after_tasks,
            recycle_after_s=self.recycle_after_s,
        )

    @property
    def tab_count(self) -> int:
        """The number of orders that can be open at the same time."""
        return self.worker_count * self.worker.tabs_per_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The options that can change while a pool runs; all others need a new pool."""

    max_attempts: int
    task_timeout_s: float
    memory_threshold: float
    recycle_after_tasks: int | None
    recycle_after_s: float | None


def check_shutdown_timeout(timeout_s: float) -> None:
    """Check the time limit of a graceful shutdown: at most 60 seconds.

    Raises:
        OptionsError: The limit is out of its range.
    """
    if not 0 < timeout_s <= SHUTDOWN_TIMEOUT_MAX_S:
        msg = f"shutdown_timeout_s is {timeout_s}; it must be more than 0 and at most 60 seconds."
        raise OptionsError(msg)
