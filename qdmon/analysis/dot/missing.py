"""What is not known of a dot because nobody saw which state each bin was in.

Fisher information of photons whose states are known is too much: a bin that may as well be of the next level
says less of either. What is missing is the covariance of the score over the states a bin may have been in
(Louis, J. R. Stat. Soc. B 44, 226, 1982), bins taken one by one.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["missing_information", "with_unknown_odds", "without"]

FloatArray = NDArray[np.float64]

# A state less likely than this in a bin does not count; a bin surer than that of its state misses nothing.
_LEAST, _SURE = 1e-3, 0.999
# Variance of the odds between two kinds of dwells (natural logarithm) before any is seen.
_MOST_ODDS_VARIANCE = 4.0
# However doubtful the bins, so much of the information is left in every direction.
_LEAST_LEFT = 0.05


def missing_information(
    posterior: NDArray[np.float32], counts: NDArray[np.float32], expected: FloatArray, own: FloatArray
) -> FloatArray:
    """(p, p) information that is missing because the states are not known.

    Args:
        posterior: (n, s) probability of each state in each bin.
        counts: (n, m) photons of each bin.
        expected: (s, m) photons expected in a bin of each state.
        own: (p, s, m) change of the logarithm of those with each parameter.
    """
    doubtful = np.flatnonzero(posterior.max(axis=1, initial=0.0) < _SURE)
    chances, photons = posterior[doubtful].T.astype(np.float64), counts[doubtful].astype(np.float64)
    missing = np.zeros((len(own), len(own)))
    mean = np.zeros((len(doubtful), len(own)))
    for state, chance in enumerate(chances):
        bins = np.flatnonzero(chance > _LEAST)
        score = (photons[bins] - expected[state]) @ own[:, state].T
        weighed = chance[bins, None] * score
        missing += weighed.T @ score
        mean[bins] += weighed
    return missing - mean.T @ mean


def without(information: FloatArray, missing: FloatArray) -> FloatArray:
    """(p, p) covariance by some information of which a part is missing.

    Args:
        information: (p, p), positive definite.
        missing: (p, p).
    """
    root = np.linalg.cholesky(information)
    inverse = np.linalg.inv(root)
    left, axes = np.linalg.eigh(np.eye(len(root)) - inverse @ missing @ inverse.T)
    half = inverse.T @ axes
    return np.asarray(half / np.maximum(left, _LEAST_LEFT) @ half.T)


def with_unknown_odds(variance: float, added: FloatArray, lost: float) -> float:
    """Variance of what dwells of one kind lost beyond their share, if nobody knows how often they are that.

    Doubtful dwells are shared out by the odds that the others show. Of these a part of the information is
    missing, as above; what is left of it is what the dwells are expected to add, squared.

    Args:
        variance: of the sum, as if the odds were known.
        added: (b,) what each dwell is expected to add to it.
        lost: light lost in all of them, in the units of the sum.
    """
    per_dwell = lost / max(len(added), 1)
    seen = max(float(np.square(added).sum()), per_dwell**2 / _MOST_ODDS_VARIANCE, 1e-12)
    return variance + variance**2 / seen
