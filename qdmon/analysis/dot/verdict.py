"""From fitted states to a blinking type with probabilities, states and reasons.

Types by the share S of the lost photons that Auger recombination took and the total loss L:
none L < 0.03; auger S > 0.9; bc S < 0.15; mixed between; hc where the intensity falls at constant lifetime.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, softmax

from qdmon.analysis.biexciton import EARLY_FROM
from qdmon.analysis.calibration.timing import GATE_NS
from qdmon.analysis.dot.binned import BinnedDecays, collected
from qdmon.analysis.dot.dimness import DARK_FROM, dark_share
from qdmon.analysis.dot.emissive import emissive_states
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.fit import DotFit
from qdmon.analysis.dot.likelihood import bin_likelihoods
from qdmon.analysis.dot.missing import with_unknown_odds
from qdmon.analysis.dot.parameters import P
from qdmon.analysis.dot.prompt import charged_by_prompt
from qdmon.analysis.dot.states import CHARGED, Family, Losses, time_in
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.switching.blinks import Blink, find_blinks

__all__ = ["Reading", "believed", "call_of", "likeliest", "read_bins", "undetermined"]

FloatArray = NDArray[np.float64]

AUGER_FROM, BC_TO, LOSS_FROM = 0.9, 0.15, 0.03
FEWEST_BLINKS = 1
LEAST_PROBABILITY = 0.5
# What a richer family gains on a dot of a poorer one: levels that follow the noise. In log-likelihood,
# and the scatter of that gain; both from dots of known kind (tests/benchmarks/verdict.py).
GAIN: dict[Family, float] = {"auger": 0.0, "bc": 0.0, "hc": 0.0, "both": 5.0, "all": 30.0}
GAIN_SCATTER = 1.5
# So much more where the dot leaves its bright level within every few bins (chance per bin, from and to): what
# is partly charged there is like what is partly trapped; and how that scatters, over it.
FAST_GAIN, FAST, FAST_DOUBT = 4.0, (0.1, 0.3), 0.25
# So much loss in shallow traps, or as much as a drift of the light is uncertain by, may be a bright level
# that wanders (lasers, lifetimes). So much of the share does not matter.
WAVERING, NEGLIGIBLE = 0.015, 0.03
# A bright level seen in less of the time, and known no better, is no level to compare others with.
SELDOM, BADLY_KNOWN = 0.01, 0.1
# A family as unlikely as this has no say.
UNLIKELY = 1e-9
# What it gains per photon where its charged states hardly emit faster than trapped ones: these then stand in
# for levels that many traps make and the ladder lacks (dots that never charge: up to 1.2e-4, mostly 1e-5;
# others 4e-4, and 1e-4 where trions are over before the gate).
STAND_IN_GAIN, STAND_IN_BETA, STAND_IN_SCATTER = 1e-4, 1.55, 0.05
# Scatter of that gain, over the gain.
STAND_IN_DOUBT = 0.5
# What even a perfect posterior leaves: states between the levels, the assumed response, after-pulses.
SHARE_FLOOR, LOSS_FLOOR, HOT_FLOOR = 0.005, 0.001, 0.07
# Charged dwells whose light is over before the gate pass for dark traps: relative error of what they took for
# lifetimes below the gate, and the gate over the lifetime from which none of them is missed.
HIDDEN, SEEN = 0.1, 0.8
# How much of the light of biexcitons passes for other states', as their lifetime is known roughly.
EARLY_DOUBT = 0.2
# How much of the loss in shallow traps may be missing, as they are hardly ever all empty.
TOP_DOUBT = 0.5
# How well it is known what a charge leaves of it.
CHARGED_DOUBT = 0.2
# A dot that stays at one level for t may be dim for all of it, with a chance of this over t (3 of 151 looks
# of 1 to 5 s at random dots that did).
ALWAYS_DIM_S, MOST_DIM = 0.05, 0.1
# A part of the loss at constant lifetime beyond which the other part is not called by its own name.
HOT_FROM = 0.05
TOO_DIM = "the dim light is too little to have a lifetime that tells why it is dim"
# Photons out of place, relative and in units of their noise, from which no state is like the dot.
MISFIT, MISFIT_CHI2 = 0.06, 5.0


@dataclass(frozen=True)
class FamilyReading:
    """Shares of the loss under one family.

    Attributes:
        loss: mean share of the bright rate that was lost, with its error.
        auger: share of the loss that Auger recombination took, with its error.
        constant: share of the loss at constant lifetime.
    """

    loss: Estimate
    auger: Estimate
    constant: float


@dataclass(frozen=True)
class Reading:
    """What the fit says of the bins.

    Attributes:
        fit: all families.
        odds: family -> probability, of those that are not out of the question.
        best: the likeliest family.
        losses: expected losses of every bin under it.
        blinks: its dim dwells.
        shares: family -> what was lost to what, of the same.
    """

    fit: DotFit
    odds: dict[Family, float]
    best: FamilyFit
    losses: Losses
    blinks: tuple[Blink, ...]
    shares: dict[Family, FamilyReading]


def read_bins(data: BinnedDecays, fit: DotFit) -> Reading:
    """Weigh the families and read the losses off each.

    Args:
        data: the bins.
        fit: of all families to them.
    """
    families = list(fit.families)
    log_l = np.array([found.log_likelihood for found in fit.families.values()])
    gains, scatters = np.array([_gain(found, fit.photons) for found in fit.families.values()]).T
    every = zip(families, softmax((log_l - gains) / scatters.max()).tolist(), strict=True)
    odds = {family: chance for family, chance in every if chance > UNLIKELY}
    read = {f: replace(fit.families[f], charged=charged_by_prompt(data, fit.families[f])) for f in odds}
    best = read[max(odds, key=lambda f: odds[f])]
    losses = {f: found.losses() for f, found in read.items()}
    blinks = {f: find_blinks(part.auger, part.trap + part.constant) for f, part in losses.items()}
    return Reading(
        fit,
        odds,
        best,
        losses[best.family],
        blinks[best.family],
        {f: _shares(read[f], losses[f], blinks[f], max(WAVERING, data.gain_error)) for f in odds},
    )


def _gain(found: FamilyFit, photons: float) -> tuple[float, float]:
    """What this family gains on dots of a poorer one, and the scatter of that."""
    stand_in = fast = 0.0
    if GAIN[found.family] > 0:
        fast = FAST_GAIN * float(np.interp(found.smoothed.chain.leaving[0], FAST, (0.0, 1.0)))
        scatter = float(np.hypot(found.error_of(P.BETA), STAND_IN_SCATTER))
        stand_in = STAND_IN_GAIN * photons * float(ndtr((STAND_IN_BETA - found.dot.beta) / scatter))
    doubt = float(np.hypot(GAIN_SCATTER + FAST_DOUBT * fast, STAND_IN_DOUBT * stand_in))
    return GAIN[found.family] + stand_in + fast, doubt


def _shares(found: FamilyFit, losses: Losses, blinks: tuple[Blink, ...], wavering: float) -> FamilyReading:
    lost = losses.total
    total, n = max(float(lost.sum()), 1e-12), max(len(lost), 1)
    auger = float(losses.auger.sum()) / total
    return FamilyReading(
        Estimate(total / n, _loss_error(found, total / n, blinks)),
        Estimate(auger, _share_error(found, auger, total, blinks, wavering)),
        float(losses.constant.sum()) / total,
    )


def _doubt(found: FamilyFit, values: FloatArray, blinks: tuple[Blink, ...]) -> tuple[float, FloatArray]:
    """Doubt about a sum over all bins because nobody saw which state each was in.

    Within a dwell the bins err together, between dwells they do not.

    Args:
        found: the posterior.
        values: (k,) what a bin in each state adds.
        blinks: the b dwells.

    Returns:
        Variance of the sum under the chain as learned, and (b,) what each dwell is expected to add.
    """
    own = values[found.states].astype(np.float32)
    posterior = found.smoothed.posterior
    mean = (posterior @ own).astype(np.float64)
    variance = np.maximum(posterior @ np.square(own) - np.square(mean), 0.0)
    doubt = np.sqrt(variance)
    inside = 0.0
    free = np.ones(len(doubt), bool)
    for blink in blinks:
        inside += float(doubt[blink.first : blink.stop].sum()) ** 2
        free[blink.first : blink.stop] = False
    added = np.array([mean[blink.first : blink.stop].sum() for blink in blinks])
    return inside + float(np.square(doubt[free]).sum()), added


def _loss_error(found: FamilyFit, loss: float, blinks: tuple[Blink, ...]) -> float:
    """Doubt about which bins were dim, about the bright level, and about the biexcitons of a charged dot.

    Where traps are shallow the bright level is hardly seen without any, and may be higher than what was seen.
    An error of the bright level touches only what is not lost in it: bins on it lose nothing by definition.
    """
    posterior = found.smoothed.posterior
    away = 1 - float(posterior[:, 0].mean(dtype=np.float64))
    labels = np.sqrt(_doubt(found, found.dot.losses.total, blinks)[0]) / len(posterior)
    level = max(away - loss, 0.0) * float(np.hypot(found.error_of(P.BRIGHT_CPS), found.blur))
    charged = float(found.posterior_of(CHARGED).mean())
    early = CHARGED_DOUBT * max(found.dot.early - EARLY_FROM, 0.0) * charged
    top = TOP_DOUBT * found.shallow
    return float(np.sqrt(labels**2 + level**2 + early**2 + top**2 + LOSS_FLOOR**2))


def _share_error(
    found: FamilyFit, auger: float, total: float, blinks: tuple[Blink, ...], wavering: float
) -> float:
    """Doubt about which dwell was what, and about the level of the trion."""
    lost = found.lost
    excess = lost.auger - auger * lost.total
    labels = np.sqrt(with_unknown_odds(*_doubt(found, excess, blinks), total)) / total
    trion_yield = found.dot.beta * found.dot.trion_ns / found.dot.bright_ns
    relative = found.error_of(P.BETA) / found.dot.beta
    level = auger * (1 - auger) * relative * trion_yield / max(1 - trion_yield, 0.1)
    hidden = HIDDEN * auger * float(np.clip(GATE_NS / found.dot.trion_ns - SEEN, 0.0, 1.0))
    lost_light = total / len(found.smoothed.posterior)
    early = EARLY_DOUBT * max(found.dot.early - EARLY_FROM, 0.0) / max(lost_light, LOSS_FROM)
    feigned = _feigned(found, auger, lost_light, wavering)
    kinds = _unknown_kinds(found) / total
    return float(
        np.sqrt(labels**2 + level**2 + hidden**2 + early**2 + feigned**2 + kinds**2 + SHARE_FLOOR**2)
    )


def _unknown_kinds(found: FamilyFit) -> float:
    """Standard error of the light lost to charges because nobody knows of which kind some states are."""
    if found.charged is None:
        return 0.0
    lost = time_in(found.spent) * found.lost.total[: len(found.charged)]
    return float(lost @ np.sqrt(found.charged * (1 - found.charged)))


def _feigned(found: FamilyFit, auger: float, loss: float, wavering: float) -> float:
    """By how much the share may be too low because a bright level that wanders passes for shallow traps.

    Light that wavers by some per cent (`wavering`, relative) feigns little loss, which matters where little
    is lost otherwise.
    """
    part = min(found.shallow, wavering) / max(loss, LOSS_FROM)
    return max(auger * part / max(1 - part, 0.1) - NEGLIGIBLE, 0.0)


def _probabilities(reading: Reading) -> dict[Blinking, float]:
    found: dict[Blinking, float] = dict.fromkeys(("auger", "bc", "mixed", "hc", "none"), 0.0)
    for family, odds in reading.odds.items():
        part = reading.shares[family]
        loss, share = part.loss, part.auger
        blinking = odds * float(ndtr(((loss.value or 0.0) - LOSS_FROM) / (loss.error or LOSS_FLOOR)))
        hot = float(ndtr((part.constant - 0.5) / HOT_FLOOR))
        auger = float(ndtr(((share.value or 0.0) - AUGER_FROM) / (share.error or SHARE_FLOOR)))
        bc = float(ndtr((BC_TO - (share.value or 0.0)) / (share.error or SHARE_FLOOR)))
        found["none"] += odds - blinking
        found["hc"] += blinking * hot
        found["auger"] += blinking * (1 - hot) * auger
        found["bc"] += blinking * (1 - hot) * bc
        found["mixed"] += blinking * (1 - hot) * max(1 - auger - bc, 0.0)
    return found


def _mean_share(reading: Reading) -> Estimate:
    """Auger's share over the families, with the spread between them."""
    parts = [(odds, reading.shares[f].auger) for f, odds in reading.odds.items()]
    mean = sum(odds * (share.value or 0.0) for odds, share in parts)
    spread = sum(
        odds * ((share.error or 0.0) ** 2 + ((share.value or 0.0) - mean) ** 2) for odds, share in parts
    )
    return Estimate(float(mean), float(np.sqrt(spread)))


