"""Fit of a dot's states to its time bins: the chain by EM, the dot's parameters by their own photons."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bounded import Expectation
from qdmon.analysis.dot.bright import BRIGHTER, bright_level, rarer_level
from qdmon.analysis.dot.chain import Chain, Smoothed, learn
from qdmon.analysis.dot.maximise import GREY_RANGE, Prior, improved, parameters_of
from qdmon.analysis.dot.states import CHARGED, FAMILIES, KIND, SINGLE, DotModel, Family, Losses
from qdmon.analysis.snapshot import Estimate

__all__ = ["DotFit", "FamilyFit", "adapted", "bin_likelihoods", "expected_bright", "fit_dot", "reread"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

# Lifetime of the trion over that of the neutral dot.
USUAL_TRION, TRION_STARTS = 0.2, (0.13, 0.26)
FIRST_GREY = 2.2
# Science notes 2.3: "about 2", and 1.82 in the paper.
BETA = (1.95, 0.25)
TYPICAL_DELAYED, TYPICAL_SPREAD, TYPICAL_EARLY = 0.02, 0.01, 0.03
SEARCH_BINS = 2500
# Trions this close together (logarithm) are one that the ladder shares out, or the one that is fitted; those
# of fewer bins, or a lesser share of the charged time, are none.
ONE_TRION, SAME_TRION = 0.25, 0.03
FEWEST_BINS, LEAST_SHARE = 5.0, 0.1
# What the same states under other names may differ by in log-likelihood: in priors, and steps not yet taken.
OTHER_NAMES = 5.0
# What another bright level must gain there: levels of a trapped dot are as good on any scale.
OTHER_BRIGHT = 10.0
# Gain of a richer family on the searched bins that makes it worth fitting to all.
WORTH_MORE = 2.0
# A pure fit this close below the mixed one, with another trion (logarithm), may have found the better one.
NEARLY_AS_GOOD, OTHER_TRION = 30.0, 0.03
# Of the bright level, where the dot leaves it in every bin (dots of many traps).
BLUR = 0.2
# So much loss in the bins beside tells what a bin in which the dot switched lost its light to.
LOST_BESIDE = 0.2
# No state is excluded by a single bin.
LEAST_LOG_LIKELIHOOD = -40.0
# A bin that no state explains (a lamp, a spark) counts for so much and no more. In log-likelihood below
# the best there could be; half the number of micro-bins is usual.
MOST_UNEXPLAINED = 40.0
TYPICAL_DWELL_S = 0.04
# A step of the fluence changes brightness, by what saturation leaves open, and background.
ADAPTED_SD = np.array([0.3, 0.03, 0.03, 0.03, 0.03, 1e4, 0.01, 0.02, 0.002, 0.03])
# Of the brightness expected there: where to start from.
ADAPTED_LIGHTS = (0.65, 0.8, 1.0, 1.25)


@dataclass(frozen=True)
class FamilyFit:
    """One family of states on some bins.

    Attributes:
        family: which states were allowed.
        dot: the likeliest dot behind them.
        expected: of `states.PARAMETERS`, the first four by their logarithms.
        smoothed: posterior of the family's states in every bin, and the chain.
        log_likelihood: of all bins, up to a constant of the data; the prior of the dot included.
    """

    family: Family
    dot: DotModel
    expected: Expectation
    smoothed: Smoothed
    log_likelihood: float

    @property
    def states(self) -> NDArray[np.bool_]:
        """(k,) the states of the family."""
        return FAMILIES[self.family]

    def losses(self) -> Losses:
        """Expected losses of every bin, (n,) each.

        What is lost in a bin in which the dot switched is lost to what the bins beside it lose theirs to: one
        such bin alone can hardly be told from another.
        """
        single, losses = SINGLE[self.states], self.dot.losses
        lost = np.array([losses.auger, losses.trap, losses.constant], np.float32)[:, self.states]
        posterior = self.smoothed.posterior
        staying = np.asarray(np.where(single, lost, 0) @ posterior.T, np.float64)
        switching = np.asarray(np.where(single, 0, lost) @ posterior.T, np.float64)
        beside = np.zeros_like(staying)
        beside[:, 1:] += staying[:, :-1]
        beside[:, :-1] += staying[:, 1:]
        known = beside.sum(axis=0)
        trust = np.minimum(known / LOST_BESIDE, 1.0)
        like_beside = switching.sum(axis=0) * beside / np.maximum(known, 1e-12)
        return Losses(*(staying + trust * like_beside + (1 - trust) * switching))

    @property
    def covariance(self) -> FloatArray:
        """(p, p) of the parameters."""
        return self.expected.covariance

    @property
    def blur(self) -> float:
        """Relative error of the bright level by bins in which the dot left it, that pass for bright."""
        return BLUR * float(self.smoothed.chain.leaving[0]) ** 2

    @property
    def background(self) -> Estimate:
        """Uniform background of the signal detectors together (cps)."""
        mean, variance = float(self.expected.mean[5]), float(self.covariance[5, 5])
        return Estimate(max(mean, 0.0), float(np.sqrt(variance)))

    @property
    def spent(self) -> FloatArray:
        """(k,) bins in each state."""
        spent = np.zeros(len(KIND))
        spent[self.states] = self.smoothed.posterior.sum(axis=0, dtype=np.float64)
        return spent

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
    """All families on the same bins, and how many photons these hold behind the gate."""

    families: dict[Family, FamilyFit]
    photons: float = 0.0

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
    scaled = data.fitted @ np.log(mu).T.astype(np.float32)
    best = data.best_log_likelihood
    scale, trust = np.empty(len(best), np.float32), np.empty(len(best), np.float32)
    _temper(scaled, mu.sum(axis=1).astype(np.float32), best, scale, trust)
    np.exp(scaled, out=scaled)
    log_scale = float((best - np.minimum(best - scale, MOST_UNEXPLAINED)).sum())
    return BinLikelihoods(scaled, log_scale, trust)


@jit
def _temper(
    log_l: Float32Array, photons: Float32Array, best: FloatArray, scale: Float32Array, trust: Float32Array
) -> None:
    """From what the bins' own photons say to log-likelihoods below the best state's, tempered and bounded.

    Args:
        log_l: (n, k) changed in place.
        photons: (k,) expected per bin.
        best: (n,) `BinnedDecays.best_log_likelihood`.
        scale: (n,) filled with the log-likelihood of the best state.
        trust: (n,) filled, see `BinLikelihoods`.
    """
    n, k = np.uint64(log_l.shape[0]), np.uint64(log_l.shape[1])
    for i in range(n):
        for j in range(k):
            log_l[i, j] -= photons[j]
        top = log_l[i, 0]
        for j in range(k):
            top = max(top, log_l[i, j])
        unexplained = max(best[i] - top, MOST_UNEXPLAINED)
        scale[i], trust[i] = top, MOST_UNEXPLAINED / unexplained
        for j in range(k):
            log_l[i, j] = max((log_l[i, j] - top) * trust[i], np.float32(LEAST_LOG_LIKELIHOOD))


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
        doubtful = float(likelihood.trust.min(initial=1.0)) < 1
        return smoothed, smoothed.posterior * likelihood.trust[:, None] if doubtful else smoothed.posterior

    expected = Expectation(parameters_of(dot), np.diag(np.square(prior.sd)))
    smoothed, trusted = learned(dot, chain, plan[0])
    for i, steps in enumerate(plan[1:], start=2):
        dot, expected = improved(data, dot, trusted, states, prior, last=i == len(plan))
        smoothed, trusted = learned(dot, smoothed.chain, steps)
    return FamilyFit(family, dot, expected, smoothed, smoothed.log_likelihood + prior.log_density(dot))


def prior_around(dot: DotModel, background_sd_cps: float | None, after_pulses: tuple[float, float]) -> Prior:
    """What is known of a dot before its photons are sorted by state.

    Args:
        dot: first guess.
        background_sd_cps: how well its background is known; None if the photons are to find it.
        after_pulses: per click, and how well that is known.
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
        after_pulses[1],
        TYPICAL_EARLY,
    ]
    rest = [BETA[0], dot.background_cps, 0.0, 0.0, after_pulses[0], 0.0]
    return Prior(np.array([*mean, *rest]), np.array(sd))


