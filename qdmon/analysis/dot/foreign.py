"""Light that comes and goes and is not the dot's: a lamp was switched on, a door opened.

Such light is steady between the pulses. What a dot leaves at the end of the period follows its light: part of
what came before, by its lifetime, and part of all of it, where light is delayed. Blocks of time with clearly
more than both, and than the steady background of most of the time, hold something else.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from qdmon.analysis.dot.binned import BinnedDecays

__all__ = ["foreign_bins"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BLOCK_S, FEWEST_BLOCKS = 0.1, 20
# Blocks are looked at one by one, and so many together.
WIDTHS = (1, 5)
# The longest lifetime that an end of the period is expected to follow, in periods (calibration.background),
# and the largest share of the dot's light that is delayed.
LONGEST_IN_PERIOD, MOST_DELAYED = 0.35, 0.15
DELAYED_BEYOND = (1.5, 0.01)
# Standard deviations by which a block is odd, and one beside another odd one; what the dot's own part may be
# wrong by; and how much light is worth it, over the dot's.
ODD_SIGMA, BESIDE_SIGMA, OWN_ERROR, LEAST_SHARE = 7.0, 4.0, 0.1, 0.02
# Light that is there half of the time is background.
MOST = 0.5
ROUNDS, USUAL = 8, 0.95


def foreign_bins(data: BinnedDecays) -> BoolArray:
    """(n,) bins with light in them that is not the dot's.

    Args:
        data: bins in order of time, at least two seconds of them.
    """
    per_block = max(1, round(BLOCK_S / data.bin_s))
    blocks = len(data.counts) // per_block
    foreign = np.zeros(len(data.counts), bool)
    if blocks < FEWEST_BLOCKS or data.counts.shape[1] < 6:
        return foreign
    rows = data.counts[: blocks * per_block].reshape(blocks, per_block, -1).sum(axis=1, dtype=np.float64)
    odd = _odd_blocks(rows, data)
    foreign[: blocks * per_block] = np.repeat(odd, per_block)
    # The last, incomplete block is as the one before.
    foreign[blocks * per_block :] = odd[-1]
    return foreign


def _odd_blocks(rows: FloatArray, data: BinnedDecays) -> BoolArray:
    """(b,) blocks whose end of the period holds more than most blocks, or any decay, explain."""
    last, before, early = rows[:, -1], rows[:, -2], rows[:, 1:-2].sum(axis=1)
    uniform = data.bins.uniform_share
    longest = data.bins.share_of(np.array([LONGEST_IN_PERIOD * data.bins.period_ns]))[0]
    slope = float(longest[-1] / longest[-2])
    kept = float(uniform[-1] - slope * uniform[-2])
    design = np.column_stack([np.ones(len(rows)), early, before])
    most = [np.inf, MOST_DELAYED * float(uniform[-1]), slope]
    odd = np.zeros(len(rows), bool)
    # At first the half of the blocks that hold least at their end.
    good = last <= np.median(last)
    for _ in range(ROUNDS):
        weight = 1 / np.sqrt(last[good] + 1)
        fit = lsq_linear(design[good] * weight[:, None], last[good] * weight, (np.zeros(3), most))
        always, per_early, _ = fit.x
        own = design[:, 1:] @ fit.x[1:]
        expected = own + always
        # Foreign light adds to what a dot's own light is told by, too.
        own = np.minimum(own, float(np.quantile(own[good], USUAL)))
        sigma = np.max([_excess_sigma(last, expected, own, width) for width in WIDTHS], axis=0)
        worth = (last - expected) / float(uniform[-1]) > LEAST_SHARE * max(float(np.median(early)), 1.0)
        # Bright blocks may delay a little more of their light than the dim ones that tell how much it is.
        late = min(DELAYED_BEYOND[0] * per_early / float(uniform[-1]) + DELAYED_BEYOND[1], MOST_DELAYED)
        steady = _steadier(last - slope * before, last + slope**2 * before, early, good, late * kept)
        odd = (sigma > ODD_SIGMA) & (steady > ODD_SIGMA) & worth
        beside = _around(odd, 3) > 0
        odd |= beside & (np.minimum(sigma, steady) > BESIDE_SIGMA)
        if np.array_equal(good, ~odd):
            break
        good = ~odd
        if good.mean() < MOST:
            return np.zeros(len(rows), bool)
    # A lamp is switched within a block.
    return _around(odd, 3) > 0


def _steadier(
    left: FloatArray, variance: FloatArray, early: FloatArray, good: BoolArray, late: float
) -> FloatArray:
    """(b,) standard deviations by which light does not fade towards the end of the period as decays do.

    A dot that is hardly ever bright has long-lived light when it is: the longest decay there may be takes it
    off, and leaves less than nothing of any other.

    Args:
        left: (b,) photons in the last micro-bin, less what the longest decay leaves of the one before.
        variance: (b,) of those.
        early: (b,) photons ahead of these micro-bins.
        good: (b,) blocks without foreign light.
        late: of them, what delayed light may add to `left`.
    """
    dim = good & (early <= np.median(early[good]))
    more = np.maximum(early - np.median(early[dim]), 0.0)
    excess = left - np.median(left[dim]) - late * more
    found = [_around(excess, width) / np.sqrt(_around(variance + 1, width)) for width in WIDTHS]
    return np.asarray(np.max(found, axis=0))


def _excess_sigma(seen: FloatArray, expected: FloatArray, own: FloatArray, width: int) -> FloatArray:
    """(b,) by how many standard deviations so many blocks around each hold more than expected."""
    seen, expected, own = (_around(x, width) for x in (seen, expected, own))
    return np.asarray((seen - expected) / np.sqrt(expected + np.square(OWN_ERROR * own) + 1))


def _around(values: FloatArray | BoolArray, width: int) -> FloatArray:
    """(b,) sum over so many blocks around each."""
    return np.asarray(np.convolve(values, np.ones(width), "same"))
