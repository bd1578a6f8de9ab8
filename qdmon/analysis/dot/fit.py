"""Fit of a dot's states to its time bins: the chain by EM, the dot's parameters by their own photons."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.decays.lifetime import lifetime_mle
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.chain import Chain, Smoothed, learn
from qdmon.analysis.dot.maximise import Prior, improved
from qdmon.analysis.dot.states import FAMILIES, KIND, SINGLE, DotModel, Family, Losses

__all__ = ["DotFit", "FamilyFit", "adapted", "bin_likelihoods", "fit_dot", "reread"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

TRION_STARTS = (0.12, 0.2, 0.32)
FIRST_GREY = 2.2
# Science notes 2.3: "about 2", and 1.82 in the paper.
BETA = (1.95, 0.25)
TYPICAL_DELAYED, TYPICAL_SPREAD = 0.02, 0.01
# Modules on the market: about half a percent.
AFTER_PULSES = (0.005, 0.004)
SEARCH_BINS = 2500
# Gain of a richer family on the searched bins that makes it worth fitting to all.
WORTH_MORE = 2.0
# A pure fit this close below the mixed one may have found the better trion.
NEARLY_AS_GOOD = 30.0
# No state is excluded by a single bin.
LEAST_LOG_LIKELIHOOD = -40.0
# A bin that no state explains (a lamp, a spark) counts for so much and no more. In log-likelihood below
# the best there could be; half the number of micro-bins is usual.
MOST_UNEXPLAINED = 40.0
TYPICAL_DWELL_S = 0.04
# A step of the fluence changes brightness, by what saturation leaves open, and background.
ADAPTED_SD = np.array([0.3, 0.03, 0.03, 0.03, 0.03, 1e4, 0.01, 0.02, 0.002])
# Of the brightness expected there: where to start from.
ADAPTED_LIGHTS = (0.65, 0.8, 1.0, 1.25)


@dataclass(frozen=True)
class FamilyFit:
    """One family of states on some bins.

    Attributes:
        family: which states were allowed.
        dot: the dot behind them.
        covariance: of `states.PARAMETERS`, the first four by their logarithms.
        smoothed: posterior of the family's states in every bin, and the chain.
        log_likelihood: of all bins, up to a constant of the data; the prior of the dot included.
    """

    family: Family
    dot: DotModel
    covariance: FloatArray
    smoothed: Smoothed
    log_likelihood: float

    @property
    def states(self) -> NDArray[np.bool_]:
        """(k,) the states of the family."""
        return FAMILIES[self.family]

    def losses(self) -> Losses:
        """Expected losses of every bin, (n,) each."""
        lost = self.dot.losses
        posterior = self.smoothed.posterior
        return Losses(
            *(
                np.asarray(posterior @ part[self.states].astype(np.float32), np.float64)
                for part in (lost.auger, lost.trap, lost.constant)
            )
        )

    def posterior_of(self, members: NDArray[np.bool_]) -> FloatArray:
        """(n,) probability that a bin is in one of some states, (k,) bool."""
        return np.asarray(self.smoothed.posterior[:, members[self.states]].sum(axis=1), np.float64)

    def whole_chain(self) -> Chain:
        """The chain over all states, with nothing in those outside the family."""
        weights, leaving = np.zeros(len(KIND)), np.full(len(KIND), 0.5)
        weights[self.states] = self.smoothed.chain.weights
        leaving[self.states] = self.smoothed.chain.leaving
        return Chain(weights, leaving)


@dataclass(frozen=True)
class DotFit:
    """All families on the same bins."""

    families: dict[Family, FamilyFit]

    @property
    def both(self) -> FamilyFit:
        """Traps and charging together, the family that describes most dots."""
        return self.families["both"]


@dataclass(frozen=True, slots=True)
class BinLikelihoods:
    """Of each bin under each state.

    Attributes:
        scaled: (n, k) likelihoods, rows scaled to a maximum of 1 and bounded below.
        log_scale: sum of the logarithms of the rows' scales.
        trust: (n,) float32, 1 for a bin that some state explains, less for others.
    """

    scaled: Float32Array
    log_scale: float
    trust: Float32Array


def bin_likelihoods(data: BinnedDecays, expected: FloatArray) -> BinLikelihoods:
    """Poisson likelihood of every bin under every state; (k, m) `expected` photons per bin.

    A bin whose photons are unlike those of all states is tempered, so that its share in everything that
    follows stays bounded however many photons it has.
    """
    mu = expected[:, 1:] + 1e-9
    log_l = data.fitted @ np.log(mu).T.astype(np.float32)
    log_l -= mu.sum(axis=1).astype(np.float32)
    scale = log_l.max(axis=1, keepdims=True)
    log_l -= scale
    best = data.best_log_likelihood
    unexplained = best - scale[:, 0]
    trust = (MOST_UNEXPLAINED / np.maximum(unexplained, MOST_UNEXPLAINED)).astype(np.float32)
    log_l *= trust[:, None]
    np.maximum(log_l, LEAST_LOG_LIKELIHOOD, out=log_l)
    np.exp(log_l, out=log_l)
    return BinLikelihoods(log_l, float((best - np.minimum(unexplained, MOST_UNEXPLAINED)).sum()), trust)


def _first_leaving(bin_s: float) -> FloatArray:
    return np.where(SINGLE, min(bin_s / TYPICAL_DWELL_S, 0.4), 0.9)


def _fit_family(
    data: BinnedDecays,
    family: Family,
    dot: DotModel,
    prior: Prior,
    plan: tuple[int, ...],
    chain: Chain | None = None,
) -> FamilyFit:
    """Steps of EM for the chain as planned, the dot improved between each."""
    states = FAMILIES[family]
    first = _first_leaving(data.bin_s)
    # As if a few dwells had been seen before; bins in which the dot switched do not last.
    strength = np.where(SINGLE, 2.0, 20.0)
    leaving_prior = (first * strength)[states], ((1 - first) * strength)[states]
    chain = (chain or Chain(np.ones(len(KIND)), first)).restricted(states)

    def learned(dot: DotModel, chain: Chain, steps: int) -> tuple[Smoothed, Float32Array]:
        likelihood = bin_likelihoods(data, data.expected(dot)[states])
        smoothed = learn(likelihood.scaled, likelihood.log_scale, chain, leaving_prior, steps)
        return smoothed, smoothed.posterior * likelihood.trust[:, None]

    covariance = np.asarray(np.diag(np.square(prior.sd)))
    smoothed, trusted = learned(dot, chain, plan[0])
    for steps in plan[1:]:
        dot, covariance = improved(data, dot, trusted, states, prior)
        smoothed, trusted = learned(dot, smoothed.chain, steps)
    return FamilyFit(family, dot, covariance, smoothed, smoothed.log_likelihood + prior.log_density(dot))


def _bright_bins(counts: FloatArray) -> NDArray[np.bool_] | None:
    """Bins of the brightest level that lasts: a peak of the count distribution with 3 % of the time."""
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
        if density[i] > 0.02 and density[i] >= higher.max():
            return np.asarray(np.abs(counts - grid[i]) < 1.3 * np.sqrt(grid[i]))
    return None


def _bright_level(data: BinnedDecays) -> tuple[float, float] | None:
    """Net rate (cps, prompt light left out) and lifetime (ns) of the brightest level that lasts."""
    bright = _bright_bins(data.fitted.sum(axis=1, dtype=np.float64))
    if bright is None:
        return None
    histogram = data.counts[bright].sum(axis=0, dtype=np.float64)
    background = data.background * int(bright.sum())
    fit = lifetime_mle(histogram, background, data.bins)
    if fit is None:
        return None
    share = float(data.bins.share_of(np.array([fit.tau_ns]))[0, 1:].sum())
    seconds = int(bright.sum()) * data.bin_s
    return float(histogram[1:].sum() - background[1:].sum()) / share / seconds, fit.tau_ns


def prior_around(dot: DotModel, background_sd_cps: float | None) -> Prior:
    """What is known of a dot before its photons are sorted by state.

    Args:
        dot: first guess.
        background_sd_cps: how well its background is known; None if the photons are to find it.
    """
    mean = np.log([dot.bright_cps, dot.bright_ns, dot.trion_ns, dot.grey])
    sd = [
        5.0,
        5.0,
        0.7,
        0.2,
        BETA[1],
        background_sd_cps or 1e5,
        TYPICAL_DELAYED,
        TYPICAL_SPREAD,
        AFTER_PULSES[1],
    ]
    rest = [BETA[0], dot.background_cps, 0.0, 0.0, AFTER_PULSES[0]]
    return Prior(np.array([*mean, *rest]), np.array(sd))


def fit_dot(data: BinnedDecays, background_sd_cps: float | None = None) -> DotFit | None:
    """Fit every family of states; None where no bright level can be found.

    The likelihood has local optima in the trion lifetime, so several are tried, on some of the bins.

    Args:
        data: the bins, with a first guess of the background.
        background_sd_cps: how well that background is known; None if it is only a guess.
    """
    level = _bright_level(data.grouped(0.01))
    if level is None:
        return None
    some = data.pieces(SEARCH_BINS)
    first: dict[Family, FamilyFit] = {}
    start = DotModel(
        *level,
        trion_ns=level[1] * TRION_STARTS[1],
        grey=FIRST_GREY,
        beta=BETA[0],
        background_cps=data.background_cps,
        delayed=0.0,
        after_pulses=AFTER_PULSES[0],
    )
    prior = prior_around(start, background_sd_cps)
    families: tuple[Family, ...] = ("auger", "both")
    for family in families:
        tried = [
            _fit_family(some, family, replace(start, trion_ns=level[1] * ratio), prior, (5, 5, 4))
            for ratio in TRION_STARTS
        ]
        first[family] = max(tried, key=lambda f: f.log_likelihood)
    found: dict[Family, FamilyFit] = {}

    def go_on(family: Family, begin: FamilyFit, plan: tuple[int, ...]) -> FamilyFit:
        return _fit_family(data, family, begin.dot, prior, plan, begin.whole_chain())

    found["auger"] = go_on("auger", first["auger"], (3, 3, 3))
    both = go_on("both", first["both"], (4, 4, 4, 4))
    if found["auger"].log_likelihood > both.log_likelihood - NEARLY_AS_GOOD:
        other = go_on("both", found["auger"], (4, 4, 4))
        both = max(both, other, key=lambda f: f.log_likelihood)
    found["both"] = both
    found["bc"] = go_on("bc", both, (3, 3, 3))
    found["hc"] = _fit_family(data, "hc", both.dot, prior, (4, 4, 4))
    # Everything at once is dear, and rarely needed: ask a part of the bins first.
    begin = _all_states(both, found["hc"])
    leader = max((both, found["hc"]), key=lambda f: f.log_likelihood)
    here = _fit_family(some, "both", both.dot, prior, (3,), both.whole_chain()).log_likelihood
    if _fit_family(some, "all", leader.dot, prior, (4, 3), begin).log_likelihood > here + WORTH_MORE:
        found["all"] = _fit_family(data, "all", leader.dot, prior, (4, 4, 3), begin)
    return DotFit(found)


def _all_states(both: FamilyFit, hc: FamilyFit) -> Chain:
    """A chain to begin with where a dot may trap, charge and lose light at constant lifetime."""
    chain = both.whole_chain()
    return Chain(0.7 * chain.weights + 0.3 * hc.whole_chain().weights, chain.leaving)


def reread(data: BinnedDecays, fit: DotFit) -> DotFit:
    """The same dot in other bins: only the chain is learned, the dot is as well known as before."""
    found: dict[Family, FamilyFit] = {}
    for family, known in fit.families.items():
        prior = prior_around(known.dot, None)
        chain = _fit_family(data, family, known.dot, prior, (3,), known.whole_chain()).smoothed
        # What the dot's parameters cost the family does not depend on the bins.
        of_dot = known.log_likelihood - known.smoothed.log_likelihood
        found[family] = replace(known, smoothed=chain, log_likelihood=chain.log_likelihood + of_dot)
    return DotFit(found)


def adapted(data: BinnedDecays, fit: DotFit, light_ratio: float) -> DotFit:
    """The same dot at another fluence, from little light: only brightness and background move freely.

    Args:
        data: the bins.
        fit: of the dot at another fluence.
        light_ratio: brightness expected here over that of the fit.
    """
    found: dict[Family, FamilyFit] = {}
    for family, known in fit.families.items():
        dot = replace(
            known.dot,
            bright_cps=known.dot.bright_cps * light_ratio,
            background_cps=data.background_cps or known.dot.background_cps,
        )
        prior = Prior(prior_around(dot, None).mean, ADAPTED_SD)
        prior.mean[[4, 6, 7, 8]] = dot.beta, dot.delayed, dot.spread, dot.after_pulses
        # A level a little too bright passes for a mixture, so several are tried here too.
        tried = [
            _fit_family(
                data,
                family,
                replace(dot, bright_cps=light * dot.bright_cps),
                prior,
                (2, 2, 2),
                known.whole_chain(),
            )
            for light in ADAPTED_LIGHTS
        ]
        found[family] = max(tried, key=lambda f: f.log_likelihood)
    return DotFit(found)
