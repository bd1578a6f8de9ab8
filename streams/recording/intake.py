"""What waits for the disk: bounded, in order, and with a gap in the place of what found no room."""

import threading
from collections import deque
from collections.abc import Callable

from hardware.types import LossCause
from streams.messages import Gap, Message, PhotonBatch, Spectrum

__all__ = ["Intake"]

BYTES_PER_PHOTON = 11
SMALL = 512  # stands for a message without columns
TAKEN_AT_ONCE = 64


class Intake:
    """A queue between one producer and the writer thread.

    Args:
        max_bytes: photons and spectra beyond it are refused; the small messages may fill as much again.
        unix_ns: wall clock, noted with every message.

    Attributes:
        cause: why there is no room, if there is none.
        lost_photons: refused so far.
        lost_messages: other messages refused so far.
    """

    def __init__(self, max_bytes: int, unix_ns: Callable[[], int]) -> None:
        self.cause = LossCause.DISK_TOO_SLOW
        self.lost_photons = 0
        self.lost_messages = 0
        self._max_bytes = max_bytes
        self._unix_ns = unix_ns
        self._queue: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._overflowing = False
        self._gap_waits = False  # the newest gap for a refused batch is still in the queue and can grow
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Messages."""
        return len(self._queue)

    @property
    def waiting_bytes(self) -> int:
        """As columns in memory."""
        return self._bytes

    @property
    def fill(self) -> float:
        """0 to 1."""
        return min(self._bytes / self._max_bytes, 1.0)

    @property
    def overflowing(self) -> bool:
        """The last batch was refused."""
        return self._overflowing

    def put(self, message: Message) -> bool:
        """Take a message, or note the gap it leaves; never waits. False if it was refused."""
        with self._changed:
            bulky = isinstance(message, PhotonBatch | Spectrum)
            limit = self._max_bytes if bulky else 2 * self._max_bytes
            taken = self._bytes < limit  # so that after `room` there is always room for one more
            if taken:
                self._append(message)
            elif isinstance(message, PhotonBatch):
                self._note_gap(message)
            else:
                self.lost_messages += 1
            if isinstance(message, PhotonBatch):
                self._overflowing = not taken
                self._gap_waits = self._gap_waits and not taken
            self._changed.notify_all()
            return taken

    def take(self, timeout_s: float) -> list[tuple[Message, int]]:
        """Some messages with the wall clock of their arrival; none if nothing came in time."""
        with self._changed:
            if not self._queue:
                self._changed.wait(timeout_s)
            taken = [self._queue.popleft() for _ in range(min(len(self._queue), TAKEN_AT_ONCE))]
            self._bytes -= sum(_size(message) for message, _ in taken)
            if any(isinstance(message, Gap) for message, _ in taken):
                self._gap_waits = False
            self._changed.notify_all()
            return taken

    def room(self, timeout_s: float) -> bool:
        """Wait until there is room for a batch; False if it took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes < self._max_bytes, timeout_s)

    def wake(self) -> None:
        """Let a waiting `take` return."""
        with self._changed:
            self._changed.notify_all()

    def _append(self, message: Message) -> None:
        self._queue.append((message, self._unix_ns()))
        self._bytes += _size(message)

    def _note_gap(self, batch: PhotonBatch) -> None:
        lost = len(batch.photons)
        self.lost_photons += lost
        first = batch.first_pulse
        if self._gap_waits:
            for i in range(len(self._queue) - 1, -1, -1):
                gap, unix_ns = self._queue[i]
                if not isinstance(gap, Gap) or gap.cause is not self.cause:
                    continue
                if (gap.segment, gap.stop_pulse) == (batch.segment, first):
                    lost += gap.lost_photons or 0
                    grown = Gap(gap.segment, gap.first_pulse, batch.stop_pulse, gap.cause, lost)
                    self._queue[i] = grown, unix_ns
                    return
        self._append(Gap(batch.segment, first, batch.stop_pulse, self.cause, lost))
        self._gap_waits = True


def _size(message: Message) -> int:
    if isinstance(message, PhotonBatch):
        return BYTES_PER_PHOTON * len(message.photons) + SMALL
    if isinstance(message, Spectrum):
        return 16 * len(message.counts) + SMALL
    return SMALL
