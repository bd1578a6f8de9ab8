"""Which pulses a stretch of host time can hold, from when the card was read. No clock in here.

Photons of a read that returned before a moment were counted before it. A read begun after a moment takes
along everything counted before it.
"""

from collections import deque

__all__ = ["PulseMap"]

READS_KEPT = 20_000


class PulseMap:
    """Reads of a card in order; bounds are on the safe side by about one read each."""

    def __init__(self) -> None:
        self._reads: deque[tuple[int, int, int, int]] = deque([(0, 0, 0, 0)], maxlen=READS_KEPT)

    def note(self, began_ns: int, returned_ns: int, position: int, seen: int) -> None:
        """A read, and what is known after it.

        Args:
            began_ns: when it was begun (monotonic host clock).
            returned_ns: when it returned.
            position: every pulse below it is complete.
            seen: no photon so far is at or beyond it.
        """
        self._reads.append((began_ns, returned_ns, position, seen))

    def first_pulse(self, host_time_ns: int) -> int | None:
        """No pulse below it is at or after that moment; None if the moment is too long ago."""
        for _, returned_ns, position, _ in reversed(self._reads):
            if returned_ns <= host_time_ns:
                return position
        return None

    def stop_pulse(self, host_time_ns: int) -> int | None:
        """No photon at or beyond it was counted before that moment; None while not yet known."""
        found = None
        for began_ns, _, _, seen in reversed(self._reads):
            if began_ns < host_time_ns:
                break
            found = seen
        return found
