"""The states a row of a millisecond can be in, for a dot of known bright level, and perhaps known trion.

A trapped dot lies on the straight line of Eq. 2, a charged one above it by the radiative-rate ratio, with a
trion of any lifetime; a row in which the dot switched is half and half. Rows that lie between the two, or
below both, are of neither kind: light of biexcitons, traps faster than a row, a bright level not quite known;
and so are dark ones, and those that live as long as bright ones.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import MicroBins

__all__ = ["DIM_LOSS", "LEAST_LOG", "BrightLevel", "RowLight", "RowStates", "Trion", "row_states"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

_NEUTRAL = np.concatenate([[1.0, 0.93, 0.86], 0.79 * 0.87 ** np.arange(20)])
# Trions: lifetime over that of the neutral dot, radiative-rate ratio.
_TRION_RATIO = 0.06 * 1.33 ** np.arange(8)
_TRION_BETA = np.array([1.5, 1.9, 2.35])
# A trion as bright as this is told by its decay, but hardly lost light.
_TRION_LEVEL = 0.95
# What is neither: lifetimes, and radiative-rate ratios between trapped and charged, and below.
_NEITHER_RATIO = 0.07 * 1.25 ** np.arange(11)
_NEITHER_BETA = np.array([0.75, 1.25])
# Light that is less but lives as long: hot carriers, a laser or a stage that moves. Darkness lies on every
# line: a dot that bleached, or went out, has not said how.
_AS_LONG = np.append(0.65 * 0.75 ** np.arange(7), 1e-3)
# Dim is whatever lost more than this of the bright level, and every trion.
DIM_LOSS = 0.3
_BRIGHT_LOSS = 0.2
_BRIGHT_WEIGHT, _SWITCH_WEIGHT = 0.6, 0.2
# A dwell in a state that is neither is as rare beforehand.
_NEITHER_WEIGHT = 1e-3
# A likelihood this far below the best state's is not taken at its word.
LEAST_LOG = -60.0
# Chances per row that a state is left; a row in which the dot switched is over at once.
_LEAVING, _LEAVING_SWITCH = 0.02, 0.6


@dataclass(frozen=True, slots=True)
class Trion:
    """The charged dot.

    Attributes:
        lifetime: over that of the neutral one.
        rate_ratio: radiative-rate ratio of the charged to the neutral dot.
    """

    lifetime: float
    rate_ratio: float

    @property
    def level(self) -> float:
        """Its light over that of the neutral dot."""
        return self.lifetime * self.rate_ratio


@dataclass(frozen=True, slots=True)
class BrightLevel:
    """The neutral dot, and the charged one if it is known.

    Attributes:
        cps: net rate of the bright level.
        lifetime_ns: its lifetime.
        wander: how far its light is from what it was a second before, by laser or focus; rms, relative.
        before_cps: what it was in the light before the last step of the fluence; 0 if nobody knows.
        trion: as a verdict saw it; None while none has.
    """

    cps: float
    lifetime_ns: float
    wander: float = 0.0
    before_cps: float = 0.0
    trion: Trion | None = None


@dataclass(frozen=True)
class RowStates:
    """States with what they show and how they follow each other.

    The bright level comes first; behind those that are not dim come the charged ones, those that are neither,
    and the trapped ones.

    Attributes:
        signal: (k, m) expected photons per second and micro-bin, for a bright level of 1 /s.
        loss: (k,) share of the bright level's light lost.
        auger: (k,) bool, charged; the others are neutral.
        neither: (k,) bool, dim but on neither line.
        dim: (k,) bool, makes a blink.
        bright: (k,) bool, neutral and without a trap that counts.
        weights: (k,) where a state that is left leads to: the bright level, a trap and a trion as likely.
        leaving: (k,) chance per row that the state is left.
    """

    signal: FloatArray
    loss: FloatArray
    auger: NDArray[np.bool_]
    neither: NDArray[np.bool_]
    dim: NDArray[np.bool_]
    bright: NDArray[np.bool_]
    weights: FloatArray
    leaving: FloatArray

    @cached_property
    def charged(self) -> NDArray[np.bool_]:
        """(k,) those that make an Auger blink."""
        return np.asarray(self.dim & self.auger)

    @cached_property
    def trapped(self) -> NDArray[np.bool_]:
        """(k,) those that make a trap blink."""
        return np.asarray(self.dim & ~self.auger & ~self.neither)

    @cached_property
    def decays(self) -> FloatArray:
        """(k, m - 1) share of each state's light in each micro-bin, prompt light left out."""
        light = self.signal[:, 1:]
        return np.asarray(light / light.sum(axis=1, keepdims=True))

    @cached_property
    def kinds(self) -> Float32Array:
        """(k, 3) 1 for those that are dim, charged and trapped."""
        return np.column_stack([self.dim, self.charged, self.trapped]).astype(np.float32)

    @cached_property
    def families(self) -> "list[Family]":
        """States of a dwell that is all Auger, all trap, or either; it may be neither now and then."""
        charged, neither, trapped = (np.flatnonzero(x) for x in (self.charged, self.neither, self.trapped))
        ends = (charged[0], neither[-1] + 1), (neither[0], trapped[-1] + 1), (charged[0], trapped[-1] + 1)
        return [
            Family(
                int(first),
                self.weights[first:stop] / self.weights[first:stop].sum(),
                self.leaving[first:stop],
            )
            for first, stop in ends
        ]


