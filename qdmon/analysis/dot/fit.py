"""Fit of a dot to its time bins under every family of states: anew, read again, or from another fluence."""

from dataclasses import dataclass, replace

import numpy as np

from qdmon.analysis.biexciton import USUAL_YIELD
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.chain import Chain
from qdmon.analysis.dot.family import FamilyFit, fit_family
from qdmon.analysis.dot.maximise import Prior, parameters_of
from qdmon.analysis.dot.parameters import P, in_order
from qdmon.analysis.dot.start import OTHER_NAMES, first_fits, prior_around, usual_prior
from qdmon.analysis.dot.states import CHARGED, Family

__all__ = ["ENOUGH_BINS", "DotFit", "adapted", "brighter", "expected_bright", "fit_dot", "go_on", "reread"]

# So many bins tell where to begin, and so many what is worth it.
START_BINS, ENOUGH_BINS = 1500, 2500
# Charged bins from which a fit knows its trion, and loss in shallow traps that may be a drift.
SEEN_BINS, LEAST_SHALLOW = 20.0, 0.005
# Gain of a richer family on the searched bins that makes it worth fitting to all.
WORTH_MORE = 2.0
# A pure fit this close below the mixed one, of another trion or bright level (logarithm), may have found the
# better one.
NEARLY_AS_GOOD, OTHER_DOT = 30.0, 0.03
# A step of the fluence changes brightness, by what saturation leaves open, and background.
ADAPTED_SD = in_order(
    {
        P.BRIGHT_CPS: 0.3,
        P.BRIGHT_NS: 0.03,
        P.TRION_NS: 0.03,
        P.GREY: 0.03,
        P.BETA: 0.03,
        P.BACKGROUND_CPS: 1e4,
        P.DELAYED: 0.01,
        P.SPREAD: 0.02,
        P.AFTER_PULSES: 0.002,
        P.EARLY: 0.03,
    }
)
# Of the brightness expected there: where to start from.
ADAPTED_LIGHTS = (0.65, 0.8, 1.0, 1.25)


@dataclass(frozen=True)
class DotFit:
    """All families on the same bins, and how many photons these hold behind the gate."""

    families: dict[Family, FamilyFit]
    photons: float = 0.0

    @property
    def both(self) -> FamilyFit:
        """Traps and charging together, the family that describes most dots."""
        return self.families["both"]

    @property
    def likeliest(self) -> FamilyFit:
        """The family of the highest likelihood."""
        return max(self.families.values(), key=lambda found: found.log_likelihood)


def fit_dot(
    data: BinnedDecays,
    background_sd_cps: float | None = None,
    expected: tuple[float, float] | None = None,
    biexciton_yield: float = USUAL_YIELD,
) -> DotFit | None:
    """Fit every family of states; None where no bright level can be found.

    The likelihood has local optima in the trion lifetime, so several are tried, on some of the bins.

    Args:
        data: the bins, with a first guess of the background.
        background_sd_cps: how well that background is known; None if it is only a guess.
        expected: rate (cps) and lifetime (ns) of the bright level, from another fluence; None if unknown.
        biexciton_yield: over that of the exciton.
    """
    begun = first_fits(data, data.pieces(START_BINS), background_sd_cps, expected, biexciton_yield)
    return _all_families(data, *begun) if begun is not None else None


def go_on(
    data: BinnedDecays,
    known: DotFit,
    background_sd_cps: float | None = None,
    biexciton_yield: float = USUAL_YIELD,
) -> DotFit | None:
    """Fit every family of states to more light of a dot, from where a fit to enough of it has led.

    Where that may mislead a search begins anew: the trion of a dot that had hardly charged is not known, and
    shallow traps may have been the beginning of a drift.

    Args:
        data: the bins, with a first guess of the background.
        known: the fit so far.
        background_sd_cps: how well that background is known; None if it is only a guess.
        biexciton_yield: over that of the exciton.
    """
    both, dot = known.both, known.both.dot
    if both.spent[CHARGED].sum() < SEEN_BINS or both.shallow > LEAST_SHALLOW:
        return fit_dot(data, background_sd_cps, (dot.bright_cps, dot.bright_ns), biexciton_yield)
    prior = usual_prior(data, dot, background_sd_cps)
    first: dict[Family, FamilyFit] = {}
    for family in ("auger", "both"):
        fit = known.families[family]
        first[family] = replace(fit, dot=replace(fit.dot, biexciton_yield=biexciton_yield))
    return _all_families(data, prior, first, known=True)


