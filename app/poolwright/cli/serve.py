"""The command `poolwright serve`: run the daemon, which accepts lists until it is stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
import typer

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli import options
from poolwright.cli.batch_session import info_notices, sandbox_notices, sandbox_warnings
from poolwright.cli.batch_views import format_notice
from poolwright.cli.options import SettingsCommand
from poolwright.cli.process_exit import ExitCode, exit_code_of_ending
from poolwright.cli.signals import StopSignals, stop_signals
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock, periodic
from poolwright.domain.errors import OptionsError
from poolwright.domain.events import Event, Level, MemoryRelieved, Notice
from poolwright.domain.options import BYTES_PER_MB
from poolwright.domain.ports import EventSink
from poolwright.intake.orders import ReadOptions
from poolwright.service.api.app import ApiDeps, make_app
from poolwright.service.api.http_server import (
    REMOTE_ACCESS_WARNING,
    ListenAddress,
    check_bind_address,
    is_local_host,
    listener_url,
    open_listener,
    request_limits_for,
    run_server,
)
from poolwright.service.api.token_auth import TOKEN_FILE_NAME, ensure_token
from poolwright.service.batch_run import ENDINGS, stoppable_startup
from poolwright.service.capacity import resolve_worker_count
from poolwright.service.daemon.column_rules import ColumnRules, folder_columns_notice
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.daemon.lifecycle import DaemonConfig, DaemonServices, open_daemon, running_services
from poolwright.service.daemon.settings_reload import reload_settings
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.log_setup import LogOptions, configure_logging, log_event
from poolwright.service.output_folder import JOURNAL_NAME, open_output_folder
from poolwright.service.pidfile import daemon_pidfile
from poolwright.service.pool_config import pool_options, resolve_worker_config, secret_texts
from poolwright.service.portals.portal_config import (
    find_profile,
    portal_account,
    resolve_daemon_folder,
    resolve_portal_config,
)
from poolwright.settings import LogLevel, Settings, SystemdEnvironment
from poolwright.supervisor.policy.commands import Stop

HELP = (
    "Run a daemon that accepts lists over HTTP and from other commands.\n\n"
    "One pool, one profile, one output folder. It prints its URL and token at startup; `poolwright submit`, "
    "`status`, `watch` and others find both automatically. Ctrl+C once finishes the orders in progress, twice stops at "
    "once; the next start continues with the rest."
)
EXAMPLES = ("poolwright serve --profile coupa", "poolwright serve --workers auto --port 9000 --out /srv/orders")
#: A restart of a worker counts against its limit for this time, since a daemon has no end of a list.
RESTART_WINDOW_S = 3600.0
#: Interval of checking whether the pool has ended; meanwhile requests are answered with the reason.
STATE_CHECK_S = 5.0
_STANDARD_OUTPUT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """Everything that is resolved before the start."""

    settings: Settings
    daemon: DaemonConfig
    reading: ReadOptions
    token: str
    notices: tuple[Notice, ...]
    #: Notices for the log only.
    recorded: tuple[Notice, ...]
    #: The settings as read, and the values of the command line, for a reload.
    read: Settings
    given: Mapping[str, object]


@SettingsCommand.with_settings(*options.SERVE_SETTINGS)
def serve(settings: Settings, *, given: Mapping[str, object], verbose: options.Verbose = False) -> None:
    """Resolve the configuration, then run the daemon until it is stopped."""
    check_bind_address(settings.host, allows_remote=settings.allow_remote)
    site = resolve_portal_config(settings)
    folder = resolve_daemon_folder(settings, site.pack)
    rules = ColumnRules(template=folder.template, page_fields=site.pack.fields)
    base = find_profile(settings).base_path
    read, (settings, no_password) = settings, fill_from_keyring(settings, site.pack)
    workers, choice = resolve_worker_config(settings, site, base), resolve_worker_count(settings)
    log_file = open_output_folder(settings)
    private = settings.out / PRIVATE_NAME
    pool = replace(
        pool_options(settings, workers, base, choice.worker_count),
        waits_for_login=True,
        keeps_queue=True,
        group_limit=settings.group_limit,
        restart_window_s=RESTART_WINDOW_S,
    )
    told = info_notices((*site.notices, *filter(None, (folder.notice, folder_columns_notice(rules)))))
    remote_access = () if is_local_host(settings.host) else (REMOTE_ACCESS_WARNING,)
    warnings = (*site.warnings, *remote_access, *sandbox_warnings(workers), *filter(None, (no_password,)))
    service = _Service(
        settings=settings,
        daemon=DaemonConfig(
            pool=pool,
            out=settings.out,
            template=folder.template,
            known_fields=frozenset(site.pack.fields),
            group_by=settings.group_by,
            journal_path=private / JOURNAL_NAME,
            account=portal_account(settings, site),
        ),
        reading=ReadOptions(portal_name=site.pack.name, rules=site.pack.numbers),
        token=ensure_token(private),
        notices=(*(Notice(level=Level.WARNING, text=text) for text in warnings), *choice.notices, *told),
        recorded=sandbox_notices(workers),
        read=read,
        given=given,
    )
    with configure_logging(_log_options(settings, log_file, service.token, is_verbose=verbose)):
        end = anyio.run(_serve, service, private)
    raise typer.Exit(ExitCode.DONE if end is None else exit_code_of_ending(ENDINGS[end.cause]))


async def _serve(service: _Service, private: Path) -> Stop | None:
    """Run the daemon until it is stopped; return why the pool ended by itself, or ``None``."""
    clock, settings = SystemClock(), service.settings
    screen = console()

    def show(text: str) -> None:
        screen.out(text, highlight=False)

    def observe(event: Event) -> None:
        log_event(event)
        if isinstance(event, Notice | MemoryRelieved):
            show(format_notice(event))

    for publish, notices in ((observe, service.notices), (log_event, service.recorded)):
        for notice in notices:
            publish(notice)
    async with AsyncExitStack() as stack:
        describe = partial(_stop_message, settings.shutdown_timeout_s)
        listening = stop_signals(show, describe, limit_s=settings.shutdown_timeout_s, includes_hangup=False)
        signals = await stack.enter_async_context(listening)
        has_begun = await stack.enter_async_context(stoppable_startup(signals.stop))
        listener = stack.enter_context(open_listener(ListenAddress(host=settings.host, port=settings.port)))
        daemon = await stack.enter_async_context(open_daemon(service.daemon, clock, observe))
        services = running_services(daemon, service.read, service.reading, clock, observe)
        running = await stack.enter_async_context(services)
        deps = ApiDeps(
            daemon=daemon,
            scheduler=running.scheduler,
            reading=service.reading,
            token=service.token,
            monotonic=clock.monotonic,
            limits=request_limits_for(settings.host, settings.upload_max_mb * BYTES_PER_MB, settings.host_names),
            prefix=settings.path_prefix,
        )
        await stack.enter_async_context(run_server(make_app(deps), listener))
        url = listener_url(listener)
        stack.enter_context(daemon_pidfile(private, url, clock.now()))
        show(_address_message(f"{url}{settings.path_prefix}", service.token, private))
        has_begun()
        return await _run_until_stopped(service, daemon, running, signals, observe)
    return None  # stopped during the start


def _address_message(url: str, token: str, private: Path) -> str:
    """Return the URL of the dashboard, with the token unless the output goes to the system journal."""
    if SystemdEnvironment().is_journal(_STANDARD_OUTPUT):
        return f"Poolwright is at {url}/; its token is in {private / TOKEN_FILE_NAME}, readable only by its owner."
    return f"Poolwright is at {url}/#token={token}"


async def _run_until_stopped(
    service: _Service, daemon: Daemon, running: DaemonServices, signals: StopSignals, observe: EventSink
) -> Stop | None:
    """Wait until the daemon is stopped or the pool has ended, then finish the orders in progress."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_shut_down_at_once, signals.stop_now, daemon)
        tasks.start_soon(_reload_on_hangup, running, service.given, observe)
        tasks.start_soon(_stop_when_pool_ended, daemon, signals.stop)
        await signals.stop.wait()
        if (end := daemon.end) is not None:
            observe(
                Notice(
                    level=Level.ERROR, text=f"The daemon is stopping: {end.detail} Waiting orders stay in the queue."
                )
            )
        running.notifier.stopping(end.detail if end is not None else "finishing orders in progress")
        await daemon.close()
        tasks.cancel_scope.cancel()
    return daemon.end


