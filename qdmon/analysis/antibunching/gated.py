"""Who made the pairs at zero lag: one dot's biexciton, or a second dot. Time-gated g2 and the verdict.

A biexciton emits its first photon within a few tau_XX of the pulse, so without the photons of that time a
single dot has no pairs left, while two dots keep theirs (TGSOC: Mangum et al., Opt. Express 21, 7419, 2013).
The gate follows from the dot itself. With four decay channels for a biexciton's photon where the exciton
has one, tau_XX = (eta_XX/eta_X) tau_X/4, and eta_XX/eta_X is what g2(0) would be if the dot is single; five
times that, behind the detectors' response, leaves less than 1 % of the biexciton's photons.
"""

from dataclasses import dataclass

import numpy as np

from qdmon.analysis.antibunching.coincidences import ZeroDelay
from qdmon.analysis.antibunching.pairs import GATES_NS
from qdmon.analysis.biexciton import DECAY_CHANNELS, USUAL_YIELD
from qdmon.analysis.results.pair_correlation import G2

__all__ = [
    "SURELY_SECOND",
    "SURELY_SINGLE",
    "USUAL_BIEXCITON",
    "USUAL_RESIDUE",
    "Gated",
    "belief_in_single",
    "biexciton_yield",
    "emitter_doubt",
    "gate_for",
    "is_single",
]

# Photons of the pulse itself and of the detectors' response are over by then.
RESPONSE_NS = 0.5
BIEXCITON_LIFETIMES = 5.0
# g2(0) of two emitters, one three times as bright as the other: 2 a (1 - a) at a = 1/4.
SECOND_EMITTER = 0.375
# More than a gated biexciton leaves, even where its decay has not four but two and a half channels.
RESIDUE = 0.1
# Yield of a biexciton over that of the exciton, on average over dots, and what a gate leaves of it.
USUAL_BIEXCITON, USUAL_RESIDUE = 0.1, 0.03
# How well the usual yield of bright biexcitons is known beforehand, and what it may be.
YIELD_SD, YIELD_RANGE = 0.1, (0.05, 0.5)
# A second emitter of a seventh of the light.
SURELY_SECOND = 0.25
# A type is called from here on; what is stated of it is no surer than this.
LIKELY_SINGLE = 0.8
# Less than fifty to one is no sureness: a type is then stated at less than 0.9.
SURELY_SINGLE, UNSURE = 0.98, 0.87
# Where nothing can be gated, without nanotimes or for light as fast as the response: the classic criterion.
CLASSIC = 0.5


@dataclass(frozen=True, slots=True)
class Gated:
    """g2(0) of the photons behind a gate.

    Attributes:
        gate_ns: photons of both detectors are later than this after the pulse.
        zero: their g2(0).
    """

    gate_ns: float
    zero: ZeroDelay


def gate_for(ungated: ZeroDelay, lifetime_ns: float) -> int:
    """Index into `GATES_NS` of the gate that shuts a biexciton out.

    Args:
        ungated: g2(0) of all photons.
        lifetime_ns: of the light the pairs are made of.
    """
    value, error = ungated.value.value or 0.0, ungated.value.error or 0.0
    ratio = min(max(value, 0.0) + error, 1.0)
    gate_ns = RESPONSE_NS + BIEXCITON_LIFETIMES * ratio * lifetime_ns / DECAY_CHANNELS
    return min(int(np.searchsorted(GATES_NS, gate_ns)), len(GATES_NS) - 1)


def is_single(ungated: ZeroDelay, gated: Gated | None, bunching: float = 1.0) -> bool | None:
    """Whether the light comes from one emitter; None where the pairs cannot tell.

    Below 0.5 only two emitters of equal brightness are excluded; one of a quarter of the light makes 0.375.
    So the gated upper limit must be below that, with no more pairs than a biexciton leaves; a lower limit
    that a second emitter of a seventh of the light would reach shows that there is one.
    """
    if gated is None or gated.zero.value.value is None:
        return _between(ungated, CLASSIC / bunching, CLASSIC, CLASSIC)
    return _between(gated.zero, SECOND_EMITTER / bunching, RESIDUE, SURELY_SECOND)


def _between(zero: ZeroDelay, below: float, residue: float, above: float) -> bool | None:
    """True if g2(0) is surely below and not surely above a residue, False if surely above, None otherwise."""
    if zero.surely_above(above):
        return False
    surely_below = zero.upper_99 is not None and zero.upper_99 < below
    return True if surely_below and not zero.surely_above(residue) else None


def biexciton_yield(g2: G2) -> float:
    """Yield of the biexciton over that of the exciton, which g2(0) of a single dot shows."""
    value, error = g2.zero.value, g2.zero.error
    known = 0.0 if value is None or not error else (YIELD_SD / error) ** 2
    ratio = (USUAL_YIELD + known * (value or 0.0)) / (1 + known)
    return min(max(ratio, YIELD_RANGE[0]), YIELD_RANGE[1])


def belief_in_single(g2: G2) -> float:
    """How sure it is that one emitter made the light: 1 once it is shown.

    Where few pairs speak for one, nine in ten spots being one beforehand is most of what is known.
    """
    if g2.single_emitter is True:
        return 1.0
    chance = g2.single_probability or 0.0
    return chance if chance >= SURELY_SINGLE else min(chance, UNSURE)


def emitter_doubt(g2: G2) -> str | None:
    """Why the light may not be that of a single emitter, in words; None if it is, or most likely is.

    Where the pairs are too few for the 99 % limit, what they say is weighed: a type may then be called, but
    no surer than the emitter is single.
    """
    if g2.single_emitter is True:
        return None
    if g2.single_emitter is None and (g2.single_probability or 0.0) >= LIKELY_SINGLE:
        return None
    gate = "" if g2.gate_ns is None else f" behind a gate of {g2.gate_ns:g} ns"
    gated = g2.gated_zero.value is not None
    if g2.single_emitter is None:
        limit = g2.gated_upper_limit_99 if gated else g2.upper_limit_99
        if limit is None:
            return "g2(0) does not show a single emitter: too few pairs yet"
        return f"g2(0) does not show a single emitter (99 % limit {limit:.2f}{gate if gated else ''})"
    value = g2.gated_zero.value if gated else g2.zero.value
    return f"g2(0) shows more than one emitter ({value:.2f}{gate if gated else ''})"
