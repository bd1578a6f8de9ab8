"""Blinks as they happen: dim dwells read row by row from a known bright level, each Auger or trap.

The verdict fits a dot to seconds of light; after a step of the fluence that is too late. What is known of
the dot beforehand, its bright level and lifetime, is enough to read a dwell of a few milliseconds. Either
family, charged or trapped, is a sticky chain over its states (`row_states`), or what is neither at a price;
their likelihoods for the rows of a dwell are its odds. A dot that charges while it is trapped, or the other
way round, stays dim: such a dwell is as many blinks as it surely has parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.conversion.bright_tracker import BrightTracker
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel, RowStates, row_log_likelihood, row_states
from qdmon.analysis.dot.chain import Chain, Smoothed, learn, log_evidence
from qdmon.analysis.switching.blinks import hysteresis_runs

__all__ = ["BlinkReader"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

# Chance of being dim at which a dwell begins, and ends.
ENTER, LEAVE = 0.9, 0.1
# Rows of light that end a dwell for good, and the longest that is read in one piece.
SETTLED_ROWS, LONGEST_ROWS = 5, 4000
# Whatever its photons say, a row of a dwell may hold a switch of any kind: nats of a row.
MOST_ODDS_PER_ROW = 2.0
# A part of a dwell is a blink of its own if its photons are as sure as a blink can be.
SURE_PART = 10.0
# Nats a photon that a decay gains whose shape is right, over one that is wrong by 6 % throughout: no model is
# better than that, and a dwell of seconds adds it up. Trap and trion differ by fifty times more.
MODEL_ERROR = 0.002
# A dwell is of both kinds if that explains it so much better, in nats.
BOTH = 3.0
# Blinks are read again where the bright level was wrong by this, as a logarithm.
WRONG_LEVEL = 0.15
# A smaller error of the background over the bright level does not matter; of that so much stays at least.
LEAST_FLOOR_ERROR, LEAST_LEVEL = 0.005, 0.2
# A likelihood this far below the best state's is not taken at its word.
LEAST_LOG = -60.0
# Once the bright level has been seen it is looked after every so many reads.
TRACK_EVERY = 5


class BlinkReader:
    """Reads the blinks of one stretch from its table; what is settled is told once.

    Attributes:
        level: its bright level.
        dim: whether the dot was dim when the latest rows ended, be it in a dwell that has been told already.
    """

    def __init__(
        self, first_pulse: int, crossing: Mark | None = None, level: BrightTracker | None = None
    ) -> None:
        """Begin with a stretch.

        Args:
            first_pulse: of the stretch.
            crossing: the blink the stretch before ended in; it was told, and may go on.
            level: its bright level, if it has been followed already.
        """
        self.level = BrightTracker(first_pulse) if level is None else level
        self.dim = False
        self._first_pulse = first_pulse
        self._crossing = crossing.odds if crossing is not None else 0.0
        self._reads = 0
        self._from_pulse = first_pulse
        self._continues = False
        self._states: tuple[float, MicroBins, RowStates] | None = None
        # Bright levels in use when blinks were told, and now.
        self._told_at: list[float] = []
        self._cps = 0.0

    @property
    def misread(self) -> bool:
        """Whether blinks were told with a bright level that has turned out to be wrong."""
        return self.level.seen and any(abs(np.log(cps / self._cps)) > WRONG_LEVEL for cps in self._told_at)

    def read(
        self,
        table: BinTable,
        bins: MicroBins,
        bright: BrightLevel,
        floor: Floor,
        losses: list[tuple[int, int]],
        row_s: float,
    ) -> tuple[list[Mark], Mark | None]:
        """Blinks that have ended since the last call, and the one that is going on.

        Args:
            table: rows of about a millisecond.
            bins: its micro-bins, with the delayed share.
            bright: what is known of the dot at this fluence.
            floor: what lies under the light of the detectors together.
            losses: pulse intervals in which photons are missing.
            row_s: duration of a row.
        """
        width = table.pulses_per_row
        first = max(-(-(self._from_pulse - table.first_pulse) // width), 0)
        rows = table.rows[first:]
        if len(rows) < SETTLED_ROWS or bright.cps <= 0:
            return [], None
        start_pulse = table.first_pulse + first * width
        states = self._states_of(bright.lifetime_ns, bins)
        background = floor.background_cps * bins.uniform_share
        self.level.foresee(bright.cps)
        if not self.level.seen or self._reads % TRACK_EVERY == 0:
            self.level.update(table, states, bright, background, row_s)
        self._reads += 1
        self._cps = cps = bright.cps * self.level.scale
        expected = [
            (states.signal * level + dark_cps * bins.uniform_share) * row_s
            for level, dark_cps in _possible(cps, self.level.doubt, floor)
        ]
        log_l = row_log_likelihood(rows, expected[0])
        whole = ~_lost(losses, start_pulse, width, len(rows))
        log_l[~whole] = 0.0
        dark = float(background[1:].sum()) * row_s
        bright_light = float(expected[0][0, 1:].sum()) - dark

        def mark_of(begin: int, end: int) -> Mark:
            light = float(rows[begin:end, 1:].sum(dtype=np.int64)) - dark * (end - begin)
            return Mark(
                (start_pulse + begin * width) / width * row_s,
                (start_pulse + end * width) / width * row_s,
                _odds(rows[begin:end][whole[begin:end]], expected, states),
                max((end - begin) - light / bright_light, 0.0) * row_s,
            )

        marks: list[Mark] = []
        open_from: int | None = None
        going_on: Mark | None = None
        done = 0
        self.dim = False
        for runs in _dim_runs(log_l, states):
            *ended, last = _blinks(runs, mark_of)
            end = runs[-1].end
            self.dim = end > len(rows) - SETTLED_ROWS
            is_open = self.dim and end - last.begin < LONGEST_ROWS
            for blink in ended if is_open else [*ended, last]:
                if not self._is_told(blink, start_pulse, width):
                    marks.append(blink.mark)
                self._continues = False
            if is_open:
                open_from = last.begin
                going_on = None if self._is_told(last, start_pulse, width) else last.mark
                break
            self._continues = self.dim
            done = end
        if open_from is None:
            open_from = max(done, len(rows) - 2 * SETTLED_ROWS)
        self._from_pulse = start_pulse + open_from * width
        if marks:
            self._told_at = [min([cps, *self._told_at]), max([cps, *self._told_at])]
        return marks, going_on

    def _is_told(self, blink: "_Blink", start_pulse: int, width: int) -> bool:
        """Whether a blink at the beginning of rows that start here is one that was told before."""
        return blink.begin <= SETTLED_ROWS and (
            self._continues or self._goes_on(start_pulse, width, blink.mark)
        )

    def _states_of(self, lifetime_ns: float, bins: MicroBins) -> RowStates:
        """Those of the last read while they stay."""
        if self._states is None or lifetime_ns != self._states[0] or not bins.same_as(self._states[1]):
            self._states = lifetime_ns, bins, row_states(lifetime_ns, bins)
        return self._states[2]

    def _goes_on(self, start_pulse: int, width: int, mark: Mark) -> bool:
        """Whether a blink at the beginning of rows that start here is that of the stretch before."""
        begins = start_pulse < self._first_pulse + SETTLED_ROWS * width
        return begins and mark.odds * self._crossing > 0


def _possible(cps: float, doubt: float, floor: Floor) -> list[tuple[float, float]]:
    """Bright levels and backgrounds (cps) that may be: the likeliest, then either off by its error.

    What is seen of the bright level is both together, so with more background it is darker.
    """
    dark_cps = floor.background_cps
    found = [(cps, dark_cps), *((cps * float(np.exp(sign * doubt)), dark_cps) for sign in (-1, 1))]
    if floor.error_cps > LEAST_FLOOR_ERROR * cps:
        for other in (max(dark_cps - floor.error_cps, 0.0), dark_cps + floor.error_cps):
            found.append((max(cps + dark_cps - other, LEAST_LEVEL * cps), other))
    return found


def _lost(losses: list[tuple[int, int]], start_pulse: int, width: int, n: int) -> NDArray[np.bool_]:
    at = start_pulse + width * np.arange(n)
    lost = np.zeros(n, bool)
    for first, stop in losses:
        lost |= (at < stop) & (at + width > first)
    return lost


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a dwell that look alike: charged (1), trapped (-1), or neither for sure (0)."""

    begin: int
    end: int
    kind: int


