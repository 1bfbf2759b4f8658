"""A dropped list is taken once, whatever happens in between; on real files, with a clock that is told to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import DiskFullError, OptionsError
from poolwright.domain.events import Event, Notice
from poolwright.domain.ports import Accepted
from poolwright.domain.tasks import OrderList
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import orders_from_file
from poolwright.service.inbox import watcher
from poolwright.service.inbox.folders import STABLE_S, InboxFileKind, InboxFolders, file_kind
from poolwright.service.inbox.watcher import InboxWatcher, create_inbox_watcher
from poolwright.settings import load_settings
from tests.support.order_files import xlsx
from tests.support.schedule_scenario import READING, Queue, SetClock, names, until

LIST = "PO\nPO100001\nPO100002\n"


@dataclass(kw_only=True)
class InboxSetup:
    """An inbox and what it makes of what is dropped; ``look`` is one look, some seconds after the one before."""

    root: Path
    queue: Queue = field(default_factory=Queue)
    clock: SetClock = field(default_factory=SetClock)
    events: list[Event] = field(default_factory=list[Event])
    inbox: InboxWatcher = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new daemon over the same folder."""
        self.inbox = InboxWatcher(
            self.root, submit=self.queue.submit, reading=READING, clock=self.clock, observe=self.events.append
        )

    def drop(self, name: str, content: str | bytes = LIST) -> Path:
        path = self.root / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    async def look(self, count: int = 1) -> None:
        for _ in range(count):
            await self.inbox.check_once()
            self.clock.go(seconds=STABLE_S)

    def files(self) -> list[str]:
        """All that lies in it, with the moment of a taking left out."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if not path.is_dir())
        return sorted(str(path.with_name(_plain(path.name))) for path in found)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]


def _plain(name: str) -> str:
    return ".".join(part for part in name.split(".") if not part.startswith("2026"))


@pytest.fixture
def place(tmp_path: Path) -> InboxSetup:
    root = tmp_path / "inbox"
    root.mkdir()
    return InboxSetup(root=root)


async def test_a_dropped_list_is_submitted_once_and_put_away(place: InboxSetup) -> None:
    place.drop("orders.csv")
    place.drop("more.xlsx", xlsx({"PO_Data": [["PO"], ["PO100003"]]}))
    place.drop("short.txt", "PO100004")

    await place.look(4)

    assert sorted(names(place.queue.lists)) == ["more.xlsx", "orders.csv", "short.txt"]
    assert place.files() == ["done/more.xlsx", "done/orders.csv", "done/short.txt"]
    assert any("accepted orders.csv: 2 new orders, 0 known" in text for text in place.texts)


async def test_what_the_daemon_says_about_a_list_is_told(place: InboxSetup) -> None:
    place.queue.notices = ("The group 2000 is set aside.",)
    place.drop("orders.csv")

    await place.look(2)

    assert place.texts[-1].endswith("moved to done. The group 2000 is set aside.")


async def test_a_list_that_lacks_a_column_for_its_folders_is_refused_with_the_reason(place: InboxSetup) -> None:
    place.queue.error = InputRefusedError("The list has no such column for {Buyer}.")
    place.drop("orders.csv")

    await place.look(2)

    assert place.files() == ["refused/orders.csv", "refused/orders.csv.reason.txt"]
    (reason,) = place.root.glob("refused/*.txt")
    assert "Why: The list has no such column for {Buyer}." in reason.read_text()


async def test_two_lists_of_one_name_stay_both(place: InboxSetup) -> None:
    for number in (1, 2):
        place.drop("orders.csv", f"PO\nPO10000{number}\n")
        await place.look(2)

    assert place.files() == ["done/orders.csv"] * 2
    assert len(place.queue.lists) == 2


async def test_a_list_that_still_grows_is_left_alone(place: InboxSetup) -> None:
    path = place.drop("orders.csv", "PO\n")
    for number in range(5):
        await place.look()
        with path.open("a") as file:
            file.write(f"PO10000{number}\n")
    assert place.queue.lists == []

    await place.look(2)

    assert len(place.queue.lists[0].tasks) == 5


async def test_two_looks_are_not_enough_when_they_follow_at_once(place: InboxSetup) -> None:
    place.drop("orders.csv")
    await place.inbox.check_once()
    place.clock.go(seconds=STABLE_S - 0.1)
    await place.inbox.check_once()
    assert place.queue.lists == []
    place.clock.go(seconds=0.2)
    await place.inbox.check_once()

    assert len(place.queue.lists) == 1


async def test_a_writer_that_goes_on_after_the_taking_is_waited_for(
    place: InboxSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.drop("orders.csv", "PO\nPO100001\n").open("a") as writer:
        read = orders_from_file

        def slowly(path: Path, reading: Any) -> Any:  # noqa: ANN401 - handed on
            orders = read(path, reading)
            if not writer.closed:
                writer.write("PO100002\n")
                writer.close()
            return orders

        monkeypatch.setattr(watcher, "orders_from_file", slowly)
        await place.look(2)
        assert place.queue.lists == []
        await place.look()

    assert len(place.queue.lists[0].tasks) == 2
    assert any("waits: it is still being written" in text for text in place.texts)


@pytest.mark.parametrize(
    "name", ["~$orders.xlsx", ".orders.csv", "orders.csv.part", "orders.tmp", "orders.csv.crdownload", "orders.csv~"]
)
async def test_files_on_their_way_are_left_alone_in_silence(name: str, place: InboxSetup) -> None:
    place.drop(name)

    await place.look(3)

    assert (place.files(), place.texts) == ([name], [])
    assert file_kind(name) is InboxFileKind.TEMPORARY


async def test_what_is_no_list_is_left_alone_and_told_once(place: InboxSetup) -> None:
    place.drop("photo.jpg")

    await place.look(3)

    assert place.files() == ["photo.jpg"]
    assert place.texts == [
        "photo.jpg in the inbox is not a list and is ignored. Supported: .xlsx, .xls, .ods, .csv, .txt."
    ]


async def test_a_list_that_is_refused_lies_beside_its_reason(place: InboxSetup) -> None:
    place.drop("orders.csv", "Name,City\nAnna,Rome\nBert,Oslo\n")

    await place.look(3)

    assert place.files() == ["refused/orders.csv", "refused/orders.csv.reason.txt"]
    reason = next((place.root / "refused").glob("*.reason.txt")).read_text()
    assert reason.startswith("orders.csv was refused (30 Nov 2026")
    assert "Why: orders.csv has no column that is recognised as order numbers" in reason
    assert "fix the list and put it into the inbox again" in reason
    assert [text for text in place.texts if "refused orders.csv" in text] == place.texts


async def test_a_list_that_is_too_large_is_refused_unread(place: InboxSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "CONTENT_BYTES_MAX", 10)
    monkeypatch.setattr(watcher, "orders_from_file", None)
    place.drop("orders.csv")

    await place.look(2)

    assert "larger than" in next((place.root / "refused").glob("*.reason.txt")).read_text()


async def test_links_are_not_followed(place: InboxSetup, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text(LIST)
    (place.root / "orders.csv").symlink_to(outside)
    await place.look(3)
    assert (place.queue.lists, outside.read_text()) == ([], LIST)
    assert place.texts == ["orders.csv in the inbox is a symbolic link and is ignored. Copy the list itself."]

    (place.root / "orders.csv").unlink()
    (tmp_path / "elsewhere").mkdir()
    (place.root / "done").symlink_to(tmp_path / "elsewhere")
    place.drop("orders.csv")
    await place.look(4)

    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert sum("it is a symbolic link, which is not followed" in text for text in place.texts) == 1


async def test_a_queue_that_takes_nothing_now_is_told_once_and_gets_the_list_later(place: InboxSetup) -> None:
    place.queue.error = DiskFullError("The disk of the journal is full.")
    place.drop("orders.csv")
    await place.look(4)
    assert [text for text in place.texts if "waits: The disk of the journal is full." in text] == place.texts
    assert len(place.texts) == 1

    place.queue.error = None
    await place.look()

    assert place.files() == ["done/orders.csv"]


async def test_a_folder_that_is_gone_is_told_once_and_so_is_its_return(place: InboxSetup) -> None:
    place.root.rmdir()
    await place.look(3)
    place.root.mkdir()
    place.drop("orders.csv")
    await place.look(2)

    assert len(place.texts) == 3
    assert "cannot be read (No such file or directory)" in place.texts[0]
    assert place.texts[1] == f"The inbox {place.root} is available again."
    assert place.files() == ["done/orders.csv"]


@pytest.mark.parametrize("shelf", ["taking", "done"])
async def test_a_folder_that_cannot_be_written_is_told_once_and_nothing_is_lost(shelf: str, place: InboxSetup) -> None:
    in_the_way = place.drop(shelf, "")
    place.drop("orders.csv")
    await place.look(5)
    in_the_way.unlink()
    await place.look(2)

    assert place.files() == ["done/orders.csv"]
    assert len([text for text in place.texts if "tried again" in text]) == 1
    assert {orders.batch_id for orders in place.queue.lists} == {place.queue.lists[0].batch_id}


async def test_a_list_that_its_owner_took_back_is_no_trouble(
    place: InboxSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.drop("orders.csv")
    await place.look()
    take = InboxFolders.claim

    def too_late(self: InboxFolders, path: Path, moment: str) -> Path:
        path.unlink()
        return take(self, path, moment)

    monkeypatch.setattr(InboxFolders, "claim", too_late)
    await place.look()
    assert not path.exists()

    await place.look()

    assert place.texts == []
    assert [entry.name for entry in (place.root / "taking").iterdir()] == []


class KilledError(BaseException):
    """The daemon ends here."""


def _killing(before: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Lets a step happen ``before`` times and kills then."""
    left = [before]

    def around(step: Callable[..., Any]) -> Callable[..., Any]:
        def killed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - handed on
            if not left[0]:
                raise KilledError
            left[0] -= 1
            return step(*given, **named)

        return killed

    return around


