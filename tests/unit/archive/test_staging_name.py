"""Where the files of an attempt wait: never in the folder of another one."""

from __future__ import annotations

import dataclasses

import pytest

from poolwright.archive.staging import staging_folder_name
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask

ADDRESS = "https://portal.example.com/purchasing/reports/monthly/export?department=finance&"


def task(name: str, attempt: int = 1) -> POTask:
    return POTask(task_id=TaskId(name), po_number=name, portal_number=name, attempt=attempt)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a b", "a-b"), ("a/b", "a?b"), ("PO1", "po1"), (f"{ADDRESS}page=1", f"{ADDRESS}page=2")],
)
def test_names_that_look_alike_have_folders_of_their_own(one: str, other: str) -> None:
    assert staging_folder_name(task(one)).casefold() != staging_folder_name(task(other)).casefold()


def test_each_attempt_has_its_own_folder_and_finds_it_again() -> None:
    assert staging_folder_name(task("a", 1)) != staging_folder_name(task("a", 2))
    assert staging_folder_name(task("a")) == staging_folder_name(dataclasses.replace(task("a"), payload={"page": 1}))


@pytest.mark.parametrize("name", ["../../etc", "x" * 5000, "\N{LINEAR B SYLLABLE B008 A}" * 300, "", "con", "a:b*c"])
def test_every_file_system_takes_the_name(name: str) -> None:
    folder = staging_folder_name(task(name))

    assert len(folder.encode()) <= 200
    assert folder.replace("-", "").replace(".", "").isalnum()
    assert not folder.startswith(".")
