"""How hard each detector works, read off its own clicks: dead time, pile-up, a squashed bright level.

A detector that is blind for a dead time after each click counts more evenly than chance: the variance of its
counts is (1 - r d)^2 of their mean, r the rate of its clicks and d the dead time (Müller, Nucl. Instrum.
Methods 112, 47, 1973), and where it is clipped they do not vary at all. Blinking only adds variance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Acquisition, Photons
from qdmon.analysis.calibration.after_pulses import USUAL_DEAD_NS

__all__ = ["DetectorLoad", "Load", "count_clicks"]

ROW_S = 0.001
GAPS = 64
# Pairs of milliseconds, and standard errors, before an even count is believed.
LEAST_PAIRS, LEAST_SIGMA = 400, 5.0
# What a variance must fall short of what the dead time explains, as a share of the mean.
LEAST_EVEN = 0.1
# Gaps before a missing one is believed.
LEAST_GAPS = 50


@jit
def count_clicks(
    rows: NDArray[np.int32],
    gaps: NDArray[np.int64],
    last_pulse: NDArray[np.int64],
    photons: tuple[NDArray[np.uint64], NDArray[np.uint8]],
    first_pulse: np.uint64,
    width: np.uint64,
) -> None:
    """Count clicks of each detector per time bin, and pulses between neighbouring clicks of a detector.

    Args:
        rows: (c, n) clicks per bin; clicks beyond the last bin are left out.
        gaps: (c, g) how often the next click was so many pulses later.
        last_pulse: (c,) pulse of each detector's last click, negative if none; updated.
        photons: pulse and channel.
        first_pulse: pulse at which bin 0 starts.
        width: pulses per bin.
    """
    pulse, channel = photons
    # The bin of the photon before is mostly that of the next: a division is slow.
    row, begin = np.uint64(0), first_pulse
    for i in range(np.uint64(len(pulse))):
        c = np.uint64(channel[i])
        if c >= rows.shape[0]:
            continue
        if pulse[i] - begin >= width:
            row = (pulse[i] - first_pulse) // width
            begin = first_pulse + row * width
        if row < rows.shape[1]:
            rows[c, row] += 1
        here = np.int64(pulse[i])
        if last_pulse[c] >= 0:
            gap = here - last_pulse[c]
            # A damaged stream may step back.
            if 0 <= gap < gaps.shape[1]:
                gaps[c, gap] += 1
        last_pulse[c] = here


@dataclass(frozen=True, slots=True)
class Load:
    """What one detector goes through while the dot is bright.

    Attributes:
        rate_cps: its clicks.
        per_pulse: clicks per laser pulse; None without pulses.
        dead_time_ns: blind time after a click.
        dead_time_origin: "given", "assumed", or "gaps between clicks".
        lost: share of the light lost to it: by dead time and rate, or by the evenness of the counts if that
            is clearly more.
        even: the counts vary clearly less than chance allows.
    """

    rate_cps: float
    per_pulse: float | None
    dead_time_ns: float
    dead_time_origin: str
    lost: float
    even: bool


class DetectorLoad:
    """Clicks of every detector of a stretch of constant fluence, as they come."""

    def __init__(self, acquisition: Acquisition, dead_time_ns: float | None) -> None:
        """Begin to count.

        Args:
            acquisition: time base.
            dead_time_ns: of the detectors; None assumes the usual one.
        """
        self._acq = acquisition
        self._given_ns = dead_time_ns
        self._measured_ns: dict[int, float] = {}
        self._width = max(acquisition.pulses(ROW_S), 1)
        self._channels = max(acquisition.channels, default=0) + 1
        self._rows = np.zeros((self._channels, 0), np.int32)
        self._last_pulse = np.full(self._channels, -1, np.int64)
        self.another_fluence()

    def another_fluence(self) -> None:
        """The light is another now."""
        self._gaps = np.zeros((self._channels, GAPS), np.int64)
        # Per detector: pairs of bright bins, their summed squared difference / 2, and their summed counts.
        self._pairs = np.zeros((self._channels, 3))
        # Per detector: bright bins and their counts.
        self._bright = np.zeros((self._channels, 2))

    def begin(self, pulses: int) -> None:
        """A look of this many pulses begins."""
        self._rows = np.zeros((self._channels, max(pulses // self._width, 1)), np.int32)

    def add(self, photons: Photons, first_pulse: int) -> None:
        """Take photons of the look that began at `first_pulse`."""
        columns = photons.pulse, photons.channel
        count_clicks(
            self._rows,
            self._gaps,
            self._last_pulse,
            columns,
            np.uint64(first_pulse),
            np.uint64(self._width),
        )

    def look(self, *, complete: bool) -> None:
        """The look is over; an incomplete one (photons lost) says nothing."""
        if not complete or self._rows.shape[1] < 8:
            return
        rows = self._rows.astype(np.float64)
        levels = np.percentile(rows, 90, axis=1).tolist()
        for c, (row, level) in enumerate(zip(rows, levels, strict=True)):
            if level < 3:
                continue
            lit = row >= 0.6 * level
            # Both neighbours are bright, so most likely the pair is; they do not bias it.
            pair = np.flatnonzero(lit[:-3] & lit[3:]) + 1
            difference = row[pair] - row[pair + 1]
            self._pairs[c] += len(pair), 0.5 * float(difference @ difference), float(row[pair].sum())
            self._bright[c] += len(pair), float(row[pair].sum())

    def loads(self) -> dict[int, Load]:
        """Channel -> its load, of the detectors that have seen enough bright light."""
        found = {}
        for c in self._acq.channels:
            bins, counts = self._bright[c].tolist()
            if bins >= LEAST_PAIRS / 10 and counts > 0:
                found[c] = self._load(c, counts / bins / self._acq.seconds(self._width))
        return found

    def _load(self, channel: int, rate_cps: float) -> Load:
        pulse_rate = self._acq.pulse_rate_hz
        per_pulse = rate_cps / pulse_rate if pulse_rate else None
        dead_time_ns, origin = self.dead_time(channel)
        lost = min(rate_cps * dead_time_ns * 1e-9, 1.0)
        pairs, squares, counts = self._pairs[channel].tolist()
        even = False
        if pairs >= LEAST_PAIRS and counts > 0:
            # One photon per pulse at most is even, too, but little.
            chance = 1 - (per_pulse or 0.0)
            ratio = squares / counts / chance
            error = float(np.sqrt(3 / pairs))
            even = ratio < (1 - lost) ** 2 - max(LEAST_SIGMA * error, LEAST_EVEN)
            if even:
                lost = max(lost, 1 - float(np.sqrt(max(ratio, 0.0))))
        return Load(rate_cps, per_pulse, dead_time_ns, origin, lost, even)

    def measured(self, channel: int, dead_time_ns: float | None) -> None:
        """What the gaps between clicks say to the nanosecond; None: nothing."""
        if dead_time_ns is None:
            self._measured_ns.pop(channel, None)
        else:
            self._measured_ns[channel] = dead_time_ns

    def dead_time(self, channel: int) -> tuple[float, str]:
        """Blind time after a click in ns, and where it is from."""
        seen_ns = self._measured_ns.get(channel)
        if seen_ns is None:
            seen_ns = self._dead_time_ns(channel)
        if seen_ns is not None:
            return seen_ns, "gaps between clicks"
        if self._given_ns is not None:
            return self._given_ns, "given"
        return USUAL_DEAD_NS, "assumed"

    def _dead_time_ns(self, channel: int) -> float | None:
        """Dead time beyond one pulse period, from gaps that never occur; None if the shortest ones do."""
        if self._acq.mode != "T3":
            return None
        gaps = self._gaps[channel, 1:].astype(np.float64)
        most = float(gaps.max())
        if most < LEAST_GAPS:
            return None
        first = int(np.argmax(gaps >= 0.5 * most))
        if first < 1:
            return None
        # Gaps around the dead time are partly there; how many are missing says where between pulses it ends.
        usual = float(np.median(gaps[first + 1 : first + 9])) if first + 1 < len(gaps) else most
        missing = float(np.clip(1 - gaps[: first + 2] / max(usual, 1.0), 0, 1).sum())
        return (missing + 0.5) * self._acq.macro_tick_ps / 1e3
