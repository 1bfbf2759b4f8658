"""The command `poolwright health`: report whether the daemon or batch of an output folder is healthy."""

from __future__ import annotations

import ssl
from typing import Annotated

import typer

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.options import OUTPUT, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.service.pidfile import DaemonPidfile, find_batch, find_daemon, pidfile_problem
from poolwright.settings import Settings

#: Trusts no certificates, so that none are loaded, which would take longer than the request: the daemon uses no TLS.
NO_TLS_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


HELP = (
    "Report whether the daemon or batch of an output folder is healthy; made for container engines.\n\n"
    "Exit code 0 if orders are processed; 1 if not: it is draining, needs a login, does not answer, or is not "
    "running. Needs no token."
)
EXAMPLES = ("poolwright health", "poolwright health --live --out /srv/orders")
#: Container engines repeat the check soon, and kill one that takes too long.
HEALTH_TIMEOUT_S = 5.0

Live = Annotated[
    bool,
    typer.Option(
        "--live", help="Check only whether the process is alive, not whether it is ready.", rich_help_panel=OUTPUT
    ),
]


@SettingsCommand.with_settings("out")
def health(settings: Settings, *, live: Live = False) -> None:
    """Print one sentence; exit with 0 or 1, since container engines reserve other codes."""
    private = settings.out / PRIVATE_NAME
    daemon, batch = find_daemon(private), find_batch(private)
    if daemon is not None:
        is_healthy, text = _query_daemon(daemon, is_live=live)
    elif batch is not None:
        is_healthy = live or not batch.is_draining
        text = "a batch is finishing its orders in progress" if batch.is_draining else "a batch is running"
    else:
        problem = pidfile_problem(private).rstrip(".")
        is_healthy, text = False, problem or f"no daemon and no batch is running on {settings.out}"
    console().print(f"{'healthy' if is_healthy else 'unhealthy'}: {text}", soft_wrap=True)
    raise typer.Exit(ExitCode.DONE if is_healthy else ExitCode.NOT_ALL_DONE)


def _query_daemon(daemon: DaemonPidfile, *, is_live: bool) -> tuple[bool, str]:
    """Return whether the daemon is healthy, and why."""
    import httpx  # noqa: PLC0415 - slow to import, and not needed without a daemon

    path = "/healthz" if is_live else "/readyz"
    try:
        response = httpx.get(daemon.url + path, timeout=HEALTH_TIMEOUT_S, trust_env=False, verify=NO_TLS_CONTEXT)
    except httpx.HTTPError as error:
        return False, f"the daemon at {daemon.url} does not answer ({error})"
    if response.is_success:
        return True, f"the daemon at {daemon.url} {'is alive' if is_live else 'is ready'}"
    try:
        reasons = "; ".join(response.json()["reasons"])
    except (ValueError, KeyError, TypeError):
        reasons = f"it returned status {response.status_code}"
    return False, f"the daemon at {daemon.url} is not ready: {reasons}"
