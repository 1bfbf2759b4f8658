"""A folder to work at: an empty folder, no settings from outside, no keyring, a profile, and a run that takes notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import keyring.core
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from loguru import logger
from typer.testing import CliRunner, Result

from poolwright.cli.main import app
from poolwright.domain.events import Event
from poolwright.domain.options import PortalOptions, WorkerOptions
from poolwright.domain.outcomes import Outcome
from poolwright.domain.ports import Accepted, EventSink
from poolwright.profile.repository import ProfileFile, ProfileRepository
from poolwright.service.batch import BatchEnding, BatchJob, BatchSummary
from poolwright.settings import Settings, variable_name
from poolwright.system.sandbox_probe import SandboxFacts
from tests.support.machine import ROOMY

#: A machine on which browsers have their sandbox, whoever runs the tests.
SANDBOX_ALLOWED = SandboxFacts(is_linux=True, is_root=False, refused=None, has_helper=False)
BASE_URL = "http://127.0.0.1:9"
Command = Callable[..., Result]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are typed in."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(program: Path) -> Command:
    """Type one command: ``command("run", "orders.csv")``."""

    def typed(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return typed


@pytest.fixture
def profile(program: Path) -> Path:
    """The profile that settings name by default; returns its base."""
    content = ProfileFile(pack="demo", base_url=BASE_URL)
    return ProfileRepository(program / "profiles").create("default", content).base_path


def portal_of(worker: WorkerOptions) -> PortalOptions:
    """The portal that workers are told; every command tells one."""
    assert worker.portal is not None
    return worker.portal


ONE_DONE = BatchSummary(
    ending=BatchEnding.FINISHED,
    accepted=Accepted(new_count=1, waiting_count=0, done_count=0),
    outcomes={Outcome.COMPLETED: 1},
    done_now_count=1,
)


@dataclass(kw_only=True)
class FakeRun:
    """Stands in for the pool: notes each job, tells its events, and ends as it is told."""

    events: Sequence[Event] = ()
    summary: BatchSummary = ONE_DONE
    error: Exception | None = None
    jobs: list[BatchJob] = field(default_factory=list[BatchJob])

    async def __call__(
        self, job: BatchJob, *, observe: EventSink, stop: anyio.Event, stop_now: anyio.Event
    ) -> BatchSummary:
        self.jobs.append(job)
        logger.debug("taking notes")
        logger.warning("this weighs more")
        for event in self.events:
            observe(event)
        if self.error:
            raise self.error
        return self.summary


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch, profile: Path) -> FakeRun:
    """No browser starts: what ``run`` hands on is noted."""
    fake = FakeRun()
    monkeypatch.setattr("poolwright.cli.batch_session.run_batch", fake)
    monkeypatch.setattr("poolwright.service.capacity.inspect_hardware", lambda *_: ROOMY)
    monkeypatch.setattr("poolwright.system.sandbox.probe_sandbox", lambda _: SANDBOX_ALLOWED)
    return fake
