"""Runs over a portal that logs everybody out in the middle of a list: short ones, and long ones of ``make chaos``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.program import ProgramFolder, open_program

#: A secret with a shorter period than the usual 30 s: each code is good once, so every login waits for the next one. It
#: must still be longer than a busy machine takes from the code to the filled form.
SECRET = "otpauth://totp/demo?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long a list is, and how often the portal logs everybody out meanwhile."""

    order_count: int
    expiry_count: int
    #: Order pages that open in between; two in each worker are open at a time.
    pages_between: int
    worker_count: int

    @property
    def crew(self) -> tuple[str, ...]:
        """Options of the program."""
        return ("--workers", str(self.worker_count), "--tabs", "2", "--quiet")


async def be_logged_out(folder: Path, length: Length, totp_secret: str) -> None:
    """Every order comes to its true outcome at its first attempt, and nobody logs in more often than needed."""
    async with (
        running_portal(order_count=length.order_count, totp_secret=totp_secret) as portal,
        open_program(folder, portal, totp_secret=totp_secret) as program,
    ):
        orders = await begin(portal, program, length)
        await portal.expire_sessions(after_pages=length.pages_between, times=length.expiry_count)

        ended = await program.run("run", orders, *length.crew)
        stats = await portal.stats()

        assert ended.code == 1, ended
        await assert_all_came_home(portal, program, length)
        assert (stats.logins, stats.refused_logins) == (length.expiry_count, 0)


async def be_left_out(folder: Path, length: Length) -> None:
    """Without a password the run ends with the rest in the queue, and goes on after ``profile login``."""
    async with running_portal(order_count=length.order_count) as portal, open_program(folder, portal) as program:
        orders = await begin(portal, program, length)
        await portal.expire_sessions(after_pages=length.pages_between)
        password = program.environment.pop("POOLWRIGHT_PASSWORD")

        stopped = await program.run("run", orders, *length.crew)
        rows = reported(program)
        program.environment["POOLWRIGHT_PASSWORD"] = password
        logged_in = await program.run("profile", "login", "demo", "--form")
        program.environment.pop("POOLWRIGHT_PASSWORD")
        resumed = await program.run("run", orders, *length.crew)

        assert stopped.code == 4, stopped
        assert "The portal requires a login and no login step succeeded" in stopped.out
        assert logged_in.code == 0, logged_in
        assert {row["Outcome"] for row in rows} & {"FAILED", "QUARANTINED"} == set()
        assert resumed.code == 1, resumed
        await assert_all_came_home(portal, program, length)


async def begin(portal: PortalClient, program: ProgramFolder, length: Length) -> str:
    """Write the list of all orders; nobody logged in yet as far as the portal's counts go."""
    await portal.reset_stats()
    return program.list_of(await numbers_of(portal, length.order_count))


async def assert_all_came_home(portal: PortalClient, program: ProgramFolder, length: Length) -> None:
    """Nothing is missing, nothing misfiled, and no log-out cost an attempt."""
    assert_all_right(program, await portal.truth(*await numbers_of(portal, length.order_count)))
    assert [row for row in reported(program) if row["Attempts"] != "1"] == [], program.log()