def misfit(data: BinnedDecays, found: FamilyFit) -> tuple[float, float]:
    """How far the decays are from those of the states: relative, and reduced chi-squared."""
    trust = bin_likelihoods(data, found.dot, found.states).trust
    expected = np.zeros(data.fitted.shape[1])
    states, steady = data.expected(found.dot)[found.states, 1:], data.steady_part(found.dot)[1:]
    for gain, part in data.runs():
        time = (trust[part] @ found.smoothed.posterior[part]).astype(np.float64)
        expected += time @ collected(states, steady, gain)
    seen = (trust @ data.fitted).astype(np.float64)
    chi2, n = float((np.square(seen - expected) / (expected + 1e-9)).sum()), len(seen)
    return float(np.sqrt(max(chi2 - n, 0.0) / max(float(seen.sum()), 1.0))), chi2 / n


def _unexplained(data: BinnedDecays, found: FamilyFit) -> str | None:
    """That the decays are not those of the states, if so."""
    relative, chi2 = misfit(data, found)
    if relative <= MISFIT or chi2 <= MISFIT_CHI2:
        return None
    return f"the decays are not those of any state: {100 * relative:.0f} % of the photons are out of place"


def _own_doubt(data: BinnedDecays, reading: Reading, best: Blinking) -> str | None:
    """A reason in the bins themselves not to call this type, though the states explain them."""
    found = reading.best
    if best != "none" and dark_share(data, found) > DARK_FROM:
        return TOO_DIM
    seldom = float(found.spent[0]) < SELDOM * len(data.counts)
    if seldom and np.hypot(found.error_of(P.BRIGHT_CPS), found.blur) > BADLY_KNOWN:
        return "the bright level is hardly ever seen"
    hot = reading.shares[found.family].constant
    if best != "none" and hot > HOT_FROM and (hot < 0.5 or not _is_hot(reading.fit)):
        return f"{100 * hot:.0f} % of the loss is at constant lifetime, the rest is not"
    return None


