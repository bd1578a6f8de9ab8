"""Gaps between the clicks of one detector: its dead time, and its after-pulses.

No click follows another within the dead time; from then on after-pulses come more often than the light alone
would have two clicks follow each other. How often that is, the same detector tells some microseconds later,
when after-pulses are over: the light comes with the pulses, so the same gap a whole number of pulses later
holds as many pairs, but for those of one and the same pulse. These a single emitter hardly has (it is left
open how many), so behind a dead time of tens of ns nearly all near pairs are after-pulses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Photons
from qdmon.analysis.calibration.after_pulses import (
    USUAL_DEAD_NS,
    USUAL_PER_CLICK,
    USUAL_TRAP_NS,
    AfterPulses,
)
from qdmon.analysis.calibration.timing import LEFT_OUT, TimeAxis
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["ClickGaps", "GapCounter", "Gaps", "after_pulses_of", "count_gaps", "dead_time_of"]

FloatArray = NDArray[np.float64]

# Gaps that are looked at, a nanosecond each: dead times of modules are below a third of it.
REACH = 400
LONGEST_DEAD = 150
# What is past so long after a click that no after-pulse comes, and how many such gaps are looked at.
OVER_NS, FAR = 2000.0, 8
# Clicks of a detector that are remembered: those of the last microseconds. A power of two divides fast.
REMEMBERED = 64
# Share of the light that may be seen within a dead time (strays, clocks that jump).
STRAY = 0.02
# In log-likelihood, what the dead time must explain better than any that lies further away than so many ns.
SURE, CLOSE_NS, AROUND_NS = 6.0, 6, 20
# Times traps are sought at, and standard errors of their clicks before one is believed.
TRAPS_NS = np.geomspace(15.0, 180.0, 9)
LEAST_SIGMA = 8.0
TRAP_SCATTER = 0.5
# Traps are of several kinds, so a share of the after-pulses fits no single exponential; and a larger one
# where it is not known when they begin.
SHAPE_ERROR, START_ERROR, LEAST_ERROR = 0.1, 0.3, 0.0002
FIT_NS = 5
# Weights follow from the fit before.
WEIGHT_ROUNDS = 3
# Light of the same pulse over that of different ones: 1 for many emitters, and what their number varies.
MOST_SAME = 1.2


@jit
def count_gaps(
    pairs: NDArray[np.int64],
    recent: tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]],
    photons: tuple[NDArray[np.uint64], NDArray[np.uint16], NDArray[np.uint8]],
    axis: tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int8]],
    period_ns: float,
    block: tuple[np.int64, np.int64],
) -> None:
    """Add the pairs of each detector's clicks with those before.

    Args:
        pairs: (c, 3, g) pairs by gap in ns: near ones; far ones of other pulses; far ones that are a whole
            number of blocks of pulses apart.
        recent: (c, r) pulse of the last clicks, negative for none; (c, r) arrival after it in ns; (c,) clicks
            so far. Updated.
        photons: pulse, nanotime, channel.
        axis: micro-bin, arrival time and turn of each channel and nanotime.
        period_ns: of the laser.
        block: pulses of a block, and how many blocks later the far pairs begin.
    """
    pulse, nanotime, channel = photons
    micro_bin, arrival_ns, turn = axis
    last_pulse, last_ns, seen = recent
    length, first = block
    block_ns = length * period_ns
    last = np.uint64(micro_bin.shape[1] - 1)
    for i in range(np.uint64(len(pulse))):
        c = np.uint64(channel[i])
        if c >= micro_bin.shape[0]:
            continue
        t = min(np.uint64(nanotime[i]), last)
        if micro_bin[c, t] == LEFT_OUT:
            continue
        here, now_ns = np.int64(pulse[i]) + turn[c, t], arrival_ns[c, t]
        for back in range(1, REMEMBERED + 1):
            k = np.uint64(seen[c] - back) % np.uint64(REMEMBERED)
            if last_pulse[c, k] < 0:
                break
            lag = here - last_pulse[c, k]
            gap_ns = lag * period_ns + (now_ns - last_ns[c, k])
            # A damaged stream may step back.
            if gap_ns < 0 or gap_ns >= (first + FAR) * block_ns:
                break
            blocks = np.int64(gap_ns / block_ns)
            gap = np.int64(gap_ns - blocks * block_ns)
            if gap >= REACH:
                continue
            if blocks == 0:
                pairs[c, 0, gap] += 1
            elif blocks >= first:
                pairs[c, 2 if lag == blocks * length else 1, gap] += 1
        k = np.uint64(seen[c]) % np.uint64(REMEMBERED)
        last_pulse[c, k], last_ns[c, k] = here, now_ns
        seen[c] += 1


@dataclass(frozen=True)
class Gaps:
    """Pairs of clicks of one detector by the gap between them, a nanosecond a bin.

    Attributes:
        near: (g,) those counted.
        other: (g,) what light of other pulses gives.
        same: (g,) what light of the same pulse would give, were it not of a single emitter.
        clicks: number of clicks.
    """

    near: FloatArray
    other: FloatArray
    same: FloatArray
    clicks: int


@dataclass(frozen=True, slots=True)
class ClickGaps:
    """What the gaps say of a detector.

    Attributes:
        dead_ns: no click comes sooner after another; unknown if the pairs are too few to tell.
        trap_ns: mean time between the dead time and an after-pulse; without error where it is the usual one.
        after_pulses: per click.
    """

    dead_ns: Estimate
    trap_ns: float
    after_pulses: Estimate


class GapCounter:
    """Pairs of clicks of every detector that sees the dot, as they come."""

    def __init__(self, channels: int, period_ns: float) -> None:
        """Begin to count.

        Args:
            channels: of the card.
            period_ns: of the laser.
        """
        self._period_ns = period_ns
        length = int(np.ceil(REACH / period_ns))
        self._block = np.int64(length), np.int64(np.ceil(OVER_NS / (length * period_ns)))
        self._pairs = np.zeros((channels, 3, REACH), np.int64)
        shape = channels, REMEMBERED
        self._recent = np.full(shape, -1, np.int64), np.zeros(shape, np.float32), np.zeros(channels, np.int64)

    def add(self, photons: Photons, axis: TimeAxis) -> None:
        """Take photons that follow those before."""
        count_gaps(
            self._pairs,
            self._recent,
            (photons.pulse, photons.nanotime, photons.channel),
            (axis.micro_bin, axis.arrival_ns, axis.turn),
            self._period_ns,
            self._block,
        )

    @property
    def near(self) -> int:
        """Near pairs so far, all detectors together."""
        return int(self._pairs[:, 0].sum())

    def gaps(self, channel: int) -> Gaps:
        """Those of one detector."""
        near, other, same = self._pairs[channel].astype(np.float64)
        return Gaps(near, other / FAR, same / FAR, int(self._recent[2][channel]))


def dead_time_of(gaps: Gaps, given_ns: float | None = None) -> ClickGaps:
    """Dead time and after-pulses of a detector.

    Args:
        gaps: of its clicks.
        given_ns: dead time if the pairs cannot tell; None: the usual one.
    """
    dead_ns = _onset(gaps)
    start = dead_ns.value if dead_ns.value is not None else USUAL_DEAD_NS if given_ns is None else given_ns
    if start >= REACH / 2 or gaps.clicks == 0:
        return ClickGaps(dead_ns, USUAL_TRAP_NS, UNKNOWN)
    unusual = np.square(np.log(TRAPS_NS / USUAL_TRAP_NS) / TRAP_SCATTER)
    trap_ns = _lowest(_fits(gaps, start, TRAPS_NS).chi2 + unusual, TRAPS_NS)
    fit = _fit(gaps, start, trap_ns)
    if fit.after < LEAST_SIGMA * fit.error:
        fit, trap_ns = _fit(gaps, start, USUAL_TRAP_NS), USUAL_TRAP_NS
    per_click = fit.after / gaps.clicks
    shape_error = SHAPE_ERROR if dead_ns.value is not None or given_ns is not None else START_ERROR
    error = float(np.hypot(fit.error / gaps.clicks, shape_error * per_click)) + LEAST_ERROR
    return ClickGaps(dead_ns, trap_ns, Estimate(per_click, error))


def after_pulses_of(
    found: Mapping[int, ClickGaps], light: Mapping[int, float], dead_ns: Mapping[int, float]
) -> AfterPulses:
    """After-pulses of several detectors together.

    Args:
        found: channel -> what the gaps say.
        light: channel -> light it sees, in any unit.
        dead_ns: channel -> its dead time.
    """
    seen = np.array(list(light.values()))
    seen = seen / seen.sum()
    dead = np.array([dead_ns[c] for c in light])
    trap = np.array([found[c].trap_ns for c in light])
    clicks = [found[c].after_pulses for c in light]
    per_click = np.array([np.inf if e.value is None else e.value for e in clicks])
    error = np.array([np.inf if e.error is None else e.error for e in clicks])
    mean, spread = float((seen * per_click).sum()), float(np.sqrt(np.square(seen * error).sum()))
    if not spread < USUAL_PER_CLICK[1]:
        return AfterPulses(dead, trap, seen)
    part = seen * per_click + 1e-9
    return AfterPulses(dead, trap, part / part.sum(), (mean, spread), measured=True)


def _lowest(chi2: FloatArray, trap_ns: FloatArray) -> float:
    """The trap time of least chi-squared, by a parabola in its logarithm."""
    x = np.log(trap_ns)
    i = int(np.argmin(chi2))
    if not 0 < i < len(x) - 1:
        return float(trap_ns[i])
    low, middle, high = chi2[i - 1 : i + 2]
    shift = 0.5 * (low - high) / max(low - 2 * middle + high, 1e-12)
    return float(np.exp(x[i] + np.clip(shift, -1, 1) * (x[1] - x[0])))


@dataclass(frozen=True, slots=True)
class _Fits:
    """Near pairs as after-pulses and light, for each of t trap times.

    Attributes:
        after: (t,) number of after-pulses.
        error: (t,) its standard error.
        same: (t,) how often light of the same pulse is seen twice, over that of different pulses.
        chi2: (t,) of the fit.
    """

    after: FloatArray
    error: FloatArray
    same: FloatArray
    chi2: FloatArray


@dataclass(frozen=True, slots=True)
class _Fit:
    """One of `_Fits`."""

    after: float
    error: float
    same: float


def _fit(gaps: Gaps, dead_ns: float, trap_ns: float) -> _Fit:
    """The fit for some dead time and trap time."""
    fits = _fits(gaps, dead_ns, np.array([trap_ns]))
    return _Fit(float(fits.after[0]), float(fits.error[0]), float(fits.same[0]))


def _fits(gaps: Gaps, dead_ns: float, trap_ns: FloatArray) -> _Fits:
    """The fits for a dead time and (t,) trap times."""
    edges = np.arange(REACH + 1, dtype=np.float64)
    open_share = np.clip(edges[1:] - dead_ns, 0.0, 1.0)
    near, same, other = (
        pairs.reshape(-1, FIT_NS).sum(axis=1)
        for pairs in (gaps.near, open_share * gaps.same, open_share * gaps.other)
    )
    left = np.exp(-np.maximum(edges[::FIT_NS] - dead_ns, 0.0) / trap_ns[:, None])
    is_open = edges[FIT_NS::FIT_NS] > dead_ns
    after, near = (left[:, :-1] - left[:, 1:])[:, is_open], near[is_open]
    same, other = same[is_open], other[is_open]
    number, share, chi2 = _shared_out(near, after, same, other)
    # At most all pairs of a pulse are there.
    most = share > MOST_SAME
    if most.any():
        alone, _, chi2_alone = _shared_out(near, after, np.zeros_like(same), other + MOST_SAME * same)
        number, chi2 = np.where(most, alone, number), np.where(most, chi2_alone, chi2)
        share = np.where(most, MOST_SAME, share)
    # What is known of the light are counts, too.
    expected = number[:, None] * after + share[:, None] * same + other
    weight = 1 / (np.maximum(expected, 1.0) + other / FAR)
    of_after, of_same = (weight * after * after).sum(axis=1) + 1e-12, weight @ (same * same) + 1.0
    both = (weight * after) @ same
    return _Fits(number, np.sqrt(of_same / (of_after * of_same - both * both)), share, chi2)


def _shared_out(
    near: FloatArray, after: FloatArray, same: FloatArray, other: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(t,) after-pulses, (t,) share of the same pulse, none negative, and (t,) chi-squared.

    As `nonnegative.fit_counts` has it, for two curves and several trap times at once.

    Args:
        near: (g,) pairs counted.
        after: (t, g) pairs of one after-pulse.
        same: (g,) pairs of light of the same pulse.
        other: (g,) pairs of other light.
    """
    expected = np.broadcast_to(near, after.shape)
    number = share = chi2 = np.zeros(len(after))
    for _ in range(WEIGHT_ROUNDS):
        weight = 1 / np.maximum(expected, 1.0)
        weighted = weight * after
        of_after, of_same = (weighted * after).sum(axis=1), weight @ (same * same) + 1e-300
        both = weighted @ same
        to_after, to_same = weighted @ (near - other), weight @ (same * (near - other))
        determinant = of_after * of_same - both * both
        number = (to_after * of_same - to_same * both) / np.maximum(determinant, 1e-300)
        share = (to_same * of_after - to_after * both) / np.maximum(determinant, 1e-300)
        # Where one of them would be negative the better of the two is taken alone.
        alone = np.maximum(to_after / of_after, 0.0), np.maximum(to_same / of_same, 0.0)
        inside = (number > 0) & (share > 0) & (determinant > 1e-12 * of_after * of_same)
        better = alone[0] * to_after >= alone[1] * to_same
        number = np.where(inside, number, np.where(better, alone[0], 0.0))
        share = np.where(inside, share, np.where(better, 0.0, alone[1]))
        expected = number[:, None] * after + share[:, None] * same + other
        chi2 = (weight * np.square(near - expected)).sum(axis=1)
    return number, share, chi2


