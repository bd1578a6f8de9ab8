"""What dots show in each of their states: photons per second and micro-bin.

Dots are mostly asked in groups that differ in one parameter each (`maximise.slopes`). Where a lifetime is
that of the first dot so are its shares, which are most of the work.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.calibration.after_pulses import after_pulse_shares
from qdmon.analysis.calibration.timing import exponential_shares

__all__ = ["NUMBERS", "charged", "signals"]

FloatArray = NDArray[np.float64]

NUMBERS = (
    "bright_cps",
    "bright_ns",
    "trion_ns",
    "grey",
    "beta",
    "delayed",
    "spread",
    "after_pulses",
    "early",
)
"""Attributes of a `states.DotModel` that fix its light, beside its levels, in the order of `signals`."""

# Lifetime of a bright biexciton over that of the exciton: four decay channels, a yield of 0.15.
_EARLY = 0.15 / 4
_SPREAD = NUMBERS.index("spread")
# What a charged dot shows at most of the light of a neutral one.
_MOST_CHARGED = 0.97
# Gauss-Hermite: five lifetimes stand for a normal spread of their logarithm.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@jit
def charged(
    trions: FloatArray, trion_ns: float, grey: float, beta: float, bright_ns: float
) -> tuple[FloatArray, FloatArray]:
    """(c,) lifetimes (ns) of the charged states and (c,) their intensity over the bright one.

    The arguments are attributes of a `states.DotModel`.
    """
    lifetimes_ns = trion_ns * trions
    lifetimes_ns[0], lifetimes_ns[1] = trion_ns, trion_ns * grey
    return lifetimes_ns, np.minimum(beta * lifetimes_ns / bright_ns, _MOST_CHARGED)


@jit
def signals(
    numbers: FloatArray,
    levels: tuple[FloatArray, FloatArray, FloatArray],
    mixtures: tuple[NDArray[np.intp], FloatArray],
    detectors: tuple[FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray, FloatArray],
    period_ns: float,
    uniform: FloatArray,
) -> FloatArray:
    """(d, k, m) expected photons per second of every state of d dots and micro-bin, background left out.

    Args:
        numbers: (d, 9) `NUMBERS` of each dot.
        levels: (d, q) `quenched`, (d, c) `trions` and (d, h) `constant` of a `states.DotModel`.
        mixtures: (x,) the other state of bins that are partly bright, and (x,) the share spent there.
        detectors: (e, m + 1) edges on each and (e,) the light it sees.
        after: when after-pulses come on each, see `AfterPulses.of`.
        period_ns: of the laser.
        uniform: (m,) share of steady light.
    """
    quenched, trions, constant = levels
    partner, away = mixtures
    edges_ns, light = detectors
    neutral, bins = quenched.shape[1] + 1, len(uniform)
    lasting = neutral + trions.shape[1]
    single = lasting + constant.shape[1] + 1
    found = np.zeros((len(numbers), single + len(partner), bins))
    lifetimes_ns = np.empty((len(numbers), lasting))
    emitted, biexciton = np.zeros(single), np.zeros(single)
    prompt, late = np.empty((2, len(numbers), lasting, bins))
    for d in range(len(numbers)):
        bright_cps, bright_ns, trion_ns, grey, beta, delayed, spread, after_pulses, early = numbers[d]
        emitted[0], emitted[1:neutral] = 1.0, quenched[d]
        lifetimes_ns[d, :neutral] = bright_ns * emitted[:neutral]
        lifetimes_ns[d, neutral:], emitted[neutral:lasting] = charged(
            trions[d], trion_ns, grey, beta, bright_ns
        )
        emitted[lasting:-1] = constant[d]
        # Traps hardly take the light of biexcitons, charges leave none.
        biexciton[:neutral] = early / (1 + (1 / np.maximum(emitted[:neutral], 1e-3) - 1) * _EARLY)
        biexciton[lasting:-1] = early * constant[d]
        other = lifetimes_ns[d] != lifetimes_ns[0] if d else np.ones(lasting, np.bool_)
        prompt[d], late[d] = prompt[0], late[0]
        if d and spread != numbers[0, _SPREAD]:
            prompt[d] = _spread_shares(lifetimes_ns[d], edges_ns, light, period_ns, spread)
        else:
            own = _spread_shares(lifetimes_ns[d][other], edges_ns, light, period_ns, spread)
            for i, s in enumerate(np.flatnonzero(other)):
                prompt[d, s] = own[i]
        own = after_pulse_shares(lifetimes_ns[d][other], edges_ns, after, period_ns)
        for i, s in enumerate(np.flatnonzero(other)):
            late[d, s] = own[i]
        soon = exponential_shares(np.array([_EARLY * bright_ns]), edges_ns, light, period_ns)[0]
        for state in range(single):
            # Light at constant lifetime has that of the bright state.
            like = state if state < lasting else 0
            for j in range(bins):
                share = (1 - delayed) * prompt[d, like, j] + delayed * uniform[j]
                share += after_pulses * late[d, like, j]
                found[d, state, j] = bright_cps * (emitted[state] * share + biexciton[state] * soon[j])
        for x in range(len(partner)):
            for j in range(bins):
                bright, other = found[d, 0, j], found[d, partner[x], j]
                found[d, single + x, j] = (1 - away[x]) * bright + away[x] * other
    return found


@jit
def _spread_shares(
    lifetimes_ns: FloatArray, edges_ns: FloatArray, light: FloatArray, period_ns: float, spread: float
) -> FloatArray:
    """(k, m) share of the photons of each state between the edges, its lifetime spread about the mean."""
    if spread <= 0:
        return exponential_shares(lifetimes_ns, edges_ns, light, period_ns)
    share = np.zeros((len(lifetimes_ns), edges_ns.shape[1] - 1))
    for i in range(len(_NODES)):
        factor = np.exp(np.sqrt(spread) * _NODES[i] - spread / 2)
        share += _NODE_WEIGHTS[i] * exponential_shares(factor * lifetimes_ns, edges_ns, light, period_ns)
    return share
