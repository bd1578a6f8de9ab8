"""The states a row of a millisecond can be in, for a dot of which only the bright level is known.

A trapped dot lies on the straight line of Eq. 2, a charged one above it by the radiative-rate ratio, with a
trion of any lifetime; a row in which the dot switched is half and half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import MicroBins

__all__ = ["DIM_LOSS", "BrightLevel", "RowStates", "row_log_likelihood", "row_states"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

_NEUTRAL = np.concatenate([[1.0, 0.93, 0.86], 0.79 * 0.87 ** np.arange(20)])
# Trions: lifetime over that of the neutral dot, radiative-rate ratio.
_TRION_RATIO = 0.06 * 1.33 ** np.arange(8)
_TRION_BETA = np.array([1.6, 1.95, 2.35])
# Dim is whatever lost more than this of the bright level.
DIM_LOSS = 0.3
_BRIGHT_LOSS = 0.2
_BRIGHT_WEIGHT, _SWITCH_WEIGHT = 0.6, 0.2
# Chances per row that a state is left; a row in which the dot switched is over at once.
_LEAVING, _LEAVING_SWITCH = 0.02, 0.6


@dataclass(frozen=True, slots=True)
class BrightLevel:
    """The neutral dot: net rate of the bright level and its lifetime."""

    cps: float
    lifetime_ns: float


@dataclass(frozen=True)
class RowStates:
    """States with what they show and how they follow each other.

    Attributes:
        signal: (k, m) expected photons per second and micro-bin, for a bright level of 1 /s.
        loss: (k,) share of the bright level's light lost.
        auger: (k,) bool, charged; the others are neutral.
        bright: (k,) bool, neutral and without a trap that counts.
        weights: (k,) where a state that is left leads to: the bright level, a trap and a trion as likely.
        leaving: (k,) chance per row that the state is left.
    """

    signal: FloatArray
    loss: FloatArray
    auger: NDArray[np.bool_]
    bright: NDArray[np.bool_]
    weights: FloatArray
    leaving: FloatArray

    @property
    def dim(self) -> NDArray[np.bool_]:
        """(k,) those that make a blink."""
        return np.asarray(self.loss > DIM_LOSS)


def row_states(lifetime_ns: float, bins: MicroBins) -> RowStates:
    """The states of a dot whose bright level decays with this lifetime."""
    ratio, beta = (x.ravel() for x in np.meshgrid(_TRION_RATIO, _TRION_BETA))
    level = ratio * beta
    charged = level < 0.8
    tau = lifetime_ns * np.concatenate([_NEUTRAL, ratio[charged]])
    level = np.concatenate([_NEUTRAL, level[charged]])
    auger = np.arange(len(level)) >= len(_NEUTRAL)
    signal = level[:, None] * bins.share_of(tau)
    # Rows in which the dot switched between the bright level and a dim one.
    dim = np.flatnonzero(1 - level > DIM_LOSS)[::2]
    loss = np.concatenate([1 - level, 0.5 * (1 - level[dim])])
    auger = np.concatenate([auger, auger[dim]])
    switching = np.arange(len(loss)) >= len(level)
    return RowStates(
        np.concatenate([signal, 0.5 * (signal[:1] + signal[dim])]),
        loss,
        auger,
        ~auger & ~switching & (loss < _BRIGHT_LOSS),
        _weights(loss > DIM_LOSS, auger, switching),
        np.where(switching, _LEAVING_SWITCH, _LEAVING),
    )


def _weights(dim: NDArray[np.bool_], auger: NDArray[np.bool_], switching: NDArray[np.bool_]) -> FloatArray:
    weights = np.zeros(len(dim), np.float64)
    weights[~dim] = _BRIGHT_WEIGHT / np.count_nonzero(~dim)
    for family in (auger & dim, ~auger & dim):
        for part, share in ((family & ~switching, 1 - _SWITCH_WEIGHT), (family & switching, _SWITCH_WEIGHT)):
            weights[part] = share * (1 - _BRIGHT_WEIGHT) / 2 / max(int(np.count_nonzero(part)), 1)
    return np.asarray(weights / weights.sum(), np.float64)


def row_log_likelihood(rows: NDArray[np.generic], expected: FloatArray) -> Float32Array:
    """(n, k) Poisson log-likelihood of every row under every state, prompt light left out.

    Args:
        rows: (n, m) counts.
        expected: (k, m) expected counts, background included.
    """
    mu = np.maximum(expected[:, 1:], 1e-9)
    log_l = rows[:, 1:].astype(np.float32) @ np.log(mu).T.astype(np.float32)
    return np.asarray(log_l - mu.sum(axis=1).astype(np.float32))
