"""Dim dwells among rows of a millisecond, and what the photons of each say of what dims the dot.

Either family, charged or trapped, is a sticky chain over its states (`row_states`), or what is neither at a
price; their likelihoods for the rows of a dwell are its odds. A dot that charges while it is trapped, or the
other way round, stays dim: such a dwell is as many blinks as it surely has parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.conversion.row_states import LEAST_LOG, Family, RowLight, RowStates
from qdmon.analysis.dot.chain import Chain, Smoothed, learn, log_evidence
from qdmon.analysis.dot.likelihood import highest
from qdmon.analysis.switching.blinks import hysteresis_runs

__all__ = ["DimBlink", "Light", "dim_dwells"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

# Chance of being dim at which a dwell begins, and ends.
ENTER, LEAVE = 0.9, 0.1
# Whatever its photons say, a row of a dwell may hold a switch of any kind: nats of a row.
MOST_ODDS_PER_ROW = 2.0
# A part of a dwell is a blink of its own if its photons are as sure as a blink can be.
SURE_PART = 10.0
# Nats a photon that a decay gains whose shape is right, over one that is wrong by 6 % throughout: no model is
# better than that, and a dwell of seconds adds it up. Trap and trion differ by fifty times more.
MODEL_ERROR = 0.002


@dataclass(frozen=True)
class Light:
    """What is expected of a row.

    Attributes:
        states: a row can be in.
        expected: (k, m) counts of a row in each of them, the likeliest first, then as they may be as well.
        dark: photons of a row that are not the dot's.
        bright: photons of the dot in a row of its bright level.
    """

    states: RowStates
    expected: Sequence[FloatArray]
    dark: float
    bright: float

    @cached_property
    def possible(self) -> RowLight:
        """`expected`, ready to weigh rows."""
        return RowLight.of(np.array(self.expected))


@dataclass(frozen=True, slots=True)
class DimBlink:
    """A blink in some rows.

    Attributes:
        begin: its first row.
        end: the row after its last.
        odds: log-likelihood ratio of its photons, Auger against trap; two where both take turns that are too
            short to be told apart.
        turn: row at which the first of two ends.
        lost_rows: light lost, in rows of the bright level.
    """

    begin: int
    end: int
    odds: tuple[float, ...]
    turn: int
    lost_rows: float


def dim_dwells(rows: NDArray[np.generic], whole: NDArray[np.bool_], light: Light) -> list[list[DimBlink]]:
    """Dim dwells in order of time, as the blinks they are.

    Args:
        rows: (n, m) counts.
        whole: (n,) rows of which no photon was lost.
        light: what is expected of them.
    """
    states = light.states
    log_l = light.possible[0].log_likelihood(rows)
    log_l[~whole] = 0.0
    log_l -= log_l.max(axis=1, keepdims=True)
    likelihood = np.exp(np.maximum(log_l, LEAST_LOG, out=log_l), out=log_l)
    posterior = _smoothed(likelihood, states.weights, states.leaving).posterior
    chance, charged, trapped = (posterior @ states.kinds).T
    kind = np.where(charged > ENTER, 1, np.where(trapped > ENTER, -1, 0))
    runs = [_parts(kind, begin, end) for begin, end in hysteresis_runs(chance > ENTER, chance < LEAVE)]
    return [_blinks(parts, rows, whole, light) for parts in runs]


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a dwell that look alike: charged (1), trapped (-1), or neither for sure (0)."""

    begin: int
    end: int
    kind: int


def _parts(kind: NDArray[np.int_], begin: int, end: int) -> list[_Part]:
    """A dwell in parts; rows of neither kind belong to the part before, the first ones to that behind."""
    sure = np.flatnonzero(kind[begin:end]) + begin
    turns = sure[1:][kind[sure[1:]] != kind[sure[:-1]]].tolist()
    edges = [begin, *turns, end]
    kinds = [int(kind[sure[0]]) if len(sure) else 0, *(int(kind[t]) for t in turns)]
    return [_Part(*part) for part in zip(edges[:-1], edges[1:], kinds, strict=True)]


