"""What a publisher remembers of its session, packed, so that late and stalled subscribers can catch up.

Photons and spectra are kept for a time and within a number of bytes. Everything else is small and is kept
for the whole session (the newest 20 000 of each topic), so that the photons still held can be understood.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

__all__ = ["History", "Kept", "Page"]

BULK = frozenset({"photons/", "spectrum/"})
# The last of each still holds.
STATE = ("session/", "segment/", "fluence/", "laser/", "status/", "recording/", "replay/")

_MAX_PER_TOPIC = 20_000
_MAX_SCANNED = 4096  # messages looked at for one page, so that a question never stops the event loop


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as its frames, with its position, and when it was kept (s)."""

    pos: int
    topic: str
    kept_s: float
    frames: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        return sum(map(len, self.frames))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was asked for: all that is held of the positions before `next_pos`, in order."""

    messages: tuple[Kept, ...]
    next_pos: int


@dataclass(slots=True)
class _Shelf:
    """Messages in order of position: append at the end, drop at the start, look up by position."""

    kept: list[Kept] = field(default_factory=list)
    start: int = 0
    size: int = 0

    def __len__(self) -> int:
        return len(self.kept) - self.start

    def append(self, message: Kept) -> None:
        self.kept.append(message)
        self.size += message.size

    def oldest(self) -> Kept:
        return self.kept[self.start]

    def drop_oldest(self) -> None:
        self.size -= self.oldest().size
        self.start += 1
        if self.start >= 64:  # shifting a list is cheap, but not for every message
            del self.kept[: self.start]
            self.start = 0

    def index(self, pos: int) -> int:
        return bisect_left(self.kept, pos, lo=self.start, key=attrgetter("pos"))

    def between(self, first: int, stop: int) -> Iterator[Kept]:
        for i in range(self.index(first), len(self.kept)):
            if self.kept[i].pos >= stop:
                return
            yield self.kept[i]

    def last_before(self, pos: int) -> Kept | None:
        i = self.index(pos)
        return self.kept[i - 1] if i > self.start else None


class History:
    """The messages of one session, in order of position, within bounds.

    Args:
        max_age_s: how long photons and spectra are kept.
        max_bytes: bound of their packed size.
    """

    def __init__(self, max_age_s: float, max_bytes: int) -> None:
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._bulk = _Shelf()
        self._small: dict[str, _Shelf] = {}

    @property
    def bulk_bytes(self) -> int:
        """Packed size of the photons and spectra held."""
        return self._bulk.size

    @property
    def oldest_bulk_pos(self) -> int | None:
        """Position of the oldest photons or spectrum held; None if there are none."""
        return self._bulk.oldest().pos if len(self._bulk) else None

    def add(self, message: Kept) -> None:
        """Keep a message that comes after all others, and forget what is beyond the bounds."""
        if message.topic in BULK:
            self._bulk.append(message)
        else:
            shelf = self._small.setdefault(message.topic, _Shelf())
            shelf.append(message)
            if len(shelf) > _MAX_PER_TOPIC:
                shelf.drop_oldest()
        bulk, too_old_s = self._bulk, message.kept_s - self._max_age_s
        while len(bulk) and (bulk.size > self._max_bytes or bulk.oldest().kept_s < too_old_s):
            bulk.drop_oldest()

    def page(self, first: int, stop: int, topics: frozenset[str] | None, max_bytes: int) -> Page:
        """What is held of the positions [first, stop), as far as about `max_bytes` go, at least one message.

        Args:
            first: first position asked for.
            stop: exclusive.
            topics: only these; None for all.
            max_bytes: stop before the message that would go beyond it.
        """
        shelves = [self._bulk] if topics is None or topics & BULK else []
        shelves += [shelf for topic, shelf in self._small.items() if topics is None or topic in topics]
        chosen: list[Kept] = []
        size = 0
        merged = heapq.merge(*(shelf.between(first, stop) for shelf in shelves), key=attrgetter("pos"))
        for scanned, message in enumerate(merged):
            size += message.size
            if scanned == _MAX_SCANNED or (chosen and size > max_bytes):
                return Page(tuple(chosen), message.pos)
            if topics is None or message.topic in topics:
                chosen.append(message)
        return Page(tuple(chosen), max(first, stop))

    def in_force(self, at: int) -> tuple[Kept, ...]:
        """The last message of each kind of `STATE` before a position, in order."""
        shelves = (self._small[topic] for topic in STATE if topic in self._small)
        found = (shelf.last_before(at) for shelf in shelves)
        return tuple(sorted((kept for kept in found if kept is not None), key=attrgetter("pos")))
