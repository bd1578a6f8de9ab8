"""How the collection of light drifts: a stage creeps out of focus, the laser loses power.

Traps take intensity and lifetime by the same factor, whatever they do, so in all neutral states intensity
over lifetime is that of the bright level. It stays where the set-up does, and follows a drift of the light.
What a fit that knows of no drift takes for shallow traps, or for a loss at constant lifetime, is told apart
by that. How fast it goes is learned from the light itself; what jumps is the dot's, as its levels explain
that with fewer numbers than a drift takes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bright import level_of
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.fit import DotFit, brighter, reread
from qdmon.analysis.dot.states import CHARGED, SINGLE

__all__ = ["RAMP_S", "Drift", "Levelled", "drift_of", "fit_with_drift", "reread_with_drift"]

FloatArray = NDArray[np.float64]

# Light is compared between blocks of at least so long, so many at most, each with so many photons of nearly
# bright bins.
BLOCK_S, MOST_BLOCKS, FEWEST_PHOTONS = 0.2, 300, 500.0
# Nearly bright bins have lost less than this, and bright ones hardly anything.
NEAR_BRIGHT, HARDLY = 0.35, 0.12
# Relative error of a block's light over its lifetime besides that of its photons, and how fast light may
# drift, per square root of a second: a stage that creeps, a laser that wanders.
BLOCK_ERROR, RATES = 0.004, (0.01, 0.02, 0.04, 0.08, 0.16)
# Gains in steps of this logarithm and of time, so that bins of one gain are reckoned together.
STEP, STEP_S = 0.005, 0.1
# A drift that differs by less, root mean square, is the same.
SAME = 0.005
# Fits of the dot and of its drift in turns, at most.
TURNS = 3
# Log-likelihood that a drift has to gain at least, and for each number that tells it: a lifetime that wanders
# by some per cent looks like one, but explains the bins hardly better.
LEAST_WORTH, WORTH = 10.0, 2.0
# Part of it that light itself has to show: a lifetime that wanders moves nothing but the lifetime.
BY_LIGHT = 0.5
# Light that took so long to settle after a step of the fluence, at most; moved by so much (logarithm) until
# then, and differs by no more from what it is afterwards.
RAMP_S, RAMP, SETTLED = 1.5, 0.3, 0.1
# A drift is told from none by so much log-likelihood of its blocks, and if it is so large.
LEAST_GAIN, LEAST_DRIFT = 12.0, 0.01
# Standard deviations of chi squared up to which light scatters by chance.
STEADY_SIGMA = 3.0


@dataclass(frozen=True)
class Drift:
    """Light collected over time.

    Attributes:
        time_s: (b,) middles of the blocks.
        log_gain: (b,) logarithm of the light collected, over that of most of the time.
        reference: logarithm of light over lifetime where the gain is 1.
        freedom: numbers that it takes to tell it.
        error: standard error of the logarithms, on average; 0 where the light is steady.
    """

    time_s: FloatArray
    log_gain: FloatArray
    reference: float
    freedom: float
    error: float = 0.0

    @cached_property
    def span(self) -> float:
        """From the least to the most light, relative."""
        return float(np.expm1(np.ptp(self.log_gain)))

    @property
    def ramp_s(self) -> float:
        """How long the light took to settle to begin with, by a laser that follows its orders slowly."""
        if len(self.time_s) < 2:
            return 0.0
        half_s = float(self.time_s[1] - self.time_s[0]) / 2
        after_s = self.time_s - self.time_s[0] + half_s
        young = after_s < RAMP_S
        away = np.abs(self.log_gain - self.log_gain[min(int(young.sum()), len(young) - 1)])
        if away[young].max() < RAMP:
            return 0.0
        return float(after_s[young & (away > SETTLED)][-1]) + half_s

    @cached_property
    def wander(self) -> float:
        """How far the light is from what it was a second before, rms of either, relative."""
        block_s = self.time_s[1] - self.time_s[0] if len(self.time_s) > 1 else 1.0
        lag = max(round(1.0 / float(block_s)), 1)
        moved = self.log_gain[lag:] - self.log_gain[:-lag]
        return float(np.sqrt(np.square(moved).mean() / 2)) if len(moved) else 0.0

    def gain(self, time_s: FloatArray) -> FloatArray | None:
        """(n,) light collected at some times over that of most of it, in steps; None where it is steady."""
        if self.span == 0:
            return None
        at_s = (np.floor(time_s / STEP_S) + 0.5) * STEP_S
        steps = np.round(np.interp(at_s, self.time_s, self.log_gain) / STEP) * STEP
        return np.asarray(np.exp(steps))

    def centred(self, start_s: FloatArray) -> "Drift":
        """The same, over the light of most of these bins; start_s: (n,) start of each."""
        here = float(np.median(np.interp(start_s, self.time_s, self.log_gain)))
        return replace(self, log_gain=self.log_gain - here, reference=self.reference + here)

    def on(self, data: BinnedDecays, start_s: FloatArray) -> BinnedDecays:
        """Bins as this part of the light makes them; start_s: (n,) start of each."""
        return replace(data, gain=self.gain(start_s), gain_error=self.error)

    def differs_from(self, other: "Drift | None") -> bool:
        """Whether it is another one, of these blocks; None stands for no drift."""
        before = np.zeros(len(self.time_s))
        if other is not None:
            before = np.interp(self.time_s, other.time_s, other.log_gain)
        change = self.log_gain - before
        return bool(np.sqrt(np.square(change - change.mean()).mean()) > SAME)


def drift_of(
    data: BinnedDecays, start_s: FloatArray, found: FamilyFit, reference: float | None = None
) -> Drift | None:
    """The drift that the bins of a fit show; None where too few blocks are bright.

    Args:
        data: the bins.
        start_s: (n,) start of each.
        found: what the dot did in them.
        reference: see `Drift`, of the fit that the dot is known by; None: that of most of these bins.
    """
    losses, neutral = found.dot.losses.total, ~(CHARGED & SINGLE)
    near, bright = (found.posterior_of((losses < least) & neutral) > 0.5 for least in (NEAR_BRIGHT, HARDLY))
    block_s = max(BLOCK_S, float(start_s[-1] - start_s[0]) / MOST_BLOCKS)
    block = ((start_s - start_s[0]) / block_s).astype(np.intp)
    time_s = start_s[0] + (np.arange(block[-1] + 1) + 0.5) * block_s
    light, photons = _bright_light(data, block, bright)
    if _is_steady(light, photons):
        return Drift(time_s, np.zeros(len(time_s)), 0.0, 1.0)
    seen = _blocks(data, block, near, light)
    if not seen.weight.any():
        return None
    steps = np.diff(np.eye(len(light)), axis=0)
    links = steps.T @ steps
    course = max((_course(seen, links, rate**2 * block_s) for rate in RATES), key=lambda c: c.gain)
    if _is_drift(seen, course):
        smooth, error = course.value, course.error
    else:
        smooth, error = np.full(len(seen.value), seen.mean), 0.0
    if reference is None:
        return Drift(time_s, smooth, 0.0, course.freedom, error).centred(start_s)
    return Drift(time_s, smooth - reference, reference, course.freedom, error)


class _Blocks(NamedTuple):
    """Bins of b blocks of time, pooled.

    Attributes:
        light: (b,) logarithm of the intensity of bright ones; NaN where there are none.
        value: (b,) logarithm of intensity over lifetime of nearly bright ones.
        weight: (b,) of these, the inverse of the variance; 0 where there are too few photons.
    """

    light: FloatArray
    value: FloatArray
    weight: FloatArray

    @property
    def mean(self) -> float:
        """Of the values."""
        return float(self.weight @ self.value / self.weight.sum())


def _bright_light(
    data: BinnedDecays, block: NDArray[np.intp], bright: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """(b,) logarithm of the light of bright bins in each block, NaN where none is; (b,) its photons."""
    number = int(block[-1]) + 1
    net = data.fitted[bright].sum(axis=1, dtype=np.float64) - float(data.background[1:].sum())
    photons = np.maximum(np.bincount(block[bright], net, number), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(photons / np.bincount(block[bright], minlength=number)), photons


def _is_steady(light: FloatArray, photons: FloatArray) -> bool:
    """Whether the light of bright bins scatters by chance alone: then it does not drift."""
    lit = photons > 0
    number = int(lit.sum())
    if number < 2:
        return False
    off = light[lit] - np.average(light[lit], weights=photons[lit])
    return float(photons[lit] @ np.square(off)) < number + STEADY_SIGMA * float(np.sqrt(2 * number))


def _blocks(
    data: BinnedDecays, block: NDArray[np.intp], near: NDArray[np.bool_], light: FloatArray
) -> _Blocks:
    """Nearly bright bins, (n,) bool, by the (n,) block each is in, beside the (b,) light of bright ones."""
    found = _Blocks(light, *np.zeros((2, len(light))))
    for b in range(len(light)):
        bins = near & (block == b)
        level = level_of(data, bins) if bins.any() else None
        if level is None or level.cps <= 0 or level.cps * bins.sum() * data.bin_s < FEWEST_PHOTONS:
            continue
        photons = level.per_s * bins.sum() * data.bin_s
        found.value[b] = np.log(level.cps / level.lifetime_ns)
        found.weight[b] = 1 / (1 / photons + (level.error_ns / level.lifetime_ns) ** 2 + BLOCK_ERROR**2)
    return found


class _Course(NamedTuple):
    """The likeliest random walk through blocks.

    Attributes:
        value: (b,) where it leads.
        error: standard error of that, on average.
        freedom: how many numbers it takes.
        gain: log-likelihood of such a walk over that of no drift.
    """

    value: FloatArray
    error: float
    freedom: float
    gain: float


def _course(seen: _Blocks, links: FloatArray, variance: float) -> _Course:
    """Smoothed by a random walk of so much variance from block to block.

    Args:
        seen: b blocks.
        links: (b, b) precision of a walk whose variance is 1.
        variance: of the walk.
    """
    weight, n = seen.weight, len(seen.weight)
    off = np.where(weight > 0, seen.value - seen.mean, 0.0)
    inverse = np.linalg.inv(np.diag(weight) + links / variance)
    smooth = np.asarray(inverse @ (weight * off))
    # A walk may begin anywhere, as may light that does not drift.
    log_det = np.linalg.slogdet(inverse)[1] + np.log(weight.sum()) - (n - 1) * np.log(variance)
    gain = 0.5 * (log_det + float((weight * off) @ smooth))
    variances = np.diagonal(inverse)
    # Between the middles of two blocks it goes its own way.
    error = float(np.sqrt(variances.mean() + variance / 6))
    return _Course(smooth + seen.mean, error, float(variances @ weight), gain)


def _is_drift(seen: _Blocks, course: _Course) -> bool:
    """Whether these values scatter by more than chance, by enough, and with the light."""
    off = course.value - seen.mean
    large = float(seen.weight @ np.square(off)) > LEAST_DRIFT**2 * float(seen.weight.sum())
    lit = np.where(np.isfinite(seen.light), seen.weight, 0.0)
    moved = off - float(lit @ off) / max(float(lit.sum()), 1e-12)
    by_light = float(lit * moved @ np.where(lit > 0, seen.light, 0.0))
    return course.gain > LEAST_GAIN and large and by_light > BY_LIGHT * float(lit @ np.square(moved))


class Levelled(NamedTuple):
    """A dot, and the light of it that was collected.

    Attributes:
        data: the bins, with the part of the light collected in each.
        fit: of the dot to them.
        drift: of that light; None while nothing is known of it.
    """

    data: BinnedDecays
    fit: DotFit
    drift: Drift | None


def fit_with_drift(
    data: BinnedDecays,
    start_s: FloatArray,
    fitted: Callable[[BinnedDecays], DotFit | None],
    known: Drift | None,
) -> Levelled | None:
    """Fit a dot and its drift in turns; a drift has to explain the bins better than the dot alone does.

    Args:
        data: the bins.
        start_s: (n,) start of each.
        fitted: fits a dot to bins, if it can.
        known: drift to begin with.
    """
    best: Levelled | None = None
    drift, least = known, -np.inf
    for _ in range(TURNS):
        fit = fitted(data)
        if fit is None:
            break
        worth = _worth_of(fit, drift)
        if worth <= least:
            break
        best, least = Levelled(data, fit, drift), worth
        found = drift_of(data, start_s, fit.likeliest)
        if found is None or not found.differs_from(drift):
            # A light that does not drift is known, too.
            best = best._replace(drift=drift or found)
            break
        drift, data = found, found.on(data, start_s)
    return best if best is None else _centred(best, start_s)


def _centred(found: Levelled, start_s: FloatArray) -> Levelled:
    """The same dot, as bright as in the light of most of these bins; start_s: (n,) start of each."""
    if found.drift is None or found.drift.span == 0:
        return found
    drift = found.drift.centred(start_s)
    light = float(np.exp(drift.reference - found.drift.reference))
    return Levelled(drift.on(found.data, start_s), brighter(found.fit, light), drift)


def _worth_of(fit: DotFit, drift: Drift | None) -> float:
    """Log-likelihood of a dot, less what a drift has to gain."""
    needed = LEAST_WORTH + WORTH * drift.freedom if drift is not None and drift.span > 0 else 0.0
    return fit.likeliest.log_likelihood - needed


def reread_with_drift(
    data: BinnedDecays, start_s: FloatArray, known: DotFit, drift: Drift | None
) -> Levelled:
    """The dot of a fit in other bins, a drift as it went on.

    Args:
        data: the bins, with the drift known so far.
        start_s: (n,) start of each.
        known: the fit.
        drift: of the light; one that was not known before is for the next fit to find.
    """
    fit = reread(data, known)
    if drift is None or drift.span == 0:
        return Levelled(data, fit, drift)
    found = drift_of(data, start_s, fit.likeliest, drift.reference)
    if found is None or not found.differs_from(drift):
        return Levelled(data, fit, drift)
    data = found.on(data, start_s)
    return Levelled(data, reread(data, known), found)