def _blinks(
    parts: Sequence[_Part], rows: NDArray[np.generic], whole: NDArray[np.bool_], light: Light
) -> list[DimBlink]:
    """The blinks of a dwell: parts that are surely of another kind than the one before, with what is not."""

    @cache
    def odds_of(begin: int, end: int) -> tuple[float, ...]:
        return _odds(rows[begin:end][whole[begin:end]], light)

    turns: list[int] = []
    if len(parts) > 1:
        sure = [p for p in parts if p.kind * odds_of(p.begin, p.end)[0] >= SURE_PART]
        turns = [part.begin for last, part in pairwise(sure) if last.kind != part.kind]
    edges = [parts[0].begin, *turns, parts[-1].end]
    blinks = []
    for begin, end in pairwise(edges):
        inside = [p for p in parts if begin <= p.begin < end]
        odds = odds_of(begin, end)
        turn = inside[1].begin if len(inside) > 1 else (begin + end) // 2
        photons = float(rows[begin:end, 1:].sum(dtype=np.int64))
        lost = max((end - begin) * (1 + light.dark / light.bright) - photons / light.bright, 0.0)
        blinks.append(DimBlink(begin, end, odds if inside[0].kind >= 0 else odds[::-1], turn, lost))
    return blinks


def _smoothed(likelihood: Float32Array, weights: FloatArray, leaving: FloatArray) -> Smoothed:
    """The rows under a chain that is known."""
    nothing = np.zeros(len(weights)), np.zeros(len(weights))
    return learn(likelihood, 0.0, Chain(weights, leaving), nothing, 0)


def _odds(rows: NDArray[np.generic], light: Light) -> tuple[float, ...]:
    """Log-likelihood ratio of a dwell, Auger against trap, as far as it holds whatever light is expected.

    Two, of an Auger blink and of a trap blink, where only both together explain it.
    """
    auger, trap, both = _fits(light.possible.log_likelihood(rows), light.states)
    doubtful = MODEL_ERROR * float(rows[:, 1:].sum(dtype=np.int64))
    most = MOST_ODDS_PER_ROW * len(rows)
    # What either adds to the other alone.
    adds = np.minimum([(both - trap).min(), (both - auger).min()], most) - doubtful - SURE_PART
    if adds.min() > 0:
        return float(adds[0]), -float(adds[1])
    found = np.clip(auger - trap, -most, most)
    if found.min() * found.max() <= 0:
        return (0.0,)
    least = float(found[np.argmin(np.abs(found))])
    return (float(np.sign(least)) * max(abs(least) - doubtful, 0.0),)


def _fits(log_l: Float32Array, states: RowStates) -> list[FloatArray]:
    """(e,) log evidence of rows that are all Auger, all trap, or either, from (e, n, k) under each light."""
    found = []
    for family in states.families:
        below, top = _below_highest(log_l, family)
        found.append(_evidence(np.exp(below, out=below), family) + top)
    return found


@jit
def _below_highest(log_l: Float32Array, family: Family) -> tuple[Float32Array, FloatArray]:
    """(e, n, c) how far its members are below the likeliest in each row, bounded; (e,) sum of the latter."""
    lights, rows, members = log_l.shape[0], log_l.shape[1], np.uint64(len(family.weights))
    first = np.uint64(family.first)
    below, tops = np.empty((lights, rows, members), np.float32), np.zeros(lights)
    for e in range(np.uint64(lights)):
        for t in range(np.uint64(rows)):
            top = highest(log_l[e, t, first : first + members])
            tops[e] += top
            for j in range(members):
                below[e, t, j] = max(log_l[e, t, first + j] - top, np.float32(LEAST_LOG))
    return below, tops


@jit
def _evidence(likelihood: Float32Array, family: Family) -> FloatArray:
    """(e,) log evidence of (e, n, c) likelihoods of its members."""
    found = np.empty(len(likelihood))
    for e in range(len(likelihood)):
        found[e] = log_evidence(likelihood[e], family.weights, family.leaving)
    return found
