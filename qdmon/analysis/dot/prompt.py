"""What light before the gate says of states whose own light is over there.

Behind the gate a short trion and a deep trap look alike: little light, and soon gone. Before it they do not.
A charged dot emits beta times as fast, so of two states with as much light behind the gate the charged one
has given more before. How much that is in all depends on the response, on scattered light and biexcitons; but
so does it for the bright state, and what that has too much is taken off.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.states import CHARGED, KIND, SINGLE, DotModel

__all__ = ["charged_by_prompt", "prompt_excess"]

FloatArray = NDArray[np.float64]

# What the prompt light of two states may differ by for other reasons, over all light of the bright one, and
# over what that has of biexcitons and beyond the model: who has how much of it is not known.
OTHERWISE, OF_EXCESS = 0.01, 0.5
# Log odds of the name that a state has behind the gate.
NAMED = 3.0
# A state needs to hold so many bins.
FEWEST_BINS = 1.0
# Lifetimes that are tried, over the longest.
_TRIED = np.geomspace(0.02, 1.0, 48)
_SINGLES = int(SINGLE.sum())
_CHARGED, _NEUTRAL = CHARGED[:_SINGLES], KIND[:_SINGLES] == "neutral"


def prompt_excess(
    data: BinnedDecays, found: FamilyFit, dot: DotModel, states: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Light (cps) of some states in the prompt bin beyond what is modelled, and the variances of its count.

    It is less than nothing if the pulse came late. One more bin counts as seen, with none: a state in which
    the dot hardly was does not tell.
    """
    weight = np.array([found.posterior_of(np.arange(len(SINGLE)) == state) for state in states])
    counts = data.counts[:, 0].astype(np.float64)
    time = weight.sum(axis=1)
    light = time if data.gain is None else weight @ data.gain
    steady = float(data.steady_part(dot)[0])
    expected = light * (data.expected(dot)[list(states), 0] - steady) + time * steady
    excess = (weight @ counts - expected) / (time + 1)
    variance = np.maximum(np.square(weight) @ counts, 1.0) / np.square((time + 1) * data.bin_s)
    return excess / data.bin_s, variance


def charged_by_prompt(data: BinnedDecays, found: FamilyFit) -> FloatArray:
    """(s,) chance of each state that a dot can stay in to be a charged one.

    That is 1 or 0, as it is named, for states that live on behind the gate.

    Args:
        data: the bins.
        found: a family on them.
    """
    chance = _CHARGED.astype(np.float64)
    gate_ns = float(data.bins.edges_ns[1])
    dot = found.dot
    lifetimes_ns = dot.lifetimes_ns[:_SINGLES]
    seen = found.spent[:_SINGLES] > FEWEST_BINS
    if not (seen & (np.arange(_SINGLES) > 0) & ((lifetimes_ns < gate_ns) | ~(_CHARGED | _NEUTRAL))).any():
        return chance
    light = dot.signal(data.bins)[:_SINGLES]
    prompt, late = light[:, 0], light[:, 1:].sum(axis=1)
    as_trap, as_charged = (_prompt_of(data, dot, ratio, late) for ratio in (1.0, dot.beta))
    short = late < _light_of(data, dot, gate_ns, np.where(_NEUTRAL, 1.0, dot.beta))
    charged = np.where(_CHARGED, prompt, as_charged)
    other = np.where(_CHARGED, as_trap, prompt)
    asked = np.flatnonzero(seen & short & (np.arange(_SINGLES) > 0))
    (usual_cps, *excess_cps), (usual_variance, *variances) = prompt_excess(
        data, found, dot, [0, *asked.tolist()]
    )
    sd = OTHERWISE * light[0].sum() + OF_EXCESS * (dot.early * dot.bright_cps + abs(usual_cps))
    shown = prompt[asked] + np.array(excess_cps) - usual_cps
    error = np.array(variances) + usual_variance + sd**2
    odds = (np.square(shown - other[asked]) - np.square(shown - charged[asked])) / (2 * error)
    chance[asked] = expit(odds + np.where(_CHARGED[asked], NAMED, -NAMED))
    return chance


def _light_of(data: BinnedDecays, dot: DotModel, lifetime_ns: float, ratio: FloatArray) -> FloatArray:
    """Light (cps) behind the gate of states of this lifetime, so many times as fast as the bright one."""
    share = float(data.bins.share_of(np.array([lifetime_ns]))[0, 1:].sum())
    return np.asarray(dot.bright_cps * ratio * lifetime_ns / dot.bright_ns * share)


def _prompt_of(data: BinnedDecays, dot: DotModel, ratio: float, late_cps: FloatArray) -> FloatArray:
    """Prompt light (cps) of states that give so much behind the gate and emit so many times as fast."""
    tried_ns = dot.bright_ns / ratio * _TRIED
    shares = dot.bright_cps * ratio * (tried_ns / dot.bright_ns)[:, None] * data.bins.share_of(tried_ns)
    return np.interp(late_cps, shares[:, 1:].sum(axis=1), shares[:, 0])
