"""Long lists in little memory: as text in place of objects, and their repeated texts without a set of all of them.

A list of the user may have a million rows. As objects, a row with its order takes a kilobyte; as text it takes what it
has in the file. Short lists stay objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from json import dumps, loads
from operator import eq
from typing import Any, Generic, TypeVar, cast, overload

T = TypeVar("T")

#: Items that become one text, and objects again at once. A shorter list is not packed.
CHUNK_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class ItemCodec(Generic[T]):
    """How an item becomes a JSON value and back; both must be equal."""

    encode: Callable[[T], Any]
    decode: Callable[[Any], T]


class PackedList(Sequence[T]):
    """An immutable list, made by ``pack``. Reading it in order is fast; a slice shares the memory of its list."""

    def __init__(self, chunks: Sequence[str], tail: Sequence[T], codec: ItemCodec[T], span: range) -> None:
        """Keep the parts.

        Args:
            chunks: Texts of ``CHUNK_ITEMS`` items each.
            tail: The items after them.
            codec: How an item is packed.
            span: Positions of the items of this list among all of them.
        """
        self._chunks = chunks
        self._tail = tail
        self._codec = codec
        self._span = span
        #: The chunk that was opened last, with its number.
        self._opened: tuple[int, list[T]] = (-1, [])

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._span)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """Return an item, or a part of the list."""
        if isinstance(index, slice):
            span = self._span[index]
            if span.step == 1:
                return PackedList(self._chunks, self._tail, self._codec, span)
            return [self[position] for position in range(len(self))[index]]
        number, offset = divmod(self._span[index], CHUNK_ITEMS)
        return self._items(number)[offset]

    def __iter__(self) -> Iterator[T]:
        """Yield the items in order."""
        position, stop = self._span.start, self._span.stop
        while position < stop:
            number, offset = divmod(position, CHUNK_ITEMS)
            items = self._items(number)[offset : offset + stop - position]
            yield from items
            position += len(items)

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence but a text, item by item."""
        if not isinstance(other, Sequence) or isinstance(other, str):
            return False
        others = cast("Sequence[object]", other)
        return len(self) == len(others) and all(map(eq, self, others))

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        """Return the number of items: they may be a million."""
        return f"<PackedList of {len(self)} items>"

    def _items(self, number: int) -> Sequence[T]:
        if number == len(self._chunks):
            return self._tail
        opened, items = self._opened
        if opened != number:
            items = [self._codec.decode(value) for value in loads(self._chunks[number])]
            self._opened = (number, items)
        return items


class ListPacker(Generic[T]):
    """Takes the items of a list one by one."""

    def __init__(self, codec: ItemCodec[T]) -> None:
        """Start with no item."""
        self._codec = codec
        self._chunks: list[str] = []
        self._tail: list[T] = []

    def append(self, item: T) -> None:
        """Add an item at the end."""
        self._tail.append(item)
        if len(self._tail) == CHUNK_ITEMS:
            values = [self._codec.encode(item) for item in self._tail]
            self._chunks.append(dumps(values, ensure_ascii=False, separators=(",", ":")))
            self._tail = []

    def packed(self) -> PackedList[T]:
        """Return the items so far as a list; no further item is added."""
        count = len(self._chunks) * CHUNK_ITEMS + len(self._tail)
        return PackedList(self._chunks, self._tail, self._codec, range(count))


def pack(items: Iterable[T], codec: ItemCodec[T]) -> PackedList[T]:
    """Return the items as a packed list; they are taken one by one."""
    packer = ListPacker(codec)
    for item in items:
        packer.append(item)
    return packer.packed()


#: Bits for each text: one in so many texts is taken for a repeated one by chance.
_BITS_PER_TEXT = 128


def find_repeated(texts: Iterable[str], count: int) -> frozenset[str]:
    """Return every text that comes more than once, and a few others.

    Who must know for sure looks at those that are returned, which are few; no other text is repeated. A million texts
    take 16 MB, whatever their length.

    Args:
        texts: The texts, read once.
        count: About how many there are.
    """
    mask = (1 << (count * _BITS_PER_TEXT).bit_length()) - 1
    marks = bytearray((mask >> 3) + 1)
    repeated: set[str] = set()
    for text in texts:
        place = hash(text) & mask
        bit = 1 << (place & 7)
        if marks[place >> 3] & bit:
            repeated.add(text)
        else:
            marks[place >> 3] |= bit
    return frozenset(repeated)