def _all_families(
    data: BinnedDecays, prior: Prior, first: dict[Family, FamilyFit], *, known: bool = False
) -> DotFit:
    """Fits of all families from first ones.

    Args:
        data: the bins.
        prior: of the dot.
        first: fits of "auger" and "both" to begin with.
        known: that these were to enough light, so that one improvement less leads to the same dot.
    """
    found: dict[Family, FamilyFit] = {}
    spared = 1 if known else 0

    def fitted(family: Family, begin: FamilyFit, plan: tuple[int, ...]) -> FamilyFit:
        return fit_family(data, family, begin.dot, prior, plan[spared:], begin.whole_chain())

    found["auger"] = fitted("auger", first["auger"], (3, 3, 3))
    both = fitted("both", first["both"], (4, 4, 4, 4))
    pure = found["auger"]
    moved = np.log([pure.dot.trion_ns / both.dot.trion_ns, pure.dot.bright_cps / both.dot.bright_cps])
    if np.abs(moved).max() > OTHER_DOT and pure.log_likelihood > both.log_likelihood - NEARLY_AS_GOOD:
        other = fitted("both", pure, (4, 4, 4))
        both = other if other.log_likelihood > both.log_likelihood + OTHER_NAMES else both
    found["bc"] = fitted("bc", both, (3, 3, 3))
    if found["bc"].log_likelihood > both.log_likelihood + OTHER_NAMES:
        # Trions were in the way of the traps.
        other = fitted("both", found["bc"], (4, 4, 4))
        both = max(both, other, key=lambda f: f.log_likelihood)
    found["both"] = both
    found["hc"] = fit_family(data, "hc", both.dot, prior, (4, 4, 4)[spared:])
    # Everything at once is dear, and rarely needed: ask a part of the bins first.
    some = data.pieces(ENOUGH_BINS)
    begin = _all_states(both, found["hc"])
    leader = max((both, found["hc"]), key=lambda f: f.log_likelihood)
    here = fit_family(some, "both", both.dot, prior, (3,), both.whole_chain()).log_likelihood
    there = fit_family(some, "all", leader.dot, prior, (4, 3), begin, searching=True).log_likelihood
    if there > here + WORTH_MORE:
        found["all"] = fit_family(data, "all", leader.dot, prior, (4, 4, 3), begin)
    return DotFit(found, data.photons)


def expected_bright(known: tuple[DotFit, float] | None) -> tuple[float, float] | None:
    """Rate (cps) and lifetime (ns) of the bright level by a fit elsewhere, so much brighter here."""
    if known is None:
        return None
    fit, light_ratio = known
    return fit.both.dot.bright_cps * light_ratio, fit.both.dot.bright_ns


def _all_states(both: FamilyFit, hc: FamilyFit) -> Chain:
    """A chain to begin with where a dot may trap, charge and lose light at constant lifetime."""
    chain = both.whole_chain()
    return Chain(0.7 * chain.weights + 0.3 * hc.whole_chain().weights, chain.leaving)


def reread(data: BinnedDecays, fit: DotFit) -> DotFit:
    """The same dot in other bins: only the chain is learned, the dot is as well known as before."""
    found: dict[Family, FamilyFit] = {}
    for family, known in fit.families.items():
        prior = prior_around(known.dot, None, data.bins.after_pulses.per_click)
        chain = fit_family(data, family, known.dot, prior, (3,), known.whole_chain()).smoothed
        # What the dot's parameters cost the family does not depend on the bins.
        of_dot = known.log_likelihood - known.smoothed.log_likelihood
        found[family] = replace(known, smoothed=chain, log_likelihood=chain.log_likelihood + of_dot)
    return DotFit(found, data.photons)


def brighter(fit: DotFit, light_ratio: float) -> DotFit:
    """The same dot in so much more light, of which so much less is collected: nothing else changes."""
    families: dict[Family, FamilyFit] = {}
    for family, found in fit.families.items():
        mean = found.expected.mean.copy()
        mean[P.BRIGHT_CPS] += np.log(light_ratio)
        families[family] = replace(
            found,
            dot=replace(found.dot, bright_cps=found.dot.bright_cps * light_ratio),
            expected=replace(found.expected, mean=mean),
        )
    return DotFit(families, fit.photons)


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
        prior = Prior(parameters_of(dot), ADAPTED_SD)
        # A level a little too bright passes for a mixture, so several are tried here too.
        tried = [
            fit_family(
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