def _onset(gaps: Gaps) -> Estimate:
    """Where gaps begin; unknown where too few are missing to tell."""
    before = np.concatenate([[0.0], np.cumsum(gaps.near)])[: LONGEST_DEAD + 1]
    light = gaps.other + _fit(gaps, 0.0, USUAL_TRAP_NS).same * gaps.same
    strays = STRAY * np.concatenate([[0.0], np.cumsum(light)])[: LONGEST_DEAD + 1]
    roughly = int(np.flatnonzero(before <= strays + 3 * np.sqrt(strays) + 1)[-1])
    if roughly == LONGEST_DEAD:
        return UNKNOWN
    # Around it the rate is as good as constant, and next to none before.
    first, rate = max(roughly - AROUND_NS, 0), float(gaps.near[roughly : roughly + AROUND_NS].mean())
    n = gaps.near[first : roughly + CLOSE_NS]
    blind = np.cumsum(np.concatenate([[0.0], n * np.log(STRAY) + (1 - STRAY) * rate]))
    tried = first + np.arange(roughly - first + CLOSE_NS, dtype=np.float64)
    likely = blind[: len(tried)] > blind[: len(tried)].max() - SURE
    weight = np.exp(blind[: len(tried)] - blind.max())
    # Bins are a nanosecond wide: a hundredth of it says nothing.
    dead_ns = round(float((weight * tried).sum() / weight.sum()), 2)
    if np.ptp(tried[likely]) > CLOSE_NS or _missing(gaps, dead_ns) < SURE:
        return UNKNOWN
    return Estimate(dead_ns, float(np.sqrt(weight @ np.square(tried - dead_ns) / weight.sum() + 1 / 12)))


def _missing(gaps: Gaps, dead_ns: float) -> float:
    """Pairs expected right before the dead time is over; without a dead time, those that are there."""
    if dead_ns < 1:
        return float(gaps.near[:CLOSE_NS].sum())
    fit = _fit(gaps, dead_ns, USUAL_TRAP_NS)
    close = slice(max(round(dead_ns) - CLOSE_NS, 0), round(dead_ns))
    light = (gaps.other + fit.same * gaps.same)[close].sum()
    return float(light + max(fit.after - 2 * fit.error, 0.0) / USUAL_TRAP_NS * CLOSE_NS)
