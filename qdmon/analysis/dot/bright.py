"""The bright level of a dot from its time bins: where the neutral dot without traps lies."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.biexciton import DECAY_CHANNELS, EARLY_FROM
from qdmon.analysis.decays.lifetime import lifetime_mle
from qdmon.analysis.decays.nonnegative import fit_counts
from qdmon.analysis.dot.binned import BinnedDecays

__all__ = ["Level", "bright_levels", "level_of", "rarer_level", "without_biexcitons"]

FloatArray = NDArray[np.float64]

# A level that lasts holds so much of the time. Rare light beyond it is another level if it is brighter by so
# much and so many standard deviations, lives longer by as much, and holds such a share of the brighter bins.
LASTING = 0.02
BRIGHTER, ABOVE_SIGMA, LONGER_SIGMA, RARE_SHARE = 1.1, 5.0, 3.0, 0.15
# Photons out of place, relative, from which light is no exponential decay: that of a lamp.
UNLIKE = 0.15
FEWEST_BINS = 5
# The most light is looked at in ever larger parts of the bins, each twice the one before.
DOUBLINGS = 6
# Bins of a level are so near to it, in units of the noise of their counts.
NEAR = 1.3
# Turns in which the light of biexcitons and the lifetime of the exciton are found.
TURNS = 6


def _brightest(counts: FloatArray, least: float) -> NDArray[np.bool_] | None:
    """Bins of the brightest level that lasts: the uppermost peak of the count distribution.

    Args:
        counts: (n,) photons per bin.
        least: share of the bins that makes a level.
    """
    top = float(counts.max(initial=0.0))
    if top < 20:
        return None
    grid = np.exp(np.arange(np.log(8.0), np.log(top * 1.1 + 1), 0.04))
    density = np.empty(len(grid))
    for i, level in enumerate(grid):
        # In units of the shot noise, so that a peak is as wide at every level.
        density[i] = np.exp(-0.5 * np.square(counts - level) / level).sum() / len(counts)
    for i in range(len(grid) - 1, -1, -1):
        higher = density[max(i - 3, 0) : i + 4]
        if density[i] > least and density[i] >= higher.max():
            return np.asarray(np.abs(counts - grid[i]) < NEAR * np.sqrt(grid[i]))
    return None


@dataclass(frozen=True, slots=True)
class Level:
    """Light of some bins.

    Attributes:
        cps: net rate, prompt light left out of the reckoning.
        lifetime_ns: with its standard error.
        error_ns: that.
        per_s: all photons behind the gate per second, background included.
        misfit: photons out of place, relative.
    """

    cps: float
    lifetime_ns: float
    error_ns: float
    per_s: float
    misfit: float

    @property
    def surely_ns(self) -> float:
        """What its lifetime surely exceeds."""
        return self.lifetime_ns - LONGER_SIGMA * self.error_ns


def level_of(data: BinnedDecays, bins: NDArray[np.bool_]) -> Level | None:
    """Light of some bins as one exponential; None where it does not decay."""
    n = int(bins.sum())
    histogram = data.counts[bins].sum(axis=0, dtype=np.float64)
    background = data.background * n
    fit = lifetime_mle(histogram, background, data.bins)
    if fit is None:
        return None
    shape = data.bins.share_of(np.array([fit.tau_ns]))[0, 1:]
    share = float(shape.sum())
    seconds = n * data.bin_s
    net = float(histogram[1:].sum() - background[1:].sum())
    expected = net / share * shape + background[1:]
    excess = float((np.square(histogram[1:] - expected) / (expected + 1e-9)).sum()) - len(shape)
    misfit = float(np.sqrt(max(excess, 0.0) / max(net, 1.0)))
    return Level(
        net / share / seconds, fit.tau_ns, fit.error_ns, float(histogram[1:].sum()) / seconds, misfit
    )


def _undrifted(data: BinnedDecays, bins: NDArray[np.bool_]) -> Level | None:
    """Light of some bins as by `level_of`, as bright as where all of it is collected."""
    level = level_of(data, bins)
    if level is None:
        return None
    part = data.collected_s(bins) / (int(bins.sum()) * data.bin_s)
    return replace(level, cps=level.cps / part, per_s=level.per_s / part)


def bright_levels(data: BinnedDecays) -> list[tuple[float, float]]:
    """Net rate (cps, prompt light left out) and lifetime (ns) of the neutral dot, likeliest first.

    That is the brightest level that lasts, unless there is rare light both brighter and longer lived than
    it: then the dot is hardly ever neutral, or that light is the luckiest of its bins.
    """
    coarse = data.grouped(0.01)
    lasting = _brightest(coarse.levelled, LASTING)
    usual = _undrifted(coarse, lasting) if lasting is not None else None
    if usual is None:
        return []
    rare = _rare_level(data, usual)
    return [(level.cps, level.lifetime_ns) for level in (rare, usual) if level is not None]


def _rare_level(data: BinnedDecays, usual: Level) -> Level | None:
    """Rare light both brighter and longer lived than the level that lasts; None where there is none."""
    counts = data.levelled
    expected = usual.per_s * data.bin_s
    above = np.flatnonzero(counts > max(expected + ABOVE_SIGMA * np.sqrt(expected), BRIGHTER * expected))
    members = _brightest(counts[above], RARE_SHARE) if len(above) >= FEWEST_BINS else None
    if members is None:
        return None
    rare = np.zeros(len(counts), bool)
    rare[above[members]] = True
    found = _undrifted(data, rare)
    if found is None or found.misfit >= UNLIKE:
        return None
    longer = found.lifetime_ns - BRIGHTER * usual.lifetime_ns
    return found if longer > LONGER_SIGMA * found.error_ns else None


def rarer_level(data: BinnedDecays, usual: tuple[float, float]) -> tuple[float, float] | None:
    """Net rate (cps) and lifetime (ns) of the longest-lived of the brightest bins; None if that is the usual.

    A dot with many traps, or charged nearly all the time, may be neutral and free of traps in a bin now and
    then, and never for long: its brightest bins make no peak. Where they shade into others, more of them
    make their lifetime shorter, fewer make it less certain.

    Args:
        data: the bins.
        usual: rate and lifetime of the bright level that lasts.
    """
    brightest = np.argsort(-data.levelled, kind="stable")
    best: Level | None = None
    for doubling in range(DOUBLINGS):
        bins = np.zeros(len(data.counts), bool)
        bins[brightest[: FEWEST_BINS << doubling]] = True
        level = _undrifted(data, bins)
        if level is not None and (best is None or level.surely_ns > best.surely_ns):
            best = level
    if best is None or best.surely_ns < BRIGHTER * usual[1] or best.cps < usual[0]:
        return None
    return best.cps, best.lifetime_ns


def without_biexcitons(
    data: BinnedDecays, usual: tuple[float, float], biexciton_yield: float
) -> tuple[float, float, float] | None:
    """Net rate (cps) and lifetime (ns) of a level's excitons, and the light of its biexcitons over theirs.

    Both decay as one exponential each. None where the light of biexcitons is too little to matter.

    Args:
        data: the bins.
        usual: rate and lifetime of all light of the level as one exponential.
        biexciton_yield: over that of the exciton.
    """
    coarse = data.grouped(0.01)
    tau_ns = usual[1]
    modelled = usual[0] * coarse.bin_s * float(coarse.bins.share_of(np.array([tau_ns]))[0, 1:].sum())
    expected = modelled + float(coarse.background[1:].sum())
    members = np.abs(coarse.levelled - expected) < NEAR * np.sqrt(expected)
    histogram = coarse.counts[members].sum(axis=0, dtype=np.float64)
    background = coarse.background * int(members.sum())
    amplitudes = np.zeros(2)
    for _ in range(TURNS):
        shapes = coarse.bins.share_of(np.array([tau_ns, biexciton_yield / DECAY_CHANNELS * tau_ns]))
        amplitudes, _ = fit_counts(shapes[:, 1:].T, histogram[1:], background[1:])
        fit = lifetime_mle(histogram, background + amplitudes[1] * shapes[1], coarse.bins, guess_ns=tau_ns)
        if fit is None:
            return None
        tau_ns = fit.tau_ns
    if amplitudes[1] <= EARLY_FROM * amplitudes[0]:
        return None
    seconds = coarse.collected_s(members)
    return float(amplitudes[0]) / seconds, tau_ns, float(amplitudes[1] / amplitudes[0])
