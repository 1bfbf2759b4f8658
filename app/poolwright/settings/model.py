"""Defines the model of all settings: each with its meaning, its unit, its bounds and its flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from poolwright.domain.options import (
    FILE_MAX_MB,
    MEMORY_THRESHOLD_MAX,
    MEMORY_THRESHOLD_MIN,
    ORDER_MAX_MB,
    RECYCLE_AFTER_MINUTES,
    RECYCLE_AFTER_TASKS,
    SHUTDOWN_TIMEOUT_MAX_S,
    TABS_MAX,
    TABS_MIN,
    BrowserKind,
    PageEvidence,
    Sandbox,
)
from poolwright.settings.config_sources import (
    ENV_PREFIX,
    TOML_FILE,
    EnvFileSource,
    EnvironmentSource,
    TomlFileSource,
    variable_of,
)
from poolwright.settings.field_types import (
    BROWSER_ALLOWED,
    WORKERS_ALLOWED,
    HostNames,
    LogLevel,
    SettingHelp,
    UserPath,
    WorkerCount,
    default_runs_dir,
    normalize_address,
    normalize_host,
    normalize_path,
    normalize_proxy,
    parse_browser,
    refuse_odd_characters,
    strip_blanks,
)
from poolwright.settings.schedule_entry import ScheduleEntry, validate_schedules


class Settings(BaseSettings):
    """All settings. Units are in the names."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        toml_file=TOML_FILE,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    profiles_dir: Annotated[UserPath, SettingHelp(flags=("--profiles-dir",))] = Field(
        default=Path("profiles"), description="Folder with one subfolder for each profile."
    )
    profile: Annotated[str, SettingHelp(flags=("--profile",))] = Field(
        default="default", min_length=1, description="Name of the browser profile that is cloned for the workers."
    )
    portal: Annotated[str, SettingHelp(flags=("--portal",), default="the profile's")] = Field(
        default="",
        examples=["coupa"],
        description="Portal pack: a name of `poolwright portal list`, or the path of a .toml file.",
    )
    packs_dir: Annotated[UserPath | None, SettingHelp(flags=("--packs-dir",), default="none")] = Field(
        default=None,
        examples=["/srv/packs"],
        description="Folder with portal packs of your own: each .toml file in it is one, and portal can name it.",
    )
    base_url: Annotated[
        str,
        AfterValidator(normalize_address),
        SettingHelp(
            flags=("--base-url", "--url"),
            default="the profile's",
            allowed="an address that starts with http:// or https://, without user and password",
        ),
    ] = Field(default="", examples=["https://example.coupahost.com"], description="Address of the portal.")
    user: str = Field(
        default="", examples=["ap-robot@example.com"], description="User for the portal's login form, if it has one."
    )
    password: SecretStr = Field(
        default=SecretStr(""),
        description="Password for the login form; if empty, that of the keyring is used. Never shown.",
    )
    login_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token for a portal whose pack has login.header; if empty, that of the keyring is used. Never "
        "shown.",
    )
    http_user: str = Field(
        default="",
        examples=["ap-robot"],
        description="User for HTTP authentication, for which a browser shows its own dialog.",
    )
    http_password: SecretStr = Field(
        default=SecretStr(""), description="Password for HTTP authentication. Never shown."
    )
    proxy: Annotated[
        str,
        AfterValidator(normalize_proxy),
        SettingHelp(
            default="the system's",
            allowed="an address that starts with http://, https:// or socks5://, without user and password",
        ),
    ] = Field(
        default="",
        examples=["http://proxy.example.com:3128"],
        description="Proxy through which browsers and downloads reach the portal.",
    )
    proxy_user: str = Field(default="", examples=["ap-robot"], description="User for the proxy, if it needs one.")
    proxy_password: SecretStr = Field(default=SecretStr(""), description="Password for the proxy. Never shown.")
    proxy_bypass: HostNames = Field(
        default=(),
        examples=["login.example.com,.intern.example.com"],
        description="Hosts that are reached without the proxy; a name with a dot in front means all its subdomains.",
    )
    ca_file: Annotated[UserPath | None, SettingHelp(default="only those of the system")] = Field(
        default=None, examples=["/etc/company.pem"], description="Certificates of additional authorities (PEM or DER)."
    )
    client_cert: Annotated[UserPath | None, SettingHelp(default="none")] = Field(
        default=None, examples=["/etc/robot.pem"], description="Client certificate for a portal that requires one."
    )
    client_key: Annotated[UserPath | None, SettingHelp(default="the key in client_cert")] = Field(
        default=None,
        examples=["/etc/robot.key"],
        description="Private key of the client certificate, if it is in a separate file (PEM).",
    )
    client_key_password: SecretStr = Field(
        default=SecretStr(""),
        description="Passphrase of the private key; if empty, that of the keyring is used. Never shown.",
    )
    client_cert_hosts: HostNames = Field(
        default=(),
        examples=["sso.example.com"],
        description="Further hosts that get the client certificate; a name with a dot in front means all its "
        "subdomains.",
    )
    totp_secret: SecretStr = Field(
        default=SecretStr(""), description="TOTP secret of the login: base32 text or an otpauth:// URI."
    )
    workers: Annotated[WorkerCount, SettingHelp(flags=("--workers", "-w"), allowed=WORKERS_ALLOWED)] = Field(
        default=2,
        description="Browser workers; each is a process with its own browser (about 450 MB). auto: as many as fit "
        "into memory, at most one for each CPU.",
    )
    tabs_per_worker: Annotated[int, SettingHelp(flags=("--tabs", "-t"))] = Field(
        default=2,
        ge=TABS_MIN,
        le=TABS_MAX,
        description="Orders that one worker processes at the same time, each in its own tab.",
    )
    rate: Annotated[float, SettingHelp(flags=("--rate",))] = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Most pages of orders and files a minute, over all workers; 0 for the limit of the portal pack, "
        "which this can only lower.",
    )
    concurrency: Annotated[int, SettingHelp(flags=("--concurrency",))] = Field(
        default=0,
        ge=0,
        le=1000,
        description="Most orders at the same time, over all workers; 0 for the limit of the portal pack, "
        "which this can only lower.",
    )
    ignore_hours: Annotated[bool, SettingHelp(flags=("--ignore-hours/--keep-hours",))] = Field(
        default=False, description="Start orders also outside the working hours of the portal pack."
    )
    headless: Annotated[bool, SettingHelp(flags=("--headless/--headed",))] = Field(
        default=True, description="Run the browsers without windows."
    )
    browser: Annotated[
        BrowserKind | Path,
        BeforeValidator(parse_browser),
        SettingHelp(flags=("--browser",), allowed=BROWSER_ALLOWED),
    ] = Field(
        default=BrowserKind.AUTO,
        examples=["headless-shell", "/usr/bin/chromium"],
        description="The browser: a kind, or the path of a program. auto: the small headless shell where it works "
        "without a window and loses nothing of the login, else Chrome, Chromium or Edge.",
    )
    browser_path: Annotated[UserPath | None, SettingHelp(flags=("--browser-path",), default="none")] = Field(
        default=None,
        examples=["/usr/bin/chromium"],
        description="The program to use while browser is auto.",
    )
    sandbox: Annotated[Sandbox, SettingHelp(flags=("--sandbox",))] = Field(
        default=Sandbox.AUTO,
        description="Chromium's own sandbox; auto disables it only where the system does not support it.",
    )
    task_timeout_s: Annotated[float, SettingHelp(flags=("--task-timeout",), acts_at_once=True)] = Field(
        default=300.0, gt=0, le=7200, description="Time limit of one order in seconds, from its tab to its last file."
    )
    file_max_mb: Annotated[int, SettingHelp(flags=("--file-max-mb",))] = Field(
        default=FILE_MAX_MB,
        ge=1,
        le=1_000_000,
        description="Size limit of one attachment in MB; a larger one is reported and not downloaded.",
    )
    order_max_mb: Annotated[int, SettingHelp(flags=("--order-max-mb",))] = Field(
        default=ORDER_MAX_MB,
        ge=1,
        le=1_000_000,
        description="Size limit of all attachments of one order in MB; those beyond it are reported.",
    )
    page_evidence: Annotated[PageEvidence, SettingHelp(flags=("--page-evidence",))] = Field(
        default=PageEvidence.OFF,
        description="File the page of each order beside its files, as a picture of the whole page or as a PDF. "
        "Orders without files get a folder then, too.",
    )
    unpack_archives: Annotated[bool, SettingHelp(flags=("--unpack-archives/--keep-archives",))] = Field(
        default=False,
        description="File what is in ZIP archives beside them, also where the portal pack does not say so.",
    )
    unpack_mails: Annotated[bool, SettingHelp(flags=("--unpack-mails/--keep-mails",))] = Field(
        default=False,
        description="File the attachments of mails (.msg, .eml) beside them, also where the portal pack does not say "
        "so.",
    )
    mail_pdf: Annotated[bool, SettingHelp(flags=("--mail-pdf/--no-mail-pdf",))] = Field(
        default=False,
        description="File a PDF beside each mail (.msg, .eml), also where the portal pack does not say so.",
    )
    max_attempts: Annotated[int, SettingHelp(flags=("--max-attempts",), acts_at_once=True)] = Field(
        default=3, ge=1, le=10, description="Attempts for one order before it counts as failed."
    )
    memory_threshold: Annotated[float, SettingHelp(flags=("--memory-threshold",), acts_at_once=True)] = Field(
        default=0.75,
        ge=MEMORY_THRESHOLD_MIN,
        le=MEMORY_THRESHOLD_MAX,
        description="Share of the memory (of the machine, or of its container) that may be used; above it no order "
        "starts, and the largest worker is recycled.",
    )
    recycle_after_tasks: Annotated[int, SettingHelp(flags=("--recycle-after-tasks",), acts_at_once=True)] = Field(
        default=RECYCLE_AFTER_TASKS,
        ge=0,
        le=1_000_000,
        description="Orders after which a worker is recycled, one worker at a time; 0 for never.",
    )
    recycle_after_minutes: Annotated[float, SettingHelp(flags=("--recycle-after-minutes",), acts_at_once=True)] = Field(
        default=RECYCLE_AFTER_MINUTES,
        ge=0,
        le=100_000,
        description="Minutes after which a worker is recycled; 0 for never.",
    )
    shutdown_timeout_s: Annotated[float, SettingHelp(flags=("--shutdown-timeout",), acts_at_once=True)] = Field(
        default=SHUTDOWN_TIMEOUT_MAX_S,
        gt=0,
        le=SHUTDOWN_TIMEOUT_MAX_S,
        description="Seconds that running orders get to finish when a run is stopped.",
    )
    out: Annotated[UserPath, SettingHelp(flags=("--out", "-o"))] = Field(
        default=Path("downloads"), description="Folder for the files, the reports and the journal."
    )
    folder_template: Annotated[str, SettingHelp(flags=("--folder-template",))] = Field(
        default="{supplier}/{number}",
        min_length=1,
        description="Folder of one order below the output folder; {number}, {supplier} and other fields are filled in. "
        "Unless it is set, a portal without a supplier gets {number}.",
    )
    group_by: Annotated[str, SettingHelp(flags=("--group-by",), default="none")] = Field(
        default="",
        examples=["Company Code"],
        description="Column of the list whose value is the group of an order: its name, or '#3' for the third. A "
        "group whose orders are refused for lack of access is set aside, and the others go on.",
    )
    group_limit: Annotated[int, SettingHelp(flags=("--group-limit",))] = Field(
        default=3,
        ge=1,
        le=1000,
        description="Orders of a group that are refused in a row before the group is set aside; for group_by.",
    )
    retention_days: Annotated[int, SettingHelp(flags=("--retention-days",), acts_at_once=True)] = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Days for which the journal keeps lists and the history of orders after they ended; 0 keeps them "
        "forever. Outcomes of orders are always kept, and their files are never touched.",
    )
    runs_dir: Annotated[
        UserPath, SettingHelp(default="a private folder below the system's temporary folder", flags=("--runs-dir",))
    ] = Field(
        default_factory=default_runs_dir,
        examples=["/srv/pw"],
        description="Folder for clones and temporary files of runs: on a local disk, with a short path.",
    )
    log_level: Annotated[LogLevel, SettingHelp(flags=("--log-level",))] = Field(
        default=LogLevel.INFO, description="Minimum log level."
    )
    log_file: Annotated[
        UserPath | None, SettingHelp(flags=("--log-file",), default="`.poolwright/log.jsonl` below the output folder")
    ] = Field(default=None, description="File for the complete log, one JSON object per line.")
    host: Annotated[str, AfterValidator(normalize_host), SettingHelp(flags=("--host",))] = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which the daemon listens. Any address but a loopback address opens it to the network "
        "and needs allow_remote.",
    )
    allow_remote: Annotated[bool, SettingHelp(flags=("--allow-remote",))] = Field(
        default=False,
        description="Allow a host that opens the daemon to the network. Clients need the token, and nothing is "
        "encrypted: put a proxy with TLS in front of it.",
    )
    port: Annotated[int, SettingHelp(flags=("--port",))] = Field(
        default=8484, ge=0, le=65535, description="Port of the daemon; 0 picks a free one."
    )
    host_names: HostNames = Field(
        default=(),
        examples=["pool.example.com"],
        description="Further host names that requests to the daemon may have, such as that of a proxy in front of it.",
    )
    path_prefix: Annotated[
        str, AfterValidator(normalize_path), SettingHelp(default="none", allowed="a path that begins with a slash")
    ] = Field(
        default="",
        examples=["/pool"],
        description="Path below which a proxy in front of the daemon serves the dashboard and the API; the proxy may "
        "remove it or pass it on.",
    )
    upload_max_mb: int = Field(
        default=20, ge=1, le=200, description="Size limit in MB of a list that is sent to the daemon."
    )
    schedules: Annotated[
        tuple[ScheduleEntry, ...],
        BeforeValidator(validate_schedules),
        SettingHelp(default="none", allowed="a list of tables [[schedules]] in poolwright.toml", acts_at_once=True),
    ] = Field(
        default=(),
        description="Lists that the daemon fetches on a cron schedule: tables in poolwright.toml.",
    )
    inbox_dir: Annotated[UserPath | None, SettingHelp(default="none")] = Field(
        default=None,
        examples=["/srv/lists"],
        description="Folder that the daemon watches: each list that is dropped there is processed once.",
    )
    inbox_interval_s: float = Field(
        default=5.0, gt=0, le=3600, description="Seconds between two scans of the watched folder."
    )
    playwright_browsers_path: Annotated[UserPath | None, SettingHelp(default="Playwright's own default")] = Field(
        default=None,
        validation_alias="PLAYWRIGHT_BROWSERS_PATH",
        description="Folder of the browsers that Playwright downloaded; a variable of Playwright, hence no prefix.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by `EnvironmentSource`
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by `EnvFileSource`
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not offered
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in the order of precedence: command line, environment, ``.env``, ``poolwright.toml``."""
        return init_settings, EnvironmentSource(settings_cls), EnvFileSource(settings_cls), TomlFileSource(settings_cls)

    @field_validator("*", mode="before")
    @classmethod
    def _strip_and_check(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields.get(info.field_name or "")
        kind = field.annotation if field is not None else None
        return refuse_odd_characters(strip_blanks(value, kind), is_secret=kind is SecretStr)


def variable_name(name: str) -> str:
    """Return the environment variable of a setting."""
    return variable_of(name, Settings.model_fields[name])


def setting_help(name: str) -> SettingHelp:
    """Return the help on a setting."""
    return next((item for item in Settings.model_fields[name].metadata if isinstance(item, SettingHelp)), SettingHelp())