async def _stop_when_pool_ended(daemon: Daemon, stop: anyio.Event) -> None:
    """Stop the daemon when the pool has ended: it could only refuse lists, and a service manager can restart it."""
    async for _ in periodic(STATE_CHECK_S):
        if daemon.end is not None:
            stop.set()
            return


async def _shut_down_at_once(stop_now: anyio.Event, daemon: Daemon) -> None:
    await stop_now.wait()
    daemon.shutdown_now()


async def _reload_on_hangup(running: DaemonServices, given: Mapping[str, object], observe: EventSink) -> None:
    """Reload the settings on SIGHUP (``systemctl reload``); invalid settings are reported and change nothing."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None:
        return
    with anyio.open_signal_receiver(hangup) as received:
        async for _ in received:
            try:
                await running.reload(reload_settings(running.settings, given))
            except OptionsError as error:
                observe(Notice(level=Level.ERROR, text=f"The settings were not reloaded: {error}"))


def _stop_message(limit_s: float) -> str:
    return f"Stopping: finishing orders in progress, at most {limit_s:.0f} s; press Ctrl+C again to stop at once."


def _log_options(settings: Settings, file: Path, token: str, *, is_verbose: bool) -> LogOptions:
    return LogOptions(
        level=LogLevel.DEBUG if is_verbose else settings.log_level,
        file=file,
        people=partial(console(sys.stderr).out, highlight=False),
        people_level=LogLevel.DEBUG if is_verbose else LogLevel.WARNING,
        secrets=(*secret_texts(settings), token),
    )