def _is_hot(fit: DotFit) -> bool:
    """Whether a loss at constant lifetime alone explains more than traps and charges do without it."""
    return fit.families["hc"].log_likelihood > fit.both.log_likelihood


def _believed(probabilities: dict[Blinking, float], belief: float) -> dict[Blinking, float]:
    """What is left of some probabilities if their ground holds with this probability only."""
    return {t: belief * p + (1 - belief) / len(probabilities) for t, p in probabilities.items()}


def _without_lifetime(probabilities: dict[Blinking, float]) -> dict[Blinking, float]:
    """What is left of some probabilities where nobody can say what takes the light: that it blinks."""
    others = (1 - probabilities["none"]) / (len(probabilities) - 1)
    return {t: p if t == "none" else others for t, p in probabilities.items()}


def _maybe_dim(probabilities: dict[Blinking, float], seconds: float) -> dict[Blinking, float]:
    """What is left of some probabilities: what does not blink for so long may have been dim all the time."""
    dim = min(ALWAYS_DIM_S / max(seconds, 1e-3), MOST_DIM) * probabilities["none"]
    others = dim / (len(probabilities) - 1)
    return {t: p - dim if t == "none" else p + others for t, p in probabilities.items()}


def likeliest(probabilities: dict[Blinking, float]) -> Blinking:
    """The type with the highest probability."""
    return max(probabilities, key=lambda t: probabilities[t])