def fit_dot(
    data: BinnedDecays,
    background_sd_cps: float | None = None,
    expected: tuple[float, float] | None = None,
) -> DotFit | None:
    """Fit every family of states; None where no bright level can be found.

    The likelihood has local optima in the trion lifetime, so several are tried, on some of the bins.

    Args:
        data: the bins, with a first guess of the background.
        background_sd_cps: how well that background is known; None if it is only a guess.
        expected: rate (cps) and lifetime (ns) of the bright level, from another fluence; None if unknown.
    """
    some = data.pieces(SEARCH_BINS)
    begun = _begun(data, some, background_sd_cps, expected)
    if begun is None:
        return None
    prior, first = begun
    found: dict[Family, FamilyFit] = {}

    def go_on(family: Family, begin: FamilyFit, plan: tuple[int, ...]) -> FamilyFit:
        return _fit_family(data, family, begin.dot, prior, plan, begin.whole_chain())

    found["auger"] = go_on("auger", first["auger"], (3, 3, 3))
    both = go_on("both", first["both"], (4, 4, 4, 4))
    other_trion = abs(np.log(found["auger"].dot.trion_ns / both.dot.trion_ns)) > OTHER_TRION
    if other_trion and found["auger"].log_likelihood > both.log_likelihood - NEARLY_AS_GOOD:
        other = go_on("both", found["auger"], (4, 4, 4))
        both = other if other.log_likelihood > both.log_likelihood + OTHER_NAMES else both
    found["bc"] = go_on("bc", both, (3, 3, 3))
    if found["bc"].log_likelihood > both.log_likelihood + OTHER_NAMES:
        # Trions were in the way of the traps.
        other = go_on("both", found["bc"], (4, 4, 4))
        both = max(both, other, key=lambda f: f.log_likelihood)
    found["both"] = both
    found["hc"] = _fit_family(data, "hc", both.dot, prior, (4, 4, 4))
    # Everything at once is dear, and rarely needed: ask a part of the bins first.
    begin = _all_states(both, found["hc"])
    leader = max((both, found["hc"]), key=lambda f: f.log_likelihood)
    here = _fit_family(some, "both", both.dot, prior, (3,), both.whole_chain()).log_likelihood
    if _fit_family(some, "all", leader.dot, prior, (4, 3), begin).log_likelihood > here + WORTH_MORE:
        found["all"] = _fit_family(data, "all", leader.dot, prior, (4, 4, 3), begin)
    return DotFit(found, data.photons)


