"""How many dwells were too short to be seen: those that were seen say how the law goes on below.

What ends a dwell is a chance per second h(t) that does not grow with its age, whatever mixture of traps
the charge may sit in. Rates k spread as a Gamma law beyond a slowest one have h(t) = 1/tc + a/(s + t): an
exponential for a = 0, else flat up to s, t^-(1+a) up to tc, and an end. The three are not picked but averaged
over, each weighed by the likelihood of the dwells above the known limit, so that the error of the answer
holds what the dwells leave open: above all, how far a power law goes on where nobody sees it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.switching.resolution import LEAST_BINS

__all__ = ["Seen", "share_seen"]

FloatArray = NDArray[np.float64]

# Powers beyond the exponential, which is as likely beforehand as all of them.
POWER = np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
POWER_PRIOR = np.array([0.5, *(6 * [0.5 / 6])])
# Cutoff times in mean dwells, log-uniform.
CUTOFF = np.geomspace(0.3, 100.0, 60)
# Knees, log-uniform from here (bins) to some mean dwells: below the limit h at most about doubles.
KNEES = 10
LOWEST_KNEE, HIGHEST_KNEE = 1.0, 3.0
# Laws of another shape below the limit put so much more or less of the missed share there.
SHAPE_DOUBT = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """Share of all dwells that is long enough to be seen.

    Attributes:
        share: its best value.
        log_error: standard error of its logarithm.
        missed_bins: mean length of those that are not, in bins.
    """

    share: float
    log_error: float
    missed_bins: float


def share_seen(complete: NDArray[np.int64], cut: NDArray[np.int64], excess: float = 0.0) -> Seen | None:
    """Share of dwells of `LEAST_BINS` bins or more among all, from those.

    A dwell of t bins is read as one of the two whole numbers around t, as its edges happen to fall.

    Args:
        complete: (n,) dwells in bins, none shorter than `LEAST_BINS`.
        cut: (k,) such that lasted at least so long.
        excess: bins by which dwells are read too long in the mean, of either sign, below half a bin.

    Returns:
        None without complete dwells.
    """
    if not len(complete):
        return None
    return _share_seen(tuple(np.sort(complete).tolist()), tuple(np.sort(cut).tolist()), excess)


@lru_cache(maxsize=32)
def _share_seen(complete: tuple[int, ...], cut: tuple[int, ...], excess: float) -> Seen:
    value, times = np.unique(np.array(complete), return_counts=True)
    cuts = np.array(cut, np.float64)
    mean = float((times @ value + cuts.sum()) / len(complete)) - LEAST_BINS + 1
    laws = _Laws(mean)
    first = LEAST_BINS - 1 - excess
    seen = laws.resolved(first)
    at = value - excess
    # Weights 1:10:1 are exact for the triangle of rounded edges up to cubic terms.
    probability = (laws.density(at - 1) + 10 * laws.density(at) + laws.density(at + 1)) / 12
    log_l = np.log(np.maximum(probability, 1e-300)) @ times - len(complete) * np.log(seen)
    if len(cuts):
        log_l += (laws.log_survival(cuts) - np.log(seen)[:, None]).sum(axis=1)
    weight = np.exp(log_l - log_l.max()) * laws.prior
    weight /= weight.sum()
    log_seen = np.log(seen)
    mean_log = float(weight @ log_seen)
    spread = float(weight @ np.square(log_seen - mean_log))
    error = float(np.sqrt(spread + (SHAPE_DOUBT * mean_log) ** 2))
    return Seen(float(np.exp(mean_log)), error, float(weight @ laws.missed_bins(first + 0.5)))


class _Laws:
    """A grid of laws S(t) = exp(-t/tc) (1 + t/s)^-a, times in bins.

    Attributes:
        prior: (g,) weight of each before any dwell is seen.
    """

    def __init__(self, mean: float) -> None:
        knee = np.geomspace(LOWEST_KNEE, max(HIGHEST_KNEE * mean, 1.0), KNEES)
        power, cutoff, knees = (x.ravel() for x in np.meshgrid(POWER, CUTOFF * mean, knee, indexing="ij"))
        self.prior = np.repeat(POWER_PRIOR, len(CUTOFF) * KNEES)
        # Without a power the knee does nothing: one of it will do.
        keep = (power > 0) | (knees == knee[0])
        self.prior = np.where(power > 0, self.prior / KNEES, self.prior)[keep]
        self._power, self._rate, self._knee = power[keep], 1 / cutoff[keep], knees[keep]

    def log_survival(self, t: FloatArray) -> FloatArray:
        """(g, len(t)) logarithm of the share of dwells longer than t."""
        power, rate, knee = self._power[:, None], self._rate[:, None], self._knee[:, None]
        return np.asarray(-t * rate - power * np.log1p(t / knee))

    def density(self, t: FloatArray) -> FloatArray:
        """(g, len(t)) per bin."""
        hazard = self._rate[:, None] + self._power[:, None] / (self._knee[:, None] + t)
        return np.asarray(hazard * np.exp(self.log_survival(t)))

    def resolved(self, first: float) -> FloatArray:
        """(g,) share of dwells that are seen: none up to `first` bins, all from one bin more on."""
        t = np.linspace(first, first + 1, 5)
        return np.asarray(np.exp(self.log_survival(t)) @ (np.array([7, 32, 12, 32, 7]) / 90))

    def missed_bins(self, limit: float) -> FloatArray:
        """(g,) mean length of the dwells shorter than so many bins."""
        # Closer towards 0, where the hazard of a power law is.
        t = limit * np.linspace(0, 1, 41) ** 2
        survival = np.exp(self.log_survival(t))
        area = np.asarray(np.diff(t) @ (survival[:, 1:] + survival[:, :-1]).T / 2)
        missed = np.maximum(1 - survival[:, -1], 1e-12)
        return np.asarray((area - limit * survival[:, -1]) / missed)