def undetermined(start_s: float, stop_s: float, reason: str) -> BlinkingCall:
    """A call that says why there is none."""
    flat: dict[Blinking, float] = {"auger": 0.2, "bc": 0.2, "mixed": 0.2, "hc": 0.2, "none": 0.2}
    return BlinkingCall(start_s, stop_s, "undetermined", reason, flat, UNKNOWN, UNKNOWN, (), UNKNOWN)


def believed(call: BlinkingCall, belief: float) -> BlinkingCall:
    """A verdict on what is a single dot with this probability."""
    return replace(call, probabilities=_believed(call.probabilities, belief))


def call_of(
    data: BinnedDecays,
    reading: Reading,
    span_s: tuple[float, float],
    doubt: str | None,
    belief: float = 1.0,
) -> BlinkingCall:
    """The verdict on some bins.

    Args:
        data: the bins.
        reading: their fit, read.
        span_s: start and stop of the stretch.
        doubt: a reason outside these bins not to call a type (e.g. no single emitter); None if there is none.
        belief: probability that all this is about a single dot.
    """
    blinks = len(reading.blinks)
    found = _maybe_dim(_probabilities(reading), span_s[1] - span_s[0])
    probabilities = _believed(found, belief)
    best = likeliest(probabilities)
    unexplained = _unexplained(data, reading.best)
    reason = doubt or unexplained or _own_doubt(data, reading, best)
    if reason == TOO_DIM:
        probabilities = _without_lifetime(probabilities)
    elif reason is not None:
        # The likelihood knows nothing of this doubt: half of what it says is left.
        probabilities = _believed(probabilities, 0.5)
    if reason is None and best != "none" and blinks < FEWEST_BLINKS:
        reason = f"only {blinks} blink{'' if blinks == 1 else 's'} seen"
    if reason is None and probabilities[best] < LEAST_PROBABILITY:
        second = sorted(probabilities, key=lambda t: -probabilities[t])[1]
        reason = f"between {best} and {second}"
    states, ratio = emissive_states(data, reading.best)
    return BlinkingCall(
        span_s[0],
        span_s[1],
        best if reason is None else "undetermined",
        reason,
        probabilities,
        UNKNOWN if best in ("none", "hc") or doubt is not None else _mean_share(reading),
        reading.shares[reading.best.family].loss,
        states,
        ratio,
        unexplained is None,
    )