def expected_bright(known: tuple[DotFit, float] | None) -> tuple[float, float] | None:
    """Rate (cps) and lifetime (ns) of the bright level by a fit elsewhere, so much brighter here."""
    if known is None:
        return None
    fit, light_ratio = known
    return fit.both.dot.bright_cps * light_ratio, fit.both.dot.bright_ns


def _begun(
    data: BinnedDecays,
    some: BinnedDecays,
    background_sd_cps: float | None,
    expected: tuple[float, float] | None,
) -> tuple[Prior, dict[Family, FamilyFit]] | None:
    """Prior and first fits, on some of the bins, from the bright level that explains them best.

    That is the one that lasts, unless rarer light that lives longer, or what the dot was elsewhere, does
    better: as its trapped and charged states lie on lines through the bright one, they tell where it is,
    however rarely it is seen.
    """
    usual = bright_level(data)
    if usual is None:
        return None
    others = [rarer_level(data, usual)]
    if expected is not None and expected[1] > BRIGHTER * usual[1]:
        others.append(expected)
    families: tuple[Family, ...] = ("auger", "both")
    best: tuple[Prior, dict[Family, FamilyFit]] | None = None
    least = -np.inf
    for level in (usual, *others):
        if level is None:
            continue
        start = DotModel(
            *level,
            trion_ns=level[1] * USUAL_TRION,
            grey=FIRST_GREY,
            beta=BETA[0],
            background_cps=data.background_cps,
            delayed=0.0,
            after_pulses=data.bins.after_pulses.per_click[0],
        )
        prior = prior_around(start, background_sd_cps, data.bins.after_pulses.per_click)
        first = {family: _searched(some, family, start, prior) for family in families}
        reached = max(found.log_likelihood for found in first.values())
        if best is None or reached > least + OTHER_BRIGHT:
            best, least = (prior, first), reached
    return best


