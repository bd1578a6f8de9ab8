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

__all__ = ["Seen", "share_longer", "share_seen"]

FloatArray = NDArray[np.float64]

# Powers beyond the exponential, which is as likely beforehand as all of them.
POWER = np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
POWER_PRIOR = np.array([0.5, *(6 * [0.5 / 6])])
# Cutoff times in mean dwells, log-uniform.
CUTOFF = np.geomspace(0.3, 100.0, 60)
# Knees, log-uniform from here (bins) to some mean dwells: below the limit h at most about doubles.
KNEES = 10
LOWEST_KNEE, HIGHEST_KNEE = 1.0, 3.0
# Step of the logarithm at which two dwells last equally long.
STEP = 0.03
# Least mean beyond the limit that is believed, in bins: it sets the scale of the laws that are tried.
LEAST_MEAN = 0.3
# Laws of another shape below the limit put so much more or less of the missed share there.
SHAPE_DOUBT = 0.2
# A power law may end anywhere between the limit and the shortest dwell there is: so many ends are tried. Or
# it goes on as above, which is as likely as all of these.
ENDS = 6


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


def share_seen(complete: NDArray[np.int64], cut: NDArray[np.int64]) -> Seen | None:
    """Share of dwells of `LEAST_BINS` bins or more among all, from those.

    A dwell of t bins is read as one of the two whole numbers around t, as its edges happen to fall.

    Args:
        complete: (n,) dwells in bins, none shorter than `LEAST_BINS`.
        cut: (k,) such that lasted at least so long.

    Returns:
        None without complete dwells.
    """
    if not len(complete):
        return None
    return _share_seen(tuple(np.sort(complete).tolist()), tuple(np.sort(cut).tolist()))


@lru_cache(maxsize=32)
def _share_seen(complete: tuple[int, ...], cut: tuple[int, ...]) -> Seen:
    value, times = np.unique(np.array(complete), return_counts=True)
    cuts = np.array(cut, np.float64)
    mean = float((times @ value + cuts.sum()) / len(complete)) - LEAST_BINS + 1
    laws = _Laws(mean)
    first = LEAST_BINS - 1.0
    seen = laws.resolved(first)
    around = np.unique(value[:, None] + np.arange(-1, 2))
    density, middle = laws.density(around.astype(np.float64)), np.searchsorted(around, value)
    shorter, here, longer = (density.take(middle + i, axis=1) for i in (-1, 0, 1))
    # Weights 1:10:1 are exact for the triangle of rounded edges up to cubic terms.
    probability = (shorter + 10 * here + longer) / 12
    log_l = np.log(np.maximum(probability, 1e-300)) @ times - len(complete) * np.log(seen)
    if len(cuts):
        log_l += (laws.log_survival(cuts) - np.log(seen)[:, None]).sum(axis=1)
    return laws.seen(log_l, np.log(seen)[:, None], first + 0.5)


def share_longer(complete: FloatArray, cut: FloatArray, limit: float, shortest: float) -> Seen | None:
    """Share of dwells that are seen among all, from those.

    A dwell of x < 1 bins is seen with the chance x: that it falls into one bin, or into two of which it fills
    one to more than half. Below `limit` it is not taken for one.

    Args:
        complete: (n,) how long they lasted, in bins, none shorter than `limit`.
        cut: (k,) such that lasted at least so long.
        limit: in bins, from a half to one.
        shortest: bins from which on anything is a dwell: a power law is believed to go on down to there.

    Returns:
        None without complete dwells.
    """
    if not len(complete):
        return None
    mean = float(complete.sum() + cut.sum()) / len(complete) - limit
    laws = _Laws(max(mean, LEAST_MEAN), min(shortest, LOWEST_KNEE))
    log_seen = np.log(laws.longer(limit))
    # To a few per cent, so that many dwells cost no more than some.
    step, times = np.unique(np.round(np.log(complete) / STEP), return_counts=True)
    log_l = np.log(laws.density(np.exp(STEP * step))) @ times - len(complete) * log_seen
    log_l += (laws.log_survival(cut) - log_seen[:, None]).sum(axis=1)
    ends = np.geomspace(min(shortest, limit), limit, ENDS)
    longer = np.hstack([laws.log_survival_of_power_laws(ends), np.zeros((len(log_seen), ENDS))])
    return laws.seen(log_l, log_seen[:, None] - longer, limit)


