"""Where the fit of a dot begins: what is known beforehand, the bright level, and the trions that are seen."""

from dataclasses import replace

import numpy as np

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bright import BRIGHTER, bright_levels, rarer_level, without_biexcitons
from qdmon.analysis.dot.family import FamilyFit, fit_family
from qdmon.analysis.dot.maximise import GREY_RANGE, Prior
from qdmon.analysis.dot.parameters import P, in_order
from qdmon.analysis.dot.states import CHARGED, SINGLE, DotModel, Family

__all__ = ["OTHER_NAMES", "first_fits", "prior_around", "usual_prior"]

# Lifetime of the trion over that of the neutral dot.
USUAL_TRION, TRION_STARTS = 0.2, (0.04, 0.13, 0.26)
FIRST_GREY = 2.2
# Science notes 2.3: "about 2", and 1.82 in the paper.
BETA = (1.95, 0.25)
TYPICAL_DELAYED, TYPICAL_SPREAD, TYPICAL_EARLY = 0.02, 0.01, 0.03
# Trions this close together (logarithm) are one that the ladder shares out, or the one that is fitted; those
# of fewer bins, or a lesser share of the charged time, are none.
ONE_TRION, SAME_TRION = 0.25, 0.03
FEWEST_BINS, LEAST_SHARE = 5.0, 0.1
# What the same states under other names may differ by in log-likelihood: in priors, and steps not yet taken.
OTHER_NAMES = 5.0
# What another bright level must gain there: levels of a trapped dot are as good on any scale.
OTHER_BRIGHT = 10.0


def prior_around(dot: DotModel, background_sd_cps: float | None, after_pulses: tuple[float, float]) -> Prior:
    """What is known of a dot before its photons are sorted by state.

    Args:
        dot: first guess.
        background_sd_cps: how well its background is known; None if the photons are to find it.
        after_pulses: per click, and how well that is known.
    """
    known = {
        P.BRIGHT_CPS: (np.log(dot.bright_cps), 5.0),
        P.BRIGHT_NS: (np.log(dot.bright_ns), 5.0),
        P.TRION_NS: (np.log(dot.trion_ns), 0.7),
        P.GREY: (np.log(dot.grey), 0.2),
        P.BETA: BETA,
        P.BACKGROUND_CPS: (dot.background_cps, background_sd_cps or 1e5),
        P.DELAYED: (0.0, TYPICAL_DELAYED),
        P.SPREAD: (0.0, TYPICAL_SPREAD),
        P.AFTER_PULSES: after_pulses,
        P.EARLY: (0.0, TYPICAL_EARLY),
    }
    return Prior(*in_order(known).T)


def usual_prior(data: BinnedDecays, dot: DotModel, background_sd_cps: float | None) -> Prior:
    """What is known of a dot but for its bright level: what a fit said of the rest is not put in twice.

    Args:
        data: the bins, with a first guess of the background.
        dot: with that level.
        background_sd_cps: how well that background is known; None if it is only a guess.
    """
    usual = _usual_dot(data, dot.bright_cps, dot.bright_ns, dot.early, dot.biexciton_yield)
    return prior_around(usual, background_sd_cps, data.bins.after_pulses.per_click)


def _usual_dot(
    data: BinnedDecays, bright_cps: float, bright_ns: float, early: float, biexciton_yield: float
) -> DotModel:
    """A dot of which only the bright level is known, under the background and after-pulses of some bins."""
    return DotModel(
        bright_cps,
        bright_ns,
        trion_ns=bright_ns * USUAL_TRION,
        grey=FIRST_GREY,
        beta=BETA[0],
        background_cps=data.background_cps,
        delayed=0.0,
        after_pulses=data.bins.after_pulses.per_click[0],
        early=early,
        biexciton_yield=biexciton_yield,
    )


def first_fits(
    data: BinnedDecays,
    some: BinnedDecays,
    background_sd_cps: float | None,
    expected: tuple[float, float] | None,
    biexciton_yield: float,
) -> tuple[Prior, dict[Family, FamilyFit]] | None:
    """Prior and first fits, on some of the bins, from the bright level that explains them best.

    That is the one that lasts, unless rarer light that lives longer, or what the dot was elsewhere, does
    better: as its trapped and charged states lie on lines through the bright one, they tell where it is,
    however rarely it is seen. None where there is no bright level.

    Args:
        data: all bins, with a first guess of the background.
        some: those of them to fit.
        background_sd_cps: how well that background is known; None if it is only a guess.
        expected: rate (cps) and lifetime (ns) of the bright level, from another fluence; None if unknown.
        biexciton_yield: over that of the exciton.
    """
    seen = bright_levels(data)
    if not seen:
        return None
    usual = seen[0]
    if expected is not None and expected[1] <= BRIGHTER * usual[1]:
        expected = None
    levels = [(*level, 0.0) for level in (*seen, rarer_level(data, usual), expected) if level is not None]
    excitons = without_biexcitons(data, usual, biexciton_yield)
    if excitons is not None:
        levels.append(excitons)
    families: tuple[Family, ...] = ("auger", "both")
    best: tuple[Prior, dict[Family, FamilyFit]] | None = None
    least = -np.inf
    for bright_cps, bright_ns, early in levels:
        start = _usual_dot(data, bright_cps, bright_ns, early, biexciton_yield)
        prior = prior_around(start, background_sd_cps, data.bins.after_pulses.per_click)
        first = {family: _searched(some, family, start, prior) for family in families}
        reached = max(found.log_likelihood for found in first.values())
        if best is None or reached > least + OTHER_BRIGHT:
            best, least = (prior, first), reached
    return best


def _searched(data: BinnedDecays, family: Family, start: DotModel, prior: Prior) -> FamilyFit:
    """A family that has trions, from its best start, with those that are seen most as the fitted ones."""
    tried = [
        fit_family(
            data, family, replace(start, trion_ns=ratio * start.bright_ns), prior, (5, 5, 4), searching=True
        )
        for ratio in TRION_STARTS
    ]
    best = max(tried, key=lambda f: f.log_likelihood)
    seen = _seen_trions(best)
    if seen is None:
        return best
    trion_ns, grey = seen
    again = replace(best.dot, trion_ns=trion_ns, grey=grey, trions=start.trions)
    renamed = fit_family(data, family, again, prior, (5, 4), searching=True)
    return renamed if renamed.log_likelihood > best.log_likelihood - OTHER_NAMES else best


def _seen_trions(found: FamilyFit) -> tuple[float, float] | None:
    """Lifetime (ns) of the shorter of the two trions seen most, and the other's over it.

    The ladder has trions of all lifetimes, so a fit may do with others than the two it can move freely and
    mix with the bright level; None if it does not.
    """
    charged = (SINGLE & CHARGED)[found.states]
    spent = found.smoothed.spent[charged]
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
