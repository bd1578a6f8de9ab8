"""How far the bright level wanders while it is seen, and so how badly its top is known.

Where traps come and go in numbers, or their rates diffuse, a dot is hardly ever without any: what passes for
its bright level is many levels close together, and the light without any trap lies above them. Lifetimes and
lasers wander as well. Photons scatter from bin to bin by chance; what bins near in time have in common is the
level itself.
"""

import numpy as np

from qdmon.analysis.dot.binned import BinnedDecays, collected
from qdmon.analysis.dot.family import FamilyFit

__all__ = ["bright_wander"]

# Bins as surely bright are compared, with the next ones up to so far on.
SURELY_BRIGHT, LAGS = 0.8, 8
# Pairs of bins, and standard errors of their covariance, from which it is not chance.
FEWEST_PAIRS, LEAST_SIGMA = 20, 3.0
# The light without traps may be so many times the rms away from the mean of what is seen.
TOP = 1.5


def bright_wander(data: BinnedDecays, found: FamilyFit) -> float:
    """Relative error of light and lifetime of the bright level by its wandering; 0 where it does not.

    Args:
        data: the bins, as they were fitted.
        found: the fit.
    """
    gain = np.ones(len(data.counts)) if data.gain is None else data.gain
    steady = data.steady_part(found.dot)[1:].sum()
    bright = data.expected(found.dot)[0, 1:].sum()
    expected = collected(np.full(len(gain), bright), steady, gain)
    light = expected - steady
    off = (data.fitted.sum(axis=1, dtype=np.float64) - expected) / light
    chance = expected / light**2
    lit = found.smoothed.posterior[:, 0] > SURELY_BRIGHT
    pairs, common, variance = 0, 0.0, 0.0
    for lag in range(1, LAGS + 1):
        both = lit[:-lag] & lit[lag:]
        pairs += int(both.sum())
        common += float((off[:-lag] * off[lag:])[both].sum())
        variance += float((chance[:-lag] * chance[lag:])[both].sum())
    if pairs < FEWEST_PAIRS or common < LEAST_SIGMA * np.sqrt(variance):
        return 0.0
    return TOP * float(np.sqrt(common / pairs))