def _searched(data: BinnedDecays, family: Family, start: DotModel, prior: Prior) -> FamilyFit:
    """A family that has trions, from its best start, with those that are seen most as the fitted ones."""
    tried = [
        _fit_family(data, family, replace(start, trion_ns=start.bright_ns * ratio), prior, (5, 5, 4))
        for ratio in TRION_STARTS
    ]
    best = max(tried, key=lambda f: f.log_likelihood)
    seen = _seen_trions(best)
    if seen is None:
        return best
    trion_ns, grey = seen
    again = replace(best.dot, trion_ns=trion_ns, grey=grey, trions=start.trions)
    renamed = _fit_family(data, family, again, prior, (5, 4))
    return renamed if renamed.log_likelihood > best.log_likelihood - OTHER_NAMES else best


def _seen_trions(found: FamilyFit) -> tuple[float, float] | None:
    """Lifetime (ns) of the shorter of the two trions seen most, and the other's over it.

    The ladder has trions of all lifetimes, so a fit may do with others than the two it can move freely and
    mix with the bright level; None if it does not.
    """
    charged = (SINGLE & CHARGED)[found.states]
    spent = found.smoothed.posterior.sum(axis=0, dtype=np.float64)[charged]
    lifetimes_ns = found.dot.lifetimes_ns[found.states][charged]
    trions: list[float] = []
    for _ in range(2):
        near = np.abs(np.log(lifetimes_ns / lifetimes_ns[np.argmax(spent)])) < ONE_TRION
        if spent[near].sum() < max(FEWEST_BINS, LEAST_SHARE * spent.sum()):
            break
        trions.append(float(np.exp(np.average(np.log(lifetimes_ns[near]), weights=spent[near]))))
        spent = np.where(near, 0.0, spent)
    if not trions:
        return None
    shorter = min(trions)
    grey = max(trions) / shorter if len(trions) > 1 else FIRST_GREY
    fitted = np.array([found.dot.trion_ns, found.dot.trion_ns * found.dot.grey])
    if all(np.abs(np.log(fitted / trion)).min() < SAME_TRION for trion in trions):
        return None
    return shorter, float(np.clip(grey, *GREY_RANGE))


def _all_states(both: FamilyFit, hc: FamilyFit) -> Chain:
    """A chain to begin with where a dot may trap, charge and lose light at constant lifetime."""
    chain = both.whole_chain()
    return Chain(0.7 * chain.weights + 0.3 * hc.whole_chain().weights, chain.leaving)


def reread(data: BinnedDecays, fit: DotFit) -> DotFit:
    """The same dot in other bins: only the chain is learned, the dot is as well known as before."""
    found: dict[Family, FamilyFit] = {}
    for family, known in fit.families.items():
        prior = prior_around(known.dot, None, data.bins.after_pulses.per_click)
        chain = _fit_family(data, family, known.dot, prior, (3,), known.whole_chain()).smoothed
        # What the dot's parameters cost the family does not depend on the bins.
        of_dot = known.log_likelihood - known.smoothed.log_likelihood
        found[family] = replace(known, smoothed=chain, log_likelihood=chain.log_likelihood + of_dot)
    return DotFit(found, data.photons)


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
        prior = Prior(prior_around(dot, None, data.bins.after_pulses.per_click).mean, ADAPTED_SD)
        prior.mean[[4, 6, 7, 8, 9]] = dot.beta, dot.delayed, dot.spread, dot.after_pulses, dot.early
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
    return DotFit(found, data.photons)
