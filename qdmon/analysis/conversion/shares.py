"""What is known beforehand of a dot's share of Auger blinks, and of how it changes.

Most dots have one mechanism: their share is nearly 0 or 1. A sequential test may spend its budget of false
alarms on pairs of shares, before and behind a change, as it likes; spent where changes are likely and dots
are rare, it finds them soonest.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANY_CHANGE", "CHANGE_AT_RISE", "LOG_PRIOR", "LOG_WEIGHT", "SHARES"]

FloatArray = NDArray[np.float64]

# Share of the blinks that a dot with one mechanism owes to the other: mostly none at all.
_RARE = np.array([1e-5, 1e-3, 3e-3, 1e-2, 3e-2])
_RARE_WEIGHT = np.array([0.996, 0.001, 0.001, 0.001, 0.001])
_BETWEEN = np.linspace(0.05, 0.95, 13)
_PURE_WEIGHT = 0.4
SHARES = np.concatenate([_RARE, _BETWEEN, 1 - _RARE[::-1]])
LOG_WEIGHT: FloatArray = np.log(
    np.concatenate(
        [
            _PURE_WEIGHT * _RARE_WEIGHT,
            np.full(len(_BETWEEN), (1 - 2 * _PURE_WEIGHT) / len(_BETWEEN)),
            _PURE_WEIGHT * _RARE_WEIGHT[::-1],
        ]
    )
)
LOG_PRIOR: FloatArray = np.log([_PURE_WEIGHT, 1 - 2 * _PURE_WEIGHT, _PURE_WEIGHT])
# Chance that a trapped dot which begins to charge does not lose its traps.
_TRAPS_STAY = 0.7
# Spent at a rise on dots with few Auger blinks, and very few, over what is spent on others: they are rare and
# an alarm needs several blinks in a row.
_FEW, _VERY_FEW = 50.0, 100.0
# Less than this is no other share.
_CLEARLY = 0.2


def _changes(towards: FloatArray) -> FloatArray:
    """(k, k) how a budget is spent on pairs of shares, relative to the prior of both; 1 on average.

    Args:
        towards: (k, k) chance of each share behind a change, relative to its prior.
    """
    weight = np.exp(LOG_WEIGHT)
    pairs = towards * (np.abs(SHARES[:, None] - SHARES) > _CLEARLY)
    return np.asarray(pairs / (weight @ pairs @ weight))


def _more_charging() -> FloatArray:
    """(k, k) the same at a rise of the fluence.

    Charging grows faster with <N> than trapping, so the few Auger blinks of a trapped dot foretell many, and
    its traps stay.
    """
    few = (SHARES <= _CLEARLY) & (np.arange(len(SHARES)) > 0)
    between = np.isin(SHARES, _BETWEEN)
    towards = np.ones((len(SHARES), len(SHARES)))
    towards[np.ix_(SHARES <= _CLEARLY, between)] = _TRAPS_STAY / (1 - 2 * _PURE_WEIGHT)
    towards[np.ix_(SHARES <= _CLEARLY, ~between)] = (1 - _TRAPS_STAY) / _PURE_WEIGHT
    spent = np.where(few, np.where(between, _FEW, _VERY_FEW), 1.0)
    return spent[:, None] * _changes(towards)


ANY_CHANGE: FloatArray = _changes(np.ones((len(SHARES), len(SHARES))))
CHANGE_AT_RISE: FloatArray = _more_charging()
