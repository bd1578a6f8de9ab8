"""Time bins of a stretch, each a coarse decay histogram, and what a dot would show in one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.darkness import LEAST_LIGHT, light_ends
from qdmon.analysis.dot.states import DotModel, signals_of

__all__ = ["BinnedDecays", "collected"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

# Tenths of a second that a last darkness lasts at least; its level is that of as many.
_LEAST_DARK = 10
# A tenth of a second in the dark does not pass for light by the noise of what lies under it.
_SIGMAS = 5.0
# Light of this share of the bright level, or half of it, is still told from none.
_FAINT = 0.1


def collected(expected: FloatArray, steady: FloatArray, gain: float | FloatArray) -> FloatArray:
    """What is expected where a part of the dot's light is collected, of what all of it makes.

    Args:
        expected: (..., m) photons, background included.
        steady: (m,) those of the background, which does not go with the light.
        gain: the part; a number, or one for each of the leading axes.
    """
    return np.asarray(steady + gain * (expected - steady))


@dataclass(frozen=True)
class BinnedDecays:
    """Coarse decay histograms of consecutive time bins.

    Attributes:
        counts: (n, m) photons per time bin and micro-bin; column 0 is the prompt part, never fitted.
        bin_s: duration of a time bin.
        bins: the micro-bins.
        background_cps: uniform background of the detectors that carry signal, together.
        dead_time_ns: of a detector.
        same_detector: chance that two photons meet the same detector.
        gain: (n,) part of the dot's light that is collected, over that most of the time; None where steady.
        gain_error: standard error of its logarithm.
    """

    counts: Float32Array
    bin_s: float
    bins: MicroBins
    background_cps: float
    dead_time_ns: float = 0.0
    same_detector: float = 0.5
    gain: FloatArray | None = None
    gain_error: float = 0.0

    @property
    def fitted(self) -> Float32Array:
        """(n, m-1) the columns behind the gate."""
        return self.counts[:, 1:]

    @property
    def photons(self) -> float:
        """All of them, behind the gate."""
        return float(self.fitted.sum(dtype=np.float64))

    @cached_property
    def best_log_likelihood(self) -> FloatArray:
        """(n,) of each bin, up to its own constant, if its photons were exactly as expected."""
        counts = self.fitted.astype(np.float64)
        return np.asarray((xlogy(counts, counts) - counts).sum(axis=1))

    def runs(self) -> list[tuple[float, slice]]:
        """Part of the light that is collected, and bins one after the other of which it is the same."""
        if self.gain is None:
            return [(1.0, slice(0, len(self.counts)))]
        edges = np.flatnonzero(np.diff(self.gain)) + 1
        first, stop = np.append(0, edges).tolist(), np.append(edges, len(self.gain)).tolist()
        return [(float(self.gain[a]), slice(a, b)) for a, b in zip(first, stop, strict=True)]

    @property
    def levelled(self) -> FloatArray:
        """(n,) photons of each bin behind the gate, had light been collected as most of the time."""
        photons = self.fitted.sum(axis=1, dtype=np.float64)
        return np.asarray(photons if self.gain is None else photons / self.gain)

    def collected_s(self, bins: NDArray[np.bool_]) -> float:
        """Time in which all of the dot's light is as much as was collected in some bins, (n,) bool."""
        return self.bin_s * float(bins.sum() if self.gain is None else self.gain[bins].sum())

    @property
    def background(self) -> FloatArray:
        """(m,) expected background photons per time bin and micro-bin."""
        return self.background_cps * self.bin_s * self.bins.uniform_share

    def expected(self, dot: DotModel) -> FloatArray:
        """(k, m) expected photons per time bin and micro-bin of every state, background included.

        A detector whose dead time reaches past the next pulse misses light in proportion to its own rate.
        Within a pulse nothing is missed: a single dot gives one photon, but for biexcitons, which the gate
        leaves out. (Several emitters would pile up; they get no verdict.)
        """
        return np.asarray(self.expected_of([dot])[0])

    def steady_part(self, dot: DotModel) -> FloatArray:
        """(m,) of what is expected of a dot that does not go with the light collected: its background."""
        return dot.background_cps * self.bin_s * self.bins.uniform_share

    def expected_of(self, dots: Sequence[DotModel]) -> FloatArray:
        """(d, k, m) `expected` of several dots; cheap where they share most lifetimes with the first."""
        background_cps = np.array([dot.background_cps for dot in dots])[:, None, None]
        rate = signals_of(dots, self.bins) + background_cps * self.bins.uniform_share
        blind_s = max(self.dead_time_ns - self.bins.period_ns, 0.0) * 1e-9
        if blind_s > 0:
            rate = rate / (1 + blind_s * self.same_detector * rate.sum(axis=2, keepdims=True))
        return np.asarray(rate * self.bin_s)

    def lit_bins(self) -> int:
        """Number of bins before the light went out for good; all of them if it did not.

        A last darkness counts if it is longer than a second and five times any other: a dot that bleached
        says nothing of its blinking from then on. Light that comes with the pulses is a dot's, however dim.
        """
        block = max(1, round(0.1 / self.bin_s))
        n = len(self.counts) // block
        if n < 20:
            return len(self.counts)
        seen = self.fitted[: n * block].sum(axis=1, dtype=np.float64)
        light = seen.reshape(n, block).sum(axis=1)
        bright = float(np.percentile(light, 95))
        dark = float(light[-_LEAST_DARK:].mean())
        if dark > 0.3 * bright:
            return len(self.counts)
        below = light < dark + _SIGMAS * np.sqrt(dark + 1) + LEAST_LIGHT * (bright - dark)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(np.int8)))
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        if not below[-1] or lengths[-1] < _LEAST_DARK or lengths[-1] < 5 * lengths[:-1].max(initial=0):
            return len(self.counts)
        # With next to no light before it there is no telling that it went out.
        if starts[-1] < 10:
            return len(self.counts)
        if self._comes_with_pulses(int(starts[-1]) * block, LEAST_LIGHT * (bright - dark) / block):
            return len(self.counts)
        # It may have gone out within the last lit block, or a little behind it.
        first = (int(starts[-1]) - 1) * block
        around = seen[first : first + 2 * block]
        return first + light_ends(around, dark / block, _FAINT * (bright - dark) / block)

    def _comes_with_pulses(self, first: int, least: float) -> bool:
        """Whether from some time bin on more than so many photons a bin come early after the pulse."""
        share = self.bins.uniform_share[1:]
        half = int(np.searchsorted(np.cumsum(share), share.sum() / 2))
        seen = self.fitted[first:].sum(axis=0, dtype=np.float64)
        per_late = float(share[:half].sum() / share[half:].sum())
        early, late = float(seen[:half].sum()), float(seen[half:].sum())
        excess, noise = early - per_late * late, np.sqrt(early + per_late**2 * late)
        return bool(excess > max(_SIGMAS * noise, least * (len(self.counts) - first)))

    def first(self, bins: int) -> "BinnedDecays":
        """So many of the bins."""
        gain = self.gain[:bins] if self.gain is not None else None
        return replace(self, counts=self.counts[:bins], gain=gain)

    def pieces(self, bins: int) -> "BinnedDecays":
        """Five pieces spread over the whole, about so many bins together."""
        n, size = len(self.counts), max(bins // 5, 1)
        if n <= bins * 1.2:
            return self
        at = (np.linspace(0, n - size, 5).astype(int)[:, None] + np.arange(size)).ravel()
        gain = self.gain[at] if self.gain is not None else None
        return replace(self, counts=self.counts[at], gain=gain)

    def grouped(self, seconds: float) -> "BinnedDecays":
        """Bins put together to about this duration."""
        k = max(1, round(seconds / self.bin_s))
        n = len(self.counts) // k
        counts = self.counts[: n * k].reshape(n, k, self.counts.shape[1]).sum(axis=1)
        gain = self.gain[: n * k].reshape(n, k).mean(axis=1) if self.gain is not None else None
        return replace(self, counts=counts, bin_s=k * self.bin_s, gain=gain)
