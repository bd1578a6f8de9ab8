"""What becomes of a law of dwells when those of the other state are sometimes too short to be seen.

A dwell goes on through every missed dwell of the other state: if those are the share u of all, a dwell as
it is read is the sum of one that was seen, and of n more dwells of any length, joined by missed ones, with
the chance (1 - u) u^n. All n together are one division of generating functions, made with Fourier
transforms on a circle a little inside the unit circle, where they do not wrap around.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.switching.missed import Seen
from qdmon.analysis.switching.power_law import PowerLaw
from qdmon.analysis.switching.resolution import LEAST_BINS

__all__ = ["Merging"]

FloatArray = NDArray[np.float64]

# What wraps around is this much of what is there.
WRAPPED = 1e-7
# A missed dwell, of either state, lasts about one bin.
MISSED_BINS = 1


@dataclass(frozen=True, slots=True)
class Merging:
    """How much is missed.

    Attributes:
        own: share of the dwells in this state that is long enough to be seen.
        other: share of those in the other.
    """

    own: Seen
    other: Seen

    def doubted(self) -> tuple["Merging", "Merging"]:
        """The same with one of the two shares a standard error lower."""
        less_own, less_other = (
            replace(seen, share=seen.share * float(np.exp(-seen.log_error)))
            for seen in (self.own, self.other)
        )
        return Merging(less_own, self.other), Merging(self.own, less_other)

    def apparent(self, law: PowerLaw, longest: int) -> FloatArray:
        """(longest + 1,) chance of a dwell to be read as so many bins if dwells follow `law`."""
        missed = 1 - self.other.share
        dwell = np.zeros(longest + 1)
        dwell[LEAST_BINS:] = law.mass(np.arange(LEAST_BINS, longest + 1)) / law.whole
        size = next_fast_len(2 * (longest + 1), real=True)
        damping = np.exp(np.log(WRAPPED) / size * np.arange(longest + 1))
        seen = rfft(dwell * damping, size)
        dwell *= self.own.share
        dwell[MISSED_BINS] = 1 - self.own.share
        joined = np.zeros(longest + 1)
        joined[MISSED_BINS:] = missed * dwell[: longest + 1 - MISSED_BINS]
        found = irfft(self.other.share * seen / (1 - rfft(joined * damping, size)), size)
        return np.asarray(found[: longest + 1] / damping)

    def of_exponential(self, cutoff: Estimate, bin_s: float) -> Estimate:
        """The mean of exponential dwells from that of the dwells as they are read: sums of them are too."""
        if cutoff.value is None or cutoff.error is None:
            return cutoff
        missed = 1 - self.other.share
        value = cutoff.value * self.other.share - missed * MISSED_BINS * bin_s
        if value <= 0:
            return UNKNOWN
        error = self.other.share * np.hypot(cutoff.error, cutoff.value * self.other.log_error)
        return Estimate(value, float(error))