class _Laws:
    """A grid of laws S(t) = exp(-t/tc) (1 + t/s)^-a, times in bins.

    Attributes:
        prior: (g,) weight of each before any dwell is seen.
    """

    def __init__(self, mean: float, lowest_knee: float = LOWEST_KNEE) -> None:
        knee = np.geomspace(lowest_knee, max(HIGHEST_KNEE * mean, 1.0), KNEES)
        power, cutoff, knees = (x.ravel() for x in np.meshgrid(POWER, CUTOFF * mean, knee, indexing="ij"))
        self.prior = np.repeat(POWER_PRIOR, len(CUTOFF) * KNEES)
        # Without a power the knee does nothing: one of it will do.
        keep = (power > 0) | (knees == knee[0])
        self.prior = np.where(power > 0, self.prior / KNEES, self.prior)[keep]
        self._power, self._rate, self._knee = power[keep], 1 / cutoff[keep], knees[keep]

    def seen(self, log_l: FloatArray, log_seen: FloatArray, limit: float) -> Seen:
        """The share averaged over the laws.

        Args:
            log_l: (g,) log-likelihood of each.
            log_seen: (g, e) logarithm of the share under it, and as it may end.
            limit: bins below which dwells are missed.
        """
        weight = np.exp(log_l - log_l.max()) * self.prior
        weight /= weight.sum()
        mean_log = float(weight @ log_seen.mean(axis=1))
        spread = float(weight @ np.square(log_seen - mean_log).mean(axis=1))
        error = float(np.sqrt(spread + (SHAPE_DOUBT * mean_log) ** 2))
        return Seen(float(np.exp(mean_log)), error, float(weight @ self.missed_bins(limit)))

    def log_survival(self, t: FloatArray) -> FloatArray:
        """(g, len(t)) logarithm of the share of dwells longer than t."""
        power, rate, knee = self._power[:, None], self._rate[:, None], self._knee[:, None]
        return np.asarray(-t * rate - power * np.log1p(t / knee))

    def log_survival_of_power_laws(self, t: FloatArray) -> FloatArray:
        """(g, len(t)) the same, 0 where there is no power."""
        return np.where(self._power[:, None] > 0, self.log_survival(t), 0.0)

    def density(self, t: FloatArray) -> FloatArray:
        """(g, len(t)) per bin."""
        hazard = self._rate[:, None] + self._power[:, None] / (self._knee[:, None] + t)
        return np.asarray(hazard * np.exp(self.log_survival(t)))

    def resolved(self, first: float) -> FloatArray:
        """(g,) share of dwells that are seen: none up to `first` bins, all from one bin more on."""
        return self._mean_survival(first, first + 1)

    def longer(self, limit: float) -> FloatArray:
        """(g,) share of dwells that are seen: none up to `limit`, t of those of t bins up to 1, then all."""
        at_limit = np.exp(self.log_survival(np.array([limit]))[:, 0])
        return np.asarray(limit * at_limit + (1 - limit) * self._mean_survival(limit, 1.0))

    def _mean_survival(self, first: float, last: float) -> FloatArray:
        survival = np.exp(self.log_survival(np.linspace(first, last, 5)))
        return np.asarray(survival @ (np.array([7, 32, 12, 32, 7]) / 90))

    def missed_bins(self, limit: float) -> FloatArray:
        """(g,) mean length of the dwells shorter than so many bins."""
        # Closer towards 0, where the hazard of a power law is.
        t = limit * np.linspace(0, 1, 41) ** 2
        survival = np.exp(self.log_survival(t))
        area = np.asarray(np.diff(t) @ (survival[:, 1:] + survival[:, :-1]).T / 2)
        missed = np.maximum(1 - survival[:, -1], 1e-12)
        return np.asarray((area - limit * survival[:, -1]) / missed)
