"""The entries that are on the timetable, each with its memory, kept on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from poolwright.domain.events import Level, Notice
from poolwright.domain.ports import Clock, EventSink
from poolwright.service.schedules.entry import Schedule
from poolwright.service.schedules.firing import valid_since
from poolwright.service.schedules.ledger import Ledger
from poolwright.service.schedules.records import Memory


@dataclass(slots=True, kw_only=True)
class Place:
    """A schedule and its state. The scheduler changes it, then saves it."""

    schedule: Schedule
    memory: Memory


class Places:
    """All schedules by name, in the order of the settings."""

    def __init__(self, ledger: Ledger, clock: Clock, observe: EventSink) -> None:
        """Nothing is read before ``load``."""
        self._ledger = ledger
        self._clock = clock
        self._observe = observe
        self._places: dict[str, Place] = {}
        #: Entries that are gone and whose run goes on.
        self._leaving: dict[str, Place] = {}
        self._is_disk_told = False

    def __iter__(self) -> Iterator[Place]:
        """All entries; they may be replaced meanwhile."""
        return iter(tuple(self._places.values()))

    def find(self, name: str) -> Place | None:
        """The entry of this name."""
        return self._places.get(name)

    def has(self, place: Place) -> bool:
        """Whether this entry is still on the timetable."""
        return self._places.get(place.schedule.name) is place

    def say(self, level: Level, text: str) -> None:
        """Publish a notice."""
        self._observe(Notice(level=level, text=text))

    async def load(self) -> None:
        """Read what an earlier daemon remembered."""
        trouble = await self._ledger.load()
        if trouble:
            self.say(Level.WARNING, trouble)

    async def put(self, schedules: Iterable[Schedule]) -> None:
        """Replace all schedules. A known one keeps its run and its history."""
        known = self._places | self._leaving
        self._places = {one.name: self._placed(one, known.pop(one.name, None)) for one in schedules}
        self._leaving = {name: place for name, place in known.items() if place.memory.open is not None}
        for place in self:
            await self.keep(place)
        for place in known.values():
            place.memory = replace(place.memory, waiting_at=None)
            await self.keep(place)

    async def keep(self, place: Place) -> None:
        """Write down what is remembered of an entry; of one that is gone nothing, once its run is over."""
        name = place.schedule.name
        is_gone = not self.has(place) and place.memory.open is None
        if is_gone:
            self._leaving.pop(name, None)
        try:
            await (self._ledger.forget(name) if is_gone else self._ledger.keep(name, place.memory))
        except OSError as error:
            self._tell_disk(error)
        else:
            self._is_disk_told = False

    def _placed(self, schedule: Schedule, here: Place | None) -> Place:
        now = self._clock.now()
        memory = here.memory if here else self._ledger.find(schedule.name)
        if memory is None:
            memory = Memory(rhythm=schedule.rhythm, since=now)
        elif memory.rhythm != schedule.rhythm:
            memory = replace(memory, rhythm=schedule.rhythm, since=now)
        else:
            memory = replace(memory, since=valid_since(memory.since, now))
        if here is None:
            return Place(schedule=schedule, memory=memory)
        here.schedule, here.memory = schedule, memory
        return here

    def _tell_disk(self, error: OSError) -> None:
        """Once, until it works again."""
        if not self._is_disk_told:
            self._is_disk_told = True
            self.say(
                Level.WARNING,
                f"The state of the schedules cannot be saved ({error.strerror}); if the daemon ends now, missed runs "
                "are not known. Free some disk space, or fix the permissions of the output folder.",
            )