@pytest.mark.parametrize("content", [LIST, "Name,City\nAnna,Rome\n"], ids=["good", "refused"])
@pytest.mark.parametrize("step", ["mkdir", "rename", "write_text", "rmdir"])
@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_kill_between_any_two_steps_neither_loses_the_list_nor_submits_another(
    content: str, step: str, before: int, place: InboxSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.drop("orders.csv", content)
    await place.look()
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, _killing(before)(getattr(Path, step)))
        try:
            await place.look()
        except KilledError:
            place.restart()
    await place.look(3)

    is_good = content == LIST
    shelf = ["done/orders.csv"] if is_good else ["refused/orders.csv", "refused/orders.csv.reason.txt"]
    assert place.files() == shelf
    assert len({orders.batch_id for orders in place.queue.lists}) == int(is_good)
    assert list((place.root / "taking").iterdir()) == []


async def test_two_daemons_on_one_inbox_take_each_list_once(place: InboxSetup) -> None:
    others = Queue()
    other = InboxWatcher(
        place.root, submit=others.submit, reading=READING, clock=place.clock, observe=place.events.append
    )

    async def submit(orders: OrderList) -> Accepted:
        await other.check_once()
        return await place.queue.submit(orders)

    place.inbox = InboxWatcher(
        place.root, submit=submit, reading=READING, clock=place.clock, observe=place.events.append
    )
    place.drop("orders.csv")
    await place.look(2)
    place.drop("more.csv", "PO\nPO100003\n")
    for _ in range(2):
        await other.check_once()
        place.clock.go(seconds=STABLE_S)

    assert (names(place.queue.lists), names(others.lists)) == (["orders.csv"], ["more.csv"])
    assert place.files() == ["done/more.csv", "done/orders.csv"]


def test_there_is_an_inbox_where_the_settings_name_one_outside_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given: Any = {"submit": Queue().submit, "reading": READING, "clock": SetClock(), "observe": [].append}

    assert create_inbox_watcher(load_settings(), **given) is None
    assert create_inbox_watcher(load_settings({"inbox_dir": "lists"}), **given) is not None
    for folder in ("downloads", "downloads/lists"):
        with pytest.raises(OptionsError, match="Choose a folder outside of it"):
            create_inbox_watcher(load_settings({"inbox_dir": folder}), **given)


async def test_it_looks_by_itself(place: InboxSetup) -> None:
    inbox = InboxWatcher(
        place.root, submit=place.queue.submit, reading=READING, clock=SystemClock(), observe=place.events.append
    )
    place.drop("orders.csv")
    async with anyio.create_task_group() as group:
        group.start_soon(inbox.run, 0.05)
        await until(lambda: place.files() == ["done/orders.csv"])
        group.cancel_scope.cancel()
