"""The order of a stream, whatever the sockets do: live messages and fetched pages in, each position once.

No sockets and no clock here. A position is delivered, or passed over because the publisher, asked for it,
no longer had it. Live messages that arrive too early wait in a bounded buffer; when it is full the newest
are let go, because the publisher's history has them as well.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Delivered", "PassedOver", "Sequencer", "Wanted"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Delivered(Generic[_T]):
    """The next message in order."""

    pos: int
    item: _T


@dataclass(frozen=True, slots=True)
class PassedOver:
    """The publisher no longer has the positions [first, stop), or was told not to send them."""

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ask the publisher for the positions [first, stop).

    With `state_only` ask for what holds just before `stop` instead; its page reaches to `stop`.
    """

    first: int
    stop: int
    state_only: bool = False


class Sequencer(Generic[_T]):
    """One stream of one publisher, from the first live message on.

    Args:
        history: begin with everything the publisher still has; else with the state at the first live one.
        max_held: messages that may wait for earlier ones.
        max_held_bytes: and their size.
    """

    def __init__(self, *, history: bool = True, max_held: int = 512, max_held_bytes: int = 64 << 20) -> None:
        self._history = history
        self._max_held = max_held
        self._max_held_bytes = max_held_bytes
        self._held: deque[tuple[int, _T, int]] = deque()
        self._held_bytes = 0
        self._ready: deque[Delivered[_T] | PassedOver] = deque()
        self._next = 0
        self._published = 0
        self._join_at: int | None = None  # what was published when the first live message came

    @property
    def next_pos(self) -> int:
        """Every position before it was delivered or passed over."""
        return self._next

    @property
    def joined(self) -> bool:
        """True once everything known to be published at the first live message was dealt with."""
        return self._join_at is not None and self._next >= self._join_at

    @property
    def held_bytes(self) -> int:
        """Size of the live messages waiting for earlier ones."""
        return self._held_bytes

    def live(self, pos: int, item: _T, size: int) -> None:
        """A live message arrived; `size` in bytes."""
        self.published(pos)
        newest = self._held[-1][0] if self._held else self._next - 1
        self._published = max(self._published, pos + 1)
        if pos <= newest:
            return
        room = len(self._held) < self._max_held and self._held_bytes + size <= self._max_held_bytes
        if room or pos == self._next:
            self._held.append((pos, item, size))
            self._held_bytes += size
            self._release()

    def published(self, stop: int) -> None:
        """The publisher says that it has published all positions before `stop` (a heartbeat does)."""
        if self._join_at is None:
            self._join_at = stop
        self._published = max(self._published, stop)

    def wanted(self) -> Wanted | None:
        """What to ask the publisher for now; None if nothing is missing."""
        stop = self._held[0][0] if self._held else self._published
        if stop <= self._next:
            return None
        if not self._history and not self.joined and self._join_at is not None:
            return Wanted(self._next, self._join_at, state_only=True)
        return Wanted(self._next, stop)

    def page(self, first: int, stop: int, items: Sequence[tuple[int, _T]]) -> bool:
        """The publisher's answer: all it has of [first, stop), in order. True if it was of use.

        Positions it lacks are passed over. Answers to questions that are no longer open are ignored.
        """
        if not first <= self._next < stop <= self._published:
            return False
        for pos, item in items:
            if self._next <= pos < stop:
                self._pass_over(pos)
                self._ready.append(Delivered(pos, item))
                self._next = pos + 1
        self._pass_over(stop)
        self._release()
        return True

    def take(self) -> Delivered[_T] | PassedOver | None:
        """The next thing to hand on; None if there is nothing now."""
        return self._ready.popleft() if self._ready else None

    def _pass_over(self, stop: int) -> None:
        if self._next < stop:
            self._ready.append(PassedOver(self._next, stop))
            self._next = stop

    def _release(self) -> None:
        while self._held and self._held[0][0] <= self._next:
            pos, item, size = self._held.popleft()
            self._held_bytes -= size
            if pos == self._next:
                self._ready.append(Delivered(pos, item))
                self._next = pos + 1
