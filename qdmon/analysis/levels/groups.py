"""How many different intensities a dot's levels have: none is forced on it, neither one nor two.

Levels are merged two by two into groups of one rate, the cheapest merger in likelihood first, and the
number of groups is chosen by the Bayesian information criterion of the levels and of their assignment
(after Watkins and Yang, J. Phys. Chem. B 109, 617, 2005). In one dimension only neighbours in rate can be
the cheapest merger, so sorted levels suffice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.blinking import EmissiveState
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import Level

__all__ = ["distinct_levels"]

FloatArray = NDArray[np.float64]

# Laser and focus repeat to about this much; more photons do not make two levels of one.
STEADINESS = 0.03


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Levels as counts and times that hold no more knowledge than `STEADINESS` allows, sorted by rate."""

    counts: FloatArray
    seconds: FloatArray


def _weigh(levels: Sequence[Level]) -> tuple[_Weighed, NDArray[np.intp]]:
    rate = np.array([level.rate_cps.value for level in levels], np.float64)
    error = np.array([level.rate_cps.error for level in levels], np.float64)
    variance = error**2 + (STEADINESS * rate) ** 2
    order = np.argsort(rate)
    # Gross counts n in t give rate +- error; (rate/error)^2 are the counts of a level without background.
    rate = np.maximum(rate, error)[order]
    counts = rate**2 / variance[order]
    return _Weighed(counts, counts / rate), order


def _fit(counts: FloatArray, seconds: FloatArray) -> FloatArray:
    """Poisson log-likelihood of groups at their own mean rates."""
    return np.asarray(counts * np.log(counts / seconds), np.float64)


def _edges(data: _Weighed) -> list[int]:
    """Index at which each group begins, and the end, at the best BIC."""
    total = len(data.counts)
    edges = list(range(total + 1))
    counts, seconds = data.counts, data.seconds
    best, best_edges = np.inf, edges
    while True:
        single = _fit(counts, seconds)
        members = np.diff(edges)
        # Which group a level belongs to is data too: without that term every broad group would be halved.
        gain = float(single.sum() + members @ np.log(members / total))
        # The groups' rates, and their weights, which sum to 1.
        bic = (2 * len(counts) - 1) * np.log(total) - 2 * gain
        if bic < best:
            best, best_edges = bic, list(edges)
        if len(counts) == 1:
            return best_edges
        merged = _fit(counts[:-1] + counts[1:], seconds[:-1] + seconds[1:])
        at = int(np.argmin(single[:-1] + single[1:] - merged))
        counts, seconds = (
            np.add.reduceat(c, np.delete(np.arange(len(c)), at + 1)) for c in (counts, seconds)
        )
        del edges[at + 1]


def _mean(members: Sequence[Level], pick: Callable[[Level], Estimate]) -> Estimate:
    """Mean over levels, each weighted by its photons as far as the set-up is steady.

    A number's own error must not weigh it: that of a lifetime is proportional to it, and a short one, by
    chance or by scattered light, would outweigh all others. The error is the larger of those of the levels
    and of their scatter.
    """
    known = [
        (own.value, own.error, rate.value / rate.error)
        for own, rate in ((pick(m), m.rate_cps) for m in members)
        if own.value is not None and own.error and rate.value is not None and rate.error
    ]
    if not known:
        return Estimate(None)
    value, error, significance = np.array(known, np.float64).T
    weight = 1 / (np.maximum(significance, 1.0) ** -2 + STEADINESS**2)
    weight /= weight.sum()
    mean = float(weight @ value)
    counted = float(np.square(weight) @ np.square(error))
    scatter = float(np.square(weight) @ np.square(value - mean)) * len(value) / max(len(value) - 1, 1)
    return Estimate(mean, float(np.sqrt(max(counted, scatter))))


def distinct_levels(levels: Sequence[Level]) -> tuple[EmissiveState, ...]:
    """The different intensities among some levels, brightest first, with mean lifetime and share of the time.

    Args:
        levels: closed levels; provisional ones are left out.
    """
    closed = [x for x in levels if not x.provisional and x.rate_cps.value is not None and x.rate_cps.error]
    if not closed:
        return ()
    data, order = _weigh(closed)
    edges = _edges(data)
    seconds = sum(x.stop_s - x.start_s for x in closed)
    states = []
    for first, stop in pairwise(edges):
        members = [closed[i] for i in order[first:stop]]
        rate, lifetime = _mean(members, lambda m: m.rate_cps), _mean(members, lambda m: m.lifetime_ns)
        share = sum(m.stop_s - m.start_s for m in members) / seconds
        states.append(EmissiveState(rate, lifetime, float(share)))
    return tuple(reversed(states))
