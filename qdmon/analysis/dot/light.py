"""What dots show in each of their states: photons per second and micro-bin.

Dots are mostly asked in groups that differ in one parameter each (`maximise.slopes`). Where a lifetime is
that of the first dot so are its shares, which are most of the work.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.biexciton import DECAY_CHANNELS, LEFT_BY_CHARGE, left_by_traps
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
    "biexciton_yield",
)
"""Attributes of a `states.DotModel` that fix its light, beside its levels, in the order of `signals`."""

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
    lifetimes_ns, light = np.empty(len(trions)), np.empty(len(trions))
    for i in range(len(trions)):
        lifetimes_ns[i] = trion_ns * (1.0 if i == 0 else grey if i == 1 else trions[i])
        light[i] = min(beta * lifetimes_ns[i] / bright_ns, _MOST_CHARGED)
    return lifetimes_ns, light


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
        numbers: (d, n) `NUMBERS` of each dot.
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
    found = np.empty((len(numbers), single + len(partner), bins))
    # Loops, no slices: those of numpy take seconds to compile.
    lifetimes_ns = np.empty((len(numbers), lasting))
    prompt, late = np.empty((len(numbers), lasting, bins)), np.empty((len(numbers), lasting, bins))
    emitted, biexciton = np.empty(single), np.empty(single)
    is_new, new_ns = np.empty(lasting, np.bool_), np.empty(lasting)
    for d in range(len(numbers)):
        bright_cps, bright_ns = numbers[d, :2]
        delayed, spread, after_pulses, _, biexciton_yield = numbers[d, 5:]
        _emitted(numbers[d], (quenched[d], trions[d], constant[d]), emitted, biexciton, lifetimes_ns[d])
        new = 0
        for s in range(lasting):
            alike = spread == numbers[0, _SPREAD] and lifetimes_ns[d, s] == lifetimes_ns[0, s]
            is_new[s] = d == 0 or not alike
            if is_new[s]:
                new_ns[new] = lifetimes_ns[d, s]
                new += 1
        own = _spread_shares(new_ns[:new], edges_ns, light, period_ns, spread)
        own_late = after_pulse_shares(new_ns[:new], edges_ns, after, period_ns)
        _with_known(prompt, own, is_new, d)
        _with_known(late, own_late, is_new, d)
        new_ns[0] = biexciton_yield / DECAY_CHANNELS * bright_ns
        new_ns[1] = LEFT_BY_CHARGE * new_ns[0]
        soon = exponential_shares(new_ns[:2], edges_ns, light, period_ns)
        for s in range(single):
            # Light at constant lifetime has that of the bright state.
            like = s if s < lasting else 0
            pair = 1 if neutral <= s < lasting else 0
            for j in range(bins):
                share = (1 - delayed) * prompt[d, like, j] + delayed * uniform[j]
                share += after_pulses * late[d, like, j]
                found[d, s, j] = bright_cps * (emitted[s] * share + biexciton[s] * soon[pair, j])
        for x in range(len(partner)):
            for j in range(bins):
                bright, other = found[d, 0, j], found[d, partner[x], j]
                found[d, single + x, j] = (1 - away[x]) * bright + away[x] * other
    return found


@jit
def _emitted(
    numbers: FloatArray,
    levels: tuple[FloatArray, FloatArray, FloatArray],
    emitted: FloatArray,
    biexciton: FloatArray,
    lifetimes_ns: FloatArray,
) -> None:
    """Fill in what each lasting state of a dot emits, over the bright one; the arguments are as in `signals`.

    Args:
        numbers: (n,) of the dot.
        levels: of the dot.
        emitted: (s,) filled: by excitons, of the neutral, charged and constant states and of a dark one.
        biexciton: (s,) filled: by biexcitons.
        lifetimes_ns: (l,) filled; those at constant lifetime, and the dark one, have none of their own.
    """
    quenched, trions, constant = levels
    neutral, lasting, single = len(quenched) + 1, len(lifetimes_ns), len(emitted)
    _, bright_ns, trion_ns, grey, beta, _, _, _, early, biexciton_yield = numbers
    left = left_by_traps(quenched, biexciton_yield)
    trions_ns, yields = charged(trions, trion_ns, grey, beta, bright_ns)
    for s in range(single):
        if s < neutral:
            emitted[s] = quenched[s - 1] if s else 1.0
            biexciton[s] = early * (left[s - 1] if s else 1.0)
            lifetimes_ns[s] = bright_ns * emitted[s]
        elif s < lasting:
            emitted[s], biexciton[s] = yields[s - neutral], early * LEFT_BY_CHARGE
            lifetimes_ns[s] = trions_ns[s - neutral]
        else:
            emitted[s] = constant[s - lasting] if s < single - 1 else 0.0
            biexciton[s] = early * emitted[s]


@jit
def _with_known(shares: FloatArray, new: FloatArray, is_new: NDArray[np.bool_], d: int) -> None:
    """Fill in the shares of a dot: its new ones, and those that the first dot has as well.

    Args:
        shares: (d, l, m) of all dots; those of this one are filled.
        new: (x, m) the new ones, in order.
        is_new: (l,) which are.
        d: number of the dot.
    """
    at = 0
    for s in range(len(is_new)):
        for j in range(shares.shape[2]):
            shares[d, s, j] = new[at, j] if is_new[s] else shares[0, s, j]
        at += is_new[s]


@jit
def _spread_shares(
    lifetimes_ns: FloatArray, edges_ns: FloatArray, light: FloatArray, period_ns: float, spread: float
) -> FloatArray:
    """(k, m) share of the photons of each state between the edges, its lifetime spread about the mean."""
    if spread <= 0:
        return exponential_shares(lifetimes_ns, edges_ns, light, period_ns)
    share = np.zeros((len(lifetimes_ns), edges_ns.shape[1] - 1))
    here_ns = np.empty(len(lifetimes_ns))
    for i in range(len(_NODES)):
        factor = np.exp(np.sqrt(spread) * _NODES[i] - spread / 2)
        for k in range(len(here_ns)):
            here_ns[k] = factor * lifetimes_ns[k]
        part = exponential_shares(here_ns, edges_ns, light, period_ns)
        for k in range(len(here_ns)):
            for j in range(share.shape[1]):
                share[k, j] += _NODE_WEIGHTS[i] * part[k, j]
    return share