@dataclass(frozen=True, slots=True)
class _Blink:
    """Where a blink begins in the rows, and how the test sees it."""

    begin: int
    mark: Mark


def _dim_runs(log_l: Float32Array, states: RowStates) -> list[list[_Part]]:
    """Dim dwells in the smoothed probability of having lost much light, in parts of one kind each."""
    likelihood = np.exp(np.maximum(log_l - log_l.max(axis=1, keepdims=True), LEAST_LOG))
    posterior = _smoothed(likelihood, states.weights, states.leaving).posterior
    chance = posterior[:, states.dim].sum(axis=1)
    charged, trapped = (posterior[:, family].sum(axis=1) for family in (states.charged, states.trapped))
    kind = np.where(charged > ENTER, 1, np.where(trapped > ENTER, -1, 0))
    return [_parts(kind, begin, end) for begin, end in hysteresis_runs(chance > ENTER, chance < LEAVE)]


def _parts(kind: NDArray[np.int_], begin: int, end: int) -> list[_Part]:
    """A dwell in parts; rows of neither kind belong to the part before, the first ones to that behind."""
    sure = np.flatnonzero(kind[begin:end]) + begin
    turns = sure[1:][kind[sure[1:]] != kind[sure[:-1]]].tolist()
    edges = [begin, *turns, end]
    kinds = [int(kind[sure[0]]) if len(sure) else 0, *(int(kind[t]) for t in turns)]
    return [_Part(*part) for part in zip(edges[:-1], edges[1:], kinds, strict=True)]


