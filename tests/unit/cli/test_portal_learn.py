"""``poolwright portal learn``: a folder of saved pages becomes a pack, and the pages try it again."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomli_w
from typer.testing import Result

from poolwright.cli.process_exit import ExitCode
from poolwright.domain.errors import LoginRequiredError
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, Report
from poolwright.learn.page_folder import OBSERVATIONS_FILE
from poolwright.portal.examination.order_proof import OrderProof
from poolwright.profile.repository import ProfileFile, ProfileRepository
from poolwright.profile.seal import Seal
from poolwright.service.examination.proof_run import ProofRun
from poolwright.service.login_methods import PortalTeaching, ProfileLogin
from tests.support.commands import SANDBOX_ALLOWED, Command
from tests.support.taught_pages import shown_pages
from tests.support.taught_portals import taught_portal
from tests.unit.portal_examination.packs import examination_of


@pytest.fixture(name="folder")
def _folder(program: Path) -> Path:
    """A folder of saved pages, as a person makes it; one page is saved by a browser that writes its address into it."""
    folder = program / "Acme pages"
    folder.mkdir()
    pages = shown_pages(taught_portal("table"))
    for page in pages:
        source = page.pop("source")
        if page["file"] == "home.html":
            address = page.pop("address")
            source = f"<!DOCTYPE html><!-- saved from url=({len(address):04}){address} -->{source}"
        (folder / page["file"]).write_text(source, encoding="utf-8")
    (folder / OBSERVATIONS_FILE).write_text(
        tomli_w.dumps({"title": "Acme purchasing", "pages": pages}), encoding="utf-8"
    )
    return folder


def test_a_pack_is_written_with_its_pages_and_told(command: Command, program: Path, folder: Path) -> None:
    result = command("portal", "learn", "acme", "--from", str(folder))

    assert result.exit_code == ExitCode.DONE, result.output
    assert "found: order-1.html: 3 attachments: Offer 1.pdf, Terms.pdf, Drawing_A.pdf" in result.stdout
    assert "Next: poolwright profile login acme --portal acme.toml" in result.stdout
    assert "wrong" not in result.stdout
    lint = command("portal", "lint", "acme.toml")
    assert lint.exit_code == ExitCode.DONE
    assert "note" not in lint.stdout
    assert {path.name for path in (program / "acme.pages").iterdir()} == {path.name for path in folder.iterdir()}


def test_the_name_is_that_of_the_folder(command: Command, program: Path, folder: Path) -> None:
    command("portal", "learn", "--from", str(folder))

    assert 'name = "acme-pages"' in (program / "acme-pages.toml").read_text(encoding="utf-8")


def test_what_is_there_is_overwritten_only_by_force(command: Command, program: Path, folder: Path) -> None:
    (program / "acme.toml").write_text("mine", encoding="utf-8")

    refused = command("portal", "learn", "acme", "--from", str(folder))

    assert refused.exit_code == ExitCode.USAGE
    assert "acme.toml exists" in refused.stderr
    assert (program / "acme.toml").read_text(encoding="utf-8") == "mine"
    assert command("portal", "learn", "acme", "--from", str(folder), "--force").exit_code == ExitCode.DONE


def test_the_pages_try_a_pack_that_was_changed(command: Command, program: Path, folder: Path) -> None:
    command("portal", "learn", "acme", "--from", str(folder))
    right = command("portal", "learn", "--check", "acme.toml")
    pack = program / "acme.toml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("td.doc a", "td.other a"), encoding="utf-8")

    wrong = command("portal", "learn", "--check", "acme.toml")

    assert (right.exit_code, wrong.exit_code) == (ExitCode.DONE, ExitCode.NOT_ALL_DONE)
    assert "acme.toml reads all 7 pages as they were shown." in right.stdout
    assert "wrong: order-1.html: The page announces 3 attachments but shows 0." in wrong.stdout


def test_a_selector_that_only_a_browser_knows_is_told(command: Command, program: Path, folder: Path) -> None:
    command("portal", "learn", "acme", "--from", str(folder))
    pack = program / "acme.toml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("td.doc a", "td:popover-open a"), encoding="utf-8")

    result = command("portal", "learn", "--check", "acme.toml")

    assert result.exit_code == ExitCode.USAGE
    assert "cannot be tried on saved pages" in result.stderr


def test_a_list_that_only_a_response_has_is_told(command: Command, program: Path, folder: Path) -> None:
    command("portal", "learn", "acme", "--from", str(folder))
    pack = program / "acme.toml"
    api = '[attachments.api]\nrequest = "/files"\nitems = "files"\ntemplate = "{url:raw}"\n'
    pack.write_text(f"{pack.read_text(encoding='utf-8')}\n{api}", encoding="utf-8")

    result = command("portal", "learn", "--check", "acme.toml")

    assert result.exit_code == ExitCode.USAGE
    assert "attachments.api cannot be tried on these pages" in result.stderr


def test_several_values_of_a_field_are_read_as_a_run_reads_them(command: Command, program: Path, folder: Path) -> None:
    command("portal", "learn", "acme", "--from", str(folder))
    pack = program / "acme.toml"
    text = pack.read_text(encoding="utf-8")
    text = text.replace("[fields.supplier]\nselector = [", '[fields.supplier]\nmany = true\nselector = ["h1", ')
    pack.write_text(text, encoding="utf-8")

    result = command("portal", "learn", "--check", "acme.toml")

    assert result.exit_code == ExitCode.NOT_ALL_DONE
    assert "order-2.html: the supplier is read as" in result.stdout
    assert "; Nordwind GmbH" in result.stdout


def test_a_pack_that_reads_a_page_wrongly_is_written_and_told(command: Command, program: Path, folder: Path) -> None:
    text = (folder / OBSERVATIONS_FILE).read_text(encoding="utf-8")
    text = text.replace('file = "order-1.html"', 'file = "order-1.html"\ncount = 4')
    (folder / OBSERVATIONS_FILE).write_text(text, encoding="utf-8")

    result = command("portal", "learn", "acme", "--from", str(folder))

    assert result.exit_code == ExitCode.NOT_ALL_DONE
    assert "wrong: order-1.html: 3 attachments are found, but it has 4." in result.stdout
    assert "Next:" not in result.stdout
    assert (program / "acme.toml").is_file()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "Acme purchasing"', "", "title: Field required"),
        ('kind = "login"', 'kind = "home"', "there is no page for a login page (kind 'login')"),
        ('kind = "home"', 'kind = "homes"', "pages.1.kind"),
        ('file = "home.html"', 'file = "away.html"', "away.html cannot be read: No such file or directory"),
        ('file = "home.html"', 'file = "../home.html"', "must be the name of a file"),
        ('number = "4500010002"', 'number = ""', "order-2.html: a page of an order needs its number"),
        ('address = "https://portal.test/orders/4500010002"', 'address = "x"', "order-2.html needs its web address"),
        ("4500010002", "9", "does not contain the number 9"),
        ("title", "= title", "is not readable as TOML"),
    ],
)
def test_observations_that_teach_nothing_are_refused(
    command: Command, program: Path, folder: Path, old: str, new: str, told: str
) -> None:
    file = folder / OBSERVATIONS_FILE
    text = file.read_text(encoding="utf-8")
    assert old in text
    new = text.replace('number = "4500010002"', 'number = "9"') if new == "9" else text.replace(old, new, 1)
    file.write_text(new, encoding="utf-8")

    result = command("portal", "learn", "acme", "--from", str(folder))

    assert result.exit_code == ExitCode.USAGE, result.output
    assert told in result.stderr
    assert not (program / "acme.toml").exists()


def test_either_pages_or_a_pack_must_be_named(command: Command, folder: Path) -> None:
    assert command("portal", "learn", "acme").exit_code == ExitCode.USAGE
    assert command("portal", "learn", "--from", str(folder), "--check", "x.toml").exit_code == ExitCode.USAGE
    assert command("portal", "learn", "--from", str(folder), "--url", "https://x.test").exit_code == ExitCode.USAGE


@dataclass(kw_only=True)
class FakeProofs:
    """Stands in for the run of orders: notes what it is to try, and finds what it is told."""

    found: tuple[OrderProof, ...]
    runs: list[tuple[ProofRun, tuple[str, ...]]] = field(default_factory=list[tuple[ProofRun, tuple[str, ...]]])

    async def run(self, job: ProofRun, numbers: tuple[str, ...]) -> tuple[OrderProof, ...]:
        self.runs.append((job, numbers))
        return self.found


def good_proof(number: str) -> OrderProof:
    """An order with a file that was brought."""
    file = FetchedFile(
        name="Offer.pdf", label="Offer.pdf", size_bytes=1200, sha256="0" * 64, media_type="", source_url=""
    )
    return OrderProof(
        number=number,
        examination=examination_of("Offer.pdf"),
        report=Report(reason=Reason.ALL_SAVED, files=(file,)),
    )


@pytest.fixture(name="proofs")
def _proofs(monkeypatch: pytest.MonkeyPatch, program: Path) -> FakeProofs:
    """A profile "acme" that is logged in, and no browser: each order is found with one file."""
    fake = FakeProofs(found=(good_proof("4500010005"), good_proof("4500010006")))

    async def run(job: ProofRun, numbers: tuple[str, ...]) -> tuple[OrderProof, ...]:
        return await fake.run(job, numbers)

    monkeypatch.setattr(ProofRun, "run", run)
    monkeypatch.setattr("poolwright.system.sandbox.probe_sandbox", lambda _: SANDBOX_ALLOWED)
    ProfileRepository(program / "profiles").create("acme", ProfileFile(pack="acme", base_url="https://portal.test"))
    return fake


def learn_and_prove(command: Command, folder: Path, *more: str) -> Result:
    return command("portal", "learn", "acme", "--from", str(folder), "--profile", "acme", *more)


def test_a_learned_pack_is_tried_on_the_named_orders(command: Command, folder: Path, proofs: FakeProofs) -> None:
    result = learn_and_prove(command, folder, "--prove", "4500010005", "--prove", "4500010006", "--to", "got")

    assert result.exit_code == ExitCode.DONE, result.output
    job, numbers = proofs.runs[0]
    assert numbers == ("4500010005", "4500010006")
    assert (job.site.pack.name, job.site.base_url) == ("acme", "https://portal.test")
    assert job.settings.out == Path("got")
    assert job.base == Path("profiles/acme/base")
    rows = [line.split() for line in result.stdout.splitlines() if "Offer.pdf" in line and "found" not in line]
    assert rows == [[number, "ready", "not", "told", "1", "1:", "Offer.pdf", "(1.2", "kB)"] for number in numbers]
    assert "Next:" not in result.stdout


def test_orders_of_the_observations_are_tried_too(command: Command, folder: Path, proofs: FakeProofs) -> None:
    file = folder / OBSERVATIONS_FILE
    file.write_text('prove = ["4500010006"]\n' + file.read_text(encoding="utf-8"), encoding="utf-8")

    assert learn_and_prove(command, folder, "--prove", "4500010005").exit_code == ExitCode.DONE
    assert command("portal", "learn", "--check", "acme.toml", "--profile", "acme").exit_code == ExitCode.DONE
    untried = command("portal", "learn", "again", "--from", str(folder))

    assert [numbers for _, numbers in proofs.runs] == [("4500010005", "4500010006"), ("4500010006",)]
    assert untried.exit_code == ExitCode.DONE
    assert "not sure: The pack was not tried on 4500010006: name a profile" in untried.stdout


def test_an_order_that_differs_is_told_and_the_pack_is_written(
    command: Command, program: Path, folder: Path, proofs: FakeProofs
) -> None:
    proofs.found = (OrderProof(number="4500010005", problem="The page hangs."),)

    result = learn_and_prove(command, folder, "--prove", "4500010005")

    assert result.exit_code == ExitCode.NOT_ALL_DONE
    assert "wrong: Order 4500010005: The page hangs." in result.stdout
    assert "not sure: Only one order was tried" in result.stdout
    assert (program / "acme.toml").is_file()
    checked = command("portal", "learn", "--check", "acme.toml", "--profile", "acme", "--prove", "4500010005")
    assert checked.exit_code == ExitCode.NOT_ALL_DONE


def test_an_order_that_was_shown_proves_little(command: Command, folder: Path, proofs: FakeProofs) -> None:
    proofs.found = (good_proof("4500010001"), good_proof("4500010005"))

    result = learn_and_prove(command, folder, "--prove", "4500010001", "--prove", "4500010005")

    assert "not sure: Order 4500010001: the pack was learned from it" in result.stdout
    assert "Order 4500010005: the pack was learned" not in result.stdout


def test_a_right_order_excuses_no_page_that_is_read_wrongly(command: Command, folder: Path, proofs: FakeProofs) -> None:
    text = (folder / OBSERVATIONS_FILE).read_text(encoding="utf-8")
    text = text.replace('file = "order-1.html"', 'file = "order-1.html"\ncount = 4')
    (folder / OBSERVATIONS_FILE).write_text(text, encoding="utf-8")

    assert learn_and_prove(command, folder, "--prove", "4500010005").exit_code == ExitCode.NOT_ALL_DONE
    assert len(proofs.runs) == 1


def test_orders_are_tried_with_a_profile_alone(command: Command, program: Path, folder: Path) -> None:
    without = command("portal", "learn", "acme", "--from", str(folder), "--prove", "4500010005")
    missing = learn_and_prove(command, folder, "--prove", "4500010005")

    assert (without.exit_code, missing.exit_code) == (ExitCode.USAGE, ExitCode.PROFILE)
    assert "name a profile that is logged in with --profile" in without.stderr
    assert not (program / "acme.toml").exists()


@dataclass(kw_only=True)
class FakeWindow:
    """Stands in for the window, and for the browser that checks its login."""

    folder: Path
    numbers: tuple[str, ...] = ()
    error: Exception | None = None
    #: The profiles that were made, as they were.
    made: list[tuple[Path, ProfileFile]] = field(default_factory=list[tuple[Path, ProfileFile]])

    def show(self, teaching: PortalTeaching) -> None:
        shutil.copytree(self.folder, teaching.pages_path)
        file = teaching.pages_path / OBSERVATIONS_FILE
        file.write_text(f"prove = {list(self.numbers)}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")

    def keep(self, job: ProfileLogin, window_path: Path) -> Seal:
        assert window_path.name == "window"
        self.made.append((job.profile.path, job.profile.read()))
        if self.error:
            raise self.error
        return Seal(
            schema=1, created_at=datetime(2024, 5, 1, tzinfo=UTC), browser_version="1", cookies_count=1, files={}
        )


@pytest.fixture(name="window")
def _window(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeWindow:
    """A screen, and a person who shows the pages of the folder."""
    fake = FakeWindow(folder=folder)

    async def run(teaching: PortalTeaching, **_: object) -> None:
        fake.show(teaching)

    async def keep(job: ProfileLogin, window_path: Path) -> Seal:
        return fake.keep(job, window_path)

    monkeypatch.setattr(PortalTeaching, "run", run)
    monkeypatch.setattr("poolwright.service.login_methods.keep_window_login", keep)
    monkeypatch.setattr("poolwright.cli.portal_learn.has_display", lambda: True)
    monkeypatch.setattr("poolwright.cli.profile_inspect.describe_cookies", lambda _: "1 cookie for 1 site")
    monkeypatch.setattr("poolwright.system.sandbox.probe_sandbox", lambda _: SANDBOX_ALLOWED)
    return fake


WINDOW = ("portal", "learn", "acme", "--url", "https://portal.test/start")


def test_the_login_of_the_window_becomes_a_whole_profile(command: Command, program: Path, window: FakeWindow) -> None:
    result = command(*WINDOW, "--profile", "ours")

    assert result.exit_code == ExitCode.DONE, result.output
    assert "Next: poolwright run LIST --profile ours" in result.stdout
    assert "profile login" not in result.stdout
    content = ProfileRepository(program / "profiles").find("ours").read()
    pack = (program / "acme.toml").read_bytes()
    assert (content.pack, content.pack_file, content.base_url) == ("acme", "pack.toml", "https://portal.test")
    assert content.pack_sha256 == hashlib.sha256(pack).hexdigest()
    assert (program / "profiles" / "ours" / "pack.toml").read_bytes() == pack


def test_the_orders_of_the_panel_are_tried_and_a_profile_without_a_name_is_gone(
    command: Command, program: Path, window: FakeWindow, proofs: FakeProofs
) -> None:
    window.numbers = ("4500010005",)

    result = command(*WINDOW, "--prove", "4500010006")

    assert result.exit_code == ExitCode.DONE, result.output
    job, numbers = proofs.runs[0]
    assert numbers == ("4500010006", "4500010005")
    ((path, content),) = window.made
    assert (content.pack, job.base) == ("acme", path / "base")
    assert not path.exists()
    assert [path.name for path in (program / "profiles").iterdir()] == ["acme"], "the one that was there before"
    assert "Next: poolwright profile login acme --portal acme.toml" in result.stdout


def test_a_login_that_does_not_hold_costs_the_profile_alone(
    command: Command, program: Path, window: FakeWindow
) -> None:
    window.error = LoginRequiredError("The portal asks a new browser to log in.")

    result = command(*WINDOW, "--profile", "ours")

    assert result.exit_code == ExitCode.LOGIN
    assert "asks a new browser" in result.stderr
    assert (program / "acme.toml").is_file()
    assert not (program / "profiles" / "ours").exists()


def test_the_window_replaces_no_profile(command: Command, proofs: FakeProofs) -> None:
    result = command("portal", "learn", "acme", "--url", "https://portal.test", "--profile", "acme")

    assert result.exit_code == ExitCode.USAGE
    assert "There is a profile acme" in result.stderr
    assert proofs.runs == []


def test_a_window_needs_a_screen(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    result = command("portal", "learn", "acme", "--url", "https://portal.test")

    assert result.exit_code == ExitCode.RESOURCES
    assert "--from FOLDER" in result.stderr


def test_a_page_in_another_encoding_is_read_as_it_says(command: Command, folder: Path) -> None:
    page = folder / "order-3.html"
    text = (
        page.read_text(encoding="utf-8").replace("charset=utf-8", "charset=iso-8859-1").replace("documents.", "Größe")
    )
    page.write_bytes(text.encode("iso-8859-1"))

    result = command("portal", "learn", "acme", "--from", str(folder))

    assert "This order has no Größe" in result.stdout
