"""Background counted directly: while the laser is off, and after the dot has bleached."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from qdmon.analysis.calibration.timing import TimeAxis, rising_edge
from qdmon.analysis.results.estimate import Estimate

__all__ = ["DarkLog"]

# Shorter darkness than this says little, and its edges say nothing.
LEAST_DARK_S = 1.0
LEAST_BLEACHED_S = 5.0
# Looks between a bleaching and its alarm.
REMEMBERED = 30


@dataclass
class _Counted:
    """Photons per channel over some time."""

    counts: NDArray[np.int64]
    seconds: float = 0.0

    def rates(self) -> dict[int, Estimate]:
        """Channel -> counts/s with Poisson error."""
        return {
            c: Estimate(n / self.seconds, float(np.sqrt(max(n, 1))) / self.seconds)
            for c, n in enumerate(self.counts.tolist())
        }


class DarkLog:
    """Photons that are not the dot's, by detector.

    Light goes out and comes on again a little before or behind the pulse that is said: a look counts as dark
    only if its neighbours are dark as well.

    Attributes:
        lit: photons followed the laser's pulses while it was said to be off: the darkness is not believed.
    """

    def __init__(self, acquisition: Acquisition) -> None:
        self._acq = acquisition
        channels = max(acquisition.channels, default=0) + 1
        self._shape = (channels, max(acquisition.nanotime_bins, 1))
        self._dark_since: int | None = None
        self._held: tuple[NDArray[np.int64], float] | None = None
        self._dark = _Counted(np.zeros(self._shape, np.int64))
        self._recent: deque[tuple[int, NDArray[np.int64], float]] = deque(maxlen=REMEMBERED)
        self._bleached = _Counted(np.zeros(channels, np.int64))
        self._bleached_pulse: int | None = None
        self.lit = False

    def laser(self, pulse: int, *, dark: bool) -> None:
        """From this pulse on the dot is in the dark, or in the light."""
        if not dark:
            self._dark_since = None
        elif self._dark_since is None:
            self._dark_since = pulse

    @property
    def is_dark(self) -> bool:
        """Whether the laser is off at present."""
        return self._dark_since is not None

    def look(
        self, first_pulse: int, histogram: NDArray[np.int64], axis: TimeAxis | None, seconds: float
    ) -> None:
        """Take the photons since the look before, which was as long as this one.

        Args:
            first_pulse: start of the look.
            histogram: (c, t) its photons.
            axis: to leave out prompt light; None while it is not known.
            seconds: time in which photons were looked for; 0 leaves the look out.
        """
        look = max(self._acq.pulses(seconds), 1)
        if self._dark_since is not None and self._dark_since <= first_pulse - look:
            self._admit()
            self._held = histogram.copy(), seconds
        else:
            self._held = None
        if axis is not None and seconds > 0 and self._dark_since is None:
            late = (axis.micro_bin[: self._shape[0]] != 0) & (axis.micro_bin[: self._shape[0]] != 255)
            share = float(axis.bins.uniform_share[1:].sum())
            self._after_bleaching(first_pulse, (histogram * late).sum(axis=1), seconds * share)

    def _admit(self) -> None:
        """The look before had darkness on both sides."""
        if self._held is None or self._held[1] <= 0:
            return
        histogram, seconds = self._held
        self._dark.counts += histogram
        self._dark.seconds += seconds
        if self._acq.resolution_ps is not None:
            edges = (rising_edge(h, self._acq.resolution_ps) for h in self._dark.counts)
            self.lit = any(edge is not None for edge in edges)

    def _after_bleaching(self, first_pulse: int, late: NDArray[np.int64], seconds: float) -> None:
        if self._bleached_pulse is None:
            self._recent.append((first_pulse, late, seconds))
        elif first_pulse >= self._bleached_pulse:
            self._add_bleached(late, seconds)

    def _add_bleached(self, late: NDArray[np.int64], seconds: float) -> None:
        """A look brighter than those before is not of a bleached dot."""
        so_far = self._bleached
        if so_far.seconds > 0:
            expected = so_far.counts.sum() / so_far.seconds * seconds
            if late.sum() > expected + 5 * np.sqrt(expected + 1):
                return
        so_far.counts = so_far.counts + late
        so_far.seconds += seconds

    def bleached(self, pulse: int) -> None:
        """The dot bleached at this pulse; what came since then is background."""
        if self._bleached_pulse is not None:
            return
        self._bleached_pulse = pulse + self._acq.pulses(0.5)
        for first_pulse, late, seconds in self._recent:
            if first_pulse >= self._bleached_pulse:
                self._add_bleached(late, seconds)
        self._recent.clear()

    def another_fluence(self) -> None:
        """What the laser itself adds is another now."""
        self._bleached = _Counted(np.zeros(self._shape[0], np.int64))
        self._recent.clear()

    def dark_cps(self) -> dict[int, Estimate] | None:
        """Rates with the laser off; None if it was not off for long enough."""
        if self._dark.seconds < LEAST_DARK_S or self.lit:
            return None
        return _Counted(self._dark.counts.sum(axis=1), self._dark.seconds).rates()

    def bleached_cps(self) -> dict[int, Estimate] | None:
        """Uniform rates under a bleached dot; None if there is none."""
        return self._bleached.rates() if self._bleached.seconds >= LEAST_BLEACHED_S else None