def _blinks(parts: list[_Part], mark_of: Callable[[int, int], Mark]) -> list[_Blink]:
    """The blinks of a dwell: parts that are surely of another kind than the one before, with what is not."""
    whole = parts[0].begin, parts[-1].end
    if len(parts) == 1:
        return [_Blink(whole[0], mark_of(*whole))]
    sure = [part for part in parts if part.kind * mark_of(part.begin, part.end).odds >= SURE_PART]
    turns = [part.begin for last, part in pairwise(sure) if last.kind != part.kind]
    edges = [whole[0], *turns, whole[1]]
    return [_Blink(a, mark_of(a, b)) for a, b in pairwise(edges)]


def _smoothed(likelihood: Float32Array, weights: FloatArray, leaving: FloatArray) -> Smoothed:
    """The rows under a chain that is known."""
    nothing = np.zeros(len(weights)), np.zeros(len(weights))
    return learn(likelihood, 0.0, Chain(weights, leaving), nothing, 0)


def _odds(rows: NDArray[np.generic], expected: list[FloatArray], states: RowStates) -> float:
    """Log-likelihood ratio of a dwell, Auger against trap, as far as it holds whatever light is expected."""
    found: list[float] = []
    for light in expected:
        found.append(_odds_at(row_log_likelihood(rows, light), states))
        if found[0] * found[-1] <= 0:
            return 0.0
    least = min(found, key=abs)
    doubtful = MODEL_ERROR * float(rows[:, 1:].sum(dtype=np.int64))
    return float(np.sign(least) * max(abs(least) - doubtful, 0.0))


def _odds_at(log_l: Float32Array, states: RowStates) -> float:
    """Log-likelihood ratio of a dwell, all Auger against all trap, or neither now and then.

    A dwell that only both together explain is no evidence of either.
    """
    weights, leaving = states.weights, states.leaving
    total = []
    for family in (states.charged | states.neither, states.trapped | states.neither, states.dim):
        part = log_l[:, family]
        top = part.max(axis=1, keepdims=True)
        w = weights[family] / weights[family].sum()
        scaled = np.exp(np.maximum(part - top, LEAST_LOG))
        of_rows = log_evidence(scaled, Chain(w, leaving[family]))
        total.append(of_rows + float(top.sum(dtype=np.float64)))
    if total[2] > max(total[:2]) + BOTH:
        return 0.0
    most = MOST_ODDS_PER_ROW * len(log_l)
    return float(np.clip(total[0] - total[1], -most, most))
