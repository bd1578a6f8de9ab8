"""From a fitted dictionary to a blinking type with probabilities, states and reasons.

Types by the share S of the lost photons that Auger recombination took and the total loss L:
none L < 0.03; auger S > 0.9; bc S < 0.15; mixed between; hc where the intensity falls at constant lifetime.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from qdmon.analysis.blinks import Blink, find_blinks
from qdmon.analysis.equations import radiative_rate_ratio
from qdmon.analysis.fit import BinnedDecays, DictionaryFit, fit_weights
from qdmon.analysis.lifetime import lifetime_with_floor
from qdmon.analysis.snapshot import UNKNOWN, Blinking, BlinkingCall, EmissiveState, Estimate
from qdmon.analysis.states import StateDictionary, constant_lifetime_states

__all__ = ["Reading", "call_of", "likeliest", "read_bins", "undetermined"]

FloatArray = NDArray[np.float64]

AUGER_FROM, BC_TO, LOSS_FROM = 0.9, 0.15, 0.03
FEWEST_BLINKS = 3
# What even a perfect fit leaves: the grid of states, the assumed response, after-pulses.
SHARE_FLOOR = 0.02
# A bin's likelihood is a little over-confident, so differences between families are not taken whole.
FAMILY_SCALE = 4.0


@dataclass(frozen=True)
class Reading:
    """What the fit says of every time bin.

    Attributes:
        fit: the fit.
        auger: (n,) expected share of the bright rate lost to Auger recombination.
        trap: (n,) expected share lost to traps.
        variance: (n,) posterior variance of the Auger part of the loss.
        blinks: dim dwells.
        constant: log-likelihood of the constant-lifetime family minus that of traps and charging.
        constant_loss: mean loss under the constant-lifetime family.
    """

    fit: DictionaryFit
    auger: FloatArray
    trap: FloatArray
    variance: FloatArray
    blinks: tuple[Blink, ...]
    constant: float
    constant_loss: float


def read_bins(data: BinnedDecays, fit: DictionaryFit) -> Reading:
    """Expected losses of every bin, and how a constant lifetime would do instead."""
    resp = fit.responsibilities()
    states = fit.states
    auger = resp @ states.auger_loss
    trap = resp @ states.trap_loss
    total = max(float((auger + trap).sum()), 1e-12)
    share = float(auger.sum()) / total
    # What each bin adds to the share: auger - share * loss; its posterior variance is the fit's doubt.
    contribution = states.auger_loss - share * states.loss
    mean = resp @ contribution
    variance = resp @ np.square(contribution) - np.square(mean)
    family = constant_lifetime_states(fit.dot, data.bins)
    constant = fit_weights(data, fit.dot, family, start=None, steps=40)
    return Reading(
        fit,
        auger,
        trap,
        variance,
        find_blinks(auger, trap),
        constant.log_likelihood - fit.log_likelihood,
        float(constant.weights @ family.constant_loss),
    )


def _probabilities(reading: Reading) -> tuple[dict[Blinking, float], Estimate, float]:
    n = len(reading.auger)
    lost = float((reading.auger + reading.trap).sum())
    loss = lost / n
    share = float(reading.auger.sum()) / max(lost, 1e-12)
    doubt = np.sqrt(np.maximum(reading.variance, 0.0))
    # Independent doubts average out, a shared one (a wrong trion) does not: part of each.
    sigma = float(
        np.sqrt(SHARE_FLOOR**2 + (doubt @ doubt + (0.3 * doubt.sum()) ** 2) / max(lost, 1e-12) ** 2)
    )
    sigma_loss = 0.2 * LOSS_FROM + 0.5 / np.sqrt(max(n, 1)) * loss
    constant = float(expit((reading.constant - 3) / FAMILY_SCALE))
    seen_loss = reading.constant_loss if constant > 0.5 else loss
    blinking = float(ndtr((seen_loss - LOSS_FROM) / sigma_loss))
    # The share lies in [0, 1]: what the normal error puts outside belongs to the end it crossed.
    auger = float(ndtr((share - AUGER_FROM) / sigma))
    bc = float(ndtr((BC_TO - share) / sigma))
    rest = blinking * (1 - constant)
    return (
        {
            "auger": rest * auger,
            "bc": rest * bc,
            "mixed": rest * max(1 - auger - bc, 0.0),
            "hc": blinking * constant,
            "none": 1 - blinking,
        },
        Estimate(share, sigma) if constant < 0.5 else UNKNOWN,
        seen_loss,
    )


def _level(data: BinnedDecays, weight: FloatArray) -> EmissiveState | None:
    """Net intensity (prompt light included) and lifetime of the bins a state holds."""
    seconds = float(weight.sum()) * data.bin_s
    histogram = weight @ data.counts
    background = data.background * weight.sum()
    fit = lifetime_with_floor(histogram, background, data.bins)
    photons = float(histogram.sum())
    if fit is None or seconds <= 0:
        return None
    rate = (photons - float(background.sum())) / seconds
    return EmissiveState(
        Estimate(rate, float(np.sqrt(photons)) / seconds), Estimate(fit.tau_ns, fit.error_ns)
    )


def _dim_states(states: StateDictionary, weights: FloatArray, share: float | None) -> NDArray[np.bool_]:
    """The states that stand for the dim level: the trion, or the trap state seen most with its neighbours."""
    if share is not None and share > 0.5:
        return states.trion
    neutral = np.flatnonzero((states.auger_loss == 0) & (states.trap_loss + states.constant_loss > 0.2))
    # Pure states come first and are ordered by loss; mixtures follow with less loss again.
    loss = states.loss[neutral]
    falls = np.flatnonzero(np.diff(loss) < 0)
    pure = neutral[: falls[0] + 1] if len(falls) else neutral
    chosen = np.zeros(len(weights), bool)
    if len(pure):
        around = np.convolve(weights[pure], np.ones(3), mode="same")
        best = int(np.argmax(around))
        chosen[pure[max(best - 1, 0) : best + 2]] = True
    return chosen


def emissive_states(data: BinnedDecays, fit: DictionaryFit, share: float | None) -> tuple[EmissiveState, ...]:
    """The bright level and, if at least a few bins show it, the dim one."""
    resp = fit.responsibilities()
    found: list[EmissiveState] = []
    for members, least in ((fit.states.bright, 1.0), (_dim_states(fit.states, fit.weights, share), 3.0)):
        # Each bin in or out: weights by how sure one is would favour the brighter bins of a level.
        weight = (resp[:, members].sum(axis=1) > 0.5).astype(np.float64)
        level = _level(data, weight) if weight.sum() >= least else None
        if level is not None:
            found.append(level)
    return tuple(found)


def _ratio(states: tuple[EmissiveState, ...]) -> Estimate:
    if len(states) < 2:
        return UNKNOWN
    parts = [(s.intensity_cps, s.lifetime_ns) for s in states]
    values = [x.value for pair in parts for x in pair]
    errors = [x.error for pair in parts for x in pair]
    i1, t1, i2, t2 = values
    if i1 is None or t1 is None or i2 is None or t2 is None or min(i1, t1, i2, t2) <= 0:
        return UNKNOWN
    beta = radiative_rate_ratio(i1, t1, i2, t2)
    relative = [(e or 0.0) / v for e, v in zip(errors, values, strict=True) if v]
    return Estimate(beta, float(beta * np.sqrt(np.sum(np.square(relative)))))


def likeliest(probabilities: dict[Blinking, float]) -> Blinking:
    """The type with the highest probability."""
    return max(probabilities, key=lambda t: probabilities[t])


def undetermined(start_s: float, stop_s: float, reason: str) -> BlinkingCall:
    """A call that says why there is none."""
    flat: dict[Blinking, float] = {"auger": 0.2, "bc": 0.2, "mixed": 0.2, "hc": 0.2, "none": 0.2}
    return BlinkingCall(start_s, stop_s, "undetermined", reason, flat, UNKNOWN, None, (), UNKNOWN)


def call_of(
    data: BinnedDecays, reading: Reading, span_s: tuple[float, float], doubt: str | None
) -> BlinkingCall:
    """The verdict on some bins.

    Args:
        data: the bins.
        reading: their fit, read.
        span_s: start and stop of the stretch.
        doubt: a reason outside these bins not to call a type (e.g. no single emitter); None if there is none.
    """
    probabilities, share, loss = _probabilities(reading)
    best = likeliest(probabilities)
    blinks = len(reading.blinks)
    is_hc = probabilities["hc"] > 0.5
    reason = doubt
    if reason is None and best != "none" and not is_hc and blinks < FEWEST_BLINKS:
        reason = f"only {blinks} blink{'' if blinks == 1 else 's'} seen"
    if reason is None and probabilities[best] < 0.6:
        second = sorted(probabilities, key=lambda t: -probabilities[t])[1]
        reason = f"between {best} and {second}"
    states = emissive_states(data, reading.fit, share.value)
    return BlinkingCall(
        span_s[0],
        span_s[1],
        best if reason is None else "undetermined",
        reason,
        probabilities,
        share if best != "none" and doubt is None else UNKNOWN,
        loss,
        states,
        _ratio(states),
    )