class Family(NamedTuple):
    """Some of the states, and the chain on them.

    Attributes:
        first: of the states; the others follow.
        weights: (c,) of its members.
        leaving: (c,) of its members.
    """

    first: int
    weights: FloatArray
    leaving: FloatArray


def row_states(lifetime_ns: float, bins: MicroBins, known: Trion | None = None) -> RowStates:
    """The states of a dot.

    Args:
        lifetime_ns: of its bright level.
        bins: micro-bins of a row.
        known: its trion, as likely as all others unless it hardly loses light; None if it may be any.
    """
    trion, trion_level = _lines(_TRION_RATIO, _TRION_BETA, _TRION_LEVEL)
    others = len(trion)
    if known is not None and known.level < _TRION_LEVEL:
        trion, trion_level = np.append(trion, known.lifetime), np.append(trion_level, known.level)
    odd, odd_level = _lines(_NEITHER_RATIO, _NEITHER_BETA, 1 - DIM_LOSS)
    odd, odd_level = np.append(odd, np.ones(len(_AS_LONG))), np.append(odd_level, _AS_LONG)
    ratio = np.concatenate([_NEUTRAL, trion, odd])
    level = np.concatenate([_NEUTRAL, trion_level, odd_level])
    kind = np.repeat([0, 1, 2], [len(_NEUTRAL), len(trion), len(odd)])
    signal = level[:, None] * bins.share_of(lifetime_ns * ratio)
    # Rows in which the dot switched between the bright level and a dim one.
    ends = np.flatnonzero((1 - level > DIM_LOSS) & (kind < 2))[::2]
    signal = np.concatenate([signal, 0.5 * (signal[:1] + signal[ends])])
    loss = np.concatenate([1 - level, 0.5 * (1 - level[ends])])
    kind = np.concatenate([kind, kind[ends]])
    switching = np.arange(len(loss)) >= len(level)
    favour = np.ones(len(loss))
    favour[len(_NEUTRAL) + others : len(_NEUTRAL) + len(trion)] = others
    auger, neither = kind == 1, kind == 2
    dim = (loss > DIM_LOSS) | (auger & ~switching)
    order = np.argsort(np.select([~dim, auger, neither], [0, 1, 2], 3), kind="stable")
    return RowStates(
        signal[order],
        loss[order],
        auger[order],
        neither[order],
        dim[order],
        ((kind == 0) & ~switching & (loss < _BRIGHT_LOSS))[order],
        _weights(dim, kind, switching, favour)[order],
        np.where(switching, _LEAVING_SWITCH, _LEAVING)[order],
    )


def _lines(ratios: NDArray[Any], betas: NDArray[Any], most: float) -> tuple[FloatArray, FloatArray]:
    """Lifetime ratios and levels of all pairs that are dimmer than `most`."""
    ratio, beta = np.tile(ratios, len(betas)), np.repeat(betas, len(ratios))
    level = ratio * beta
    return ratio[level < most], level[level < most]


def _weights(
    dim: NDArray[np.bool_], kind: NDArray[np.int_], switching: NDArray[np.bool_], favour: FloatArray
) -> FloatArray:
    """(k,) see `RowStates`; of states of one kind those are as much likelier as `favour`, (k,), has it."""
    weights = np.zeros(len(dim), np.float64)
    weights[~dim] = _BRIGHT_WEIGHT / np.count_nonzero(~dim)
    for family in (dim & (kind == 1), dim & (kind == 0)):
        for part, share in ((family & ~switching, 1 - _SWITCH_WEIGHT), (family & switching, _SWITCH_WEIGHT)):
            among = favour[part] / max(float(favour[part].sum()), 1.0)
            weights[part] = share * (1 - _BRIGHT_WEIGHT) / 2 * among
    weights[kind == 2] = _NEITHER_WEIGHT / np.count_nonzero(kind == 2)
    return np.asarray(weights / weights.sum(), np.float64)


@dataclass(frozen=True, slots=True)
class RowLight:
    """What a row shows in each of k states, ready to weigh rows; prompt light left out.

    Attributes:
        log_counts: (..., m - 1, k) logarithm of the counts expected in each micro-bin, background included.
        counts: (..., 1, k) expected in all of them.
    """

    log_counts: Float32Array
    counts: Float32Array

    @classmethod
    def of(cls, expected: FloatArray) -> "RowLight":
        """From (..., k, m) expected counts."""
        mu = np.maximum(expected[..., 1:], 1e-9)
        log_counts = np.log(mu).swapaxes(-1, -2).astype(np.float32)
        return cls(log_counts, mu.sum(axis=-1)[..., None, :].astype(np.float32))

    def __getitem__(self, light: int) -> "RowLight":
        """One of several."""
        return RowLight(self.log_counts[light], self.counts[light])

    def log_likelihood(self, rows: NDArray[np.generic]) -> Float32Array:
        """(..., n, k) Poisson log-likelihood of every row under every state, of (n, m) counts."""
        found = np.asarray(rows[:, 1:].astype(np.float32) @ self.log_counts)
        found -= self.counts
        return found
