"""The command `poolwright health`: report whether the daemon or batch of an output folder is healthy."""

from __future__ import annotations

import ssl
from typing import Annotated

import typer

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.options import OUTPUT, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.service.pidfile import DaemonPidfile, find_batch, find_daemon
from poolwright.settings import Settings

#: Trusts nobody and so loads no certificates, which would take longer than the question and its answer.
NO_TLS_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


HELP = (
    "Report whether the daemon or batch of an output folder is healthy; made for container engines.\n\n"
    "Exit code 0 if orders are processed; 1 if not: it is draining, needs a login, does not answer, or is not "
    "running. Needs no token."
)
EXAMPLES = ("poolwright health", "poolwright health --live --out /srv/orders")
#: An engine asks again soon, and kills who asks for longer than it likes.
HEALTH_TIMEOUT_S = 5.0

Live = Annotated[
    bool,
    typer.Option(
        "--live", help="Check only whether the process is alive, not whether it is ready.", rich_help_panel=OUTPUT
    ),
]


@SettingsCommand.with_settings("out")
def health(settings: Settings, *, live: Live = False) -> None:
    """One sentence, and one of two exit codes: engines keep the others for themselves."""
    private = settings.out / PRIVATE_NAME
    daemon, batch = find_daemon(private), find_batch(private)
    if daemon is not None:
        is_well, told = _query_daemon(daemon, is_live=live)
    elif batch is not None:
        is_well = live or not batch.is_draining
        told = "a batch is finishing its orders in progress" if batch.is_draining else "a batch is running"
    else:
        is_well, told = False, f"no daemon and no batch is running on {settings.out}"
    console().print(f"{'healthy' if is_well else 'unhealthy'}: {told}", soft_wrap=True)
    raise typer.Exit(ExitCode.DONE if is_well else ExitCode.NOT_ALL_DONE)


def _query_daemon(daemon: DaemonPidfile, *, is_live: bool) -> tuple[bool, str]:
    """What the daemon says of itself."""
    import httpx  # noqa: PLC0415 - an engine asks every half minute, and often there is nobody to be asked

    path = "/healthz" if is_live else "/readyz"
    try:
        answer = httpx.get(daemon.url + path, timeout=HEALTH_TIMEOUT_S, trust_env=False, verify=NO_TLS_CONTEXT)
    except httpx.HTTPError as error:
        return False, f"the daemon at {daemon.url} does not answer ({error})"
    if answer.is_success:
        return True, f"the daemon at {daemon.url} {'is alive' if is_live else 'is ready'}"
    try:
        reasons = "; ".join(answer.json()["reasons"])
    except (ValueError, KeyError, TypeError):
        reasons = f"it answered {answer.status_code}"
    return False, f"the daemon at {daemon.url} is not ready: {reasons}"
