"""Counts per detector in bins of time, and for how long each bin was looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from streams.messages import Gap, Message, PhotonBatch

__all__ = ["Intensity", "count"]

MAX_BINS = 100_000_000
PS_PER_S = 1e12

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Intensity:
    """Counts over a recording; bin k covers [k bin_s, (k + 1) bin_s).

    Attributes:
        bin_s: length of a bin, s.
        counts: channel -> (n,) int64 photons, background included.
        seen_s: (n,) float64, how much of each bin was looked at, s: less than `bin_s` where photons were
            lost, nothing was recorded, or the recording ends. A rate is counts / seen_s.
    """

    bin_s: float
    counts: Mapping[int, NDArray[np.int64]]
    seen_s: NDArray[np.float64]

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(n,) float64, start of each bin, s."""
        return np.arange(len(self.seen_s), dtype=np.float64) * self.bin_s

    @property
    def total(self) -> NDArray[np.int64]:
        """(n,) int64, photons of all detectors."""
        total = np.zeros(len(self.seen_s), np.int64)
        for mine in self.counts.values():
            total += mine
        return total


@dataclass
class _Part:
    """What is known of one acquisition; intervals in pulses."""

    covered: list[tuple[int, int]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)

    def cover(self, first: int, stop: int) -> None:
        if self.covered and self.covered[-1][1] == first:
            first = self.covered.pop()[0]
        self.covered.append((first, stop))

    def seen(self) -> Iterable[tuple[int, int]]:
        """What is covered and in no gap."""
        for first, stop in self.covered:
            at = first
            for gap_first, gap_stop in sorted(self.gaps):
                if gap_first >= stop:
                    break
                if gap_first > at:
                    yield at, gap_first
                at = max(at, gap_stop)
            if at < stop:
                yield at, stop


def count(
    messages: Iterable[Message], starts: Mapping[int, tuple[Acquisition, float]], stop_s: float, bin_s: float
) -> Intensity:
    """Counts of a session.

    Args:
        messages: of the session.
        starts: of each acquisition by its index: its time base and when it began, s.
        stop_s: end of the recording.
        bin_s: length of a bin, s.

    Raises:
        ValueError: `bin_s` is not positive, or makes more bins than fit in memory.
    """
    if not bin_s > 0.0 or not stop_s / bin_s <= MAX_BINS:
        raise ValueError(f"a bin of {bin_s} s: give a positive length that makes {MAX_BINS} bins at most")
    n = int(np.ceil(stop_s / bin_s - 1e-9))
    counts = {channel: np.zeros(n, np.int64) for acq, _ in starts.values() for channel in acq.channels}
    parts = {index: _Part() for index in starts}
    for message in messages:
        if isinstance(message, Gap) and message.segment in parts:
            parts[message.segment].gaps.append((message.first_pulse, message.stop_pulse))
        elif isinstance(message, PhotonBatch) and message.segment in parts:
            parts[message.segment].cover(message.first_pulse, message.stop_pulse)
            _add(counts, message, *starts[message.segment], bin_s)
    seen = np.zeros(n)
    for index, part in parts.items():
        acq, start_s = starts[index]
        for first, stop in part.seen():
            _fill(seen, (start_s + acq.seconds(first)) / bin_s, (start_s + acq.seconds(stop)) / bin_s)
    return Intensity(bin_s, counts, seen * bin_s)


def _add(
    counts: dict[int, NDArray[np.int64]], batch: PhotonBatch, acq: Acquisition, start_s: float, bin_s: float
) -> None:
    photons = batch.photons
    if not len(photons):
        return
    bins = ((start_s + photons.pulse * (acq.macro_tick_ps / PS_PER_S)) / bin_s).astype(np.int64)
    for channel, mine in counts.items():
        found = np.minimum(bins[photons.channel == channel], len(mine) - 1)
        if len(found):
            low = int(found[0])
            here = np.bincount(found - low)
            mine[low : low + len(here)] += here


def _fill(seen: NDArray[np.float64], start: float, stop: float) -> None:
    """Add the interval to the bins it touches; all in units of a bin."""
    stop = min(stop, float(len(seen)))
    first, last = int(start), int(np.ceil(stop)) - 1
    if first >= last:
        seen[first : first + 1] += max(stop - start, 0.0)
        return
    seen[first] += first + 1 - start
    seen[first + 1 : last] += 1.0
    seen[last] += stop - last
