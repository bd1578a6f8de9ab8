"""The dictionary of emitting states a bin can hold, and the loss each one stands for.

Neutral states lie on the straight line of Eq. 2: a trap rate quenches intensity and lifetime by the same
factor q. Charged states lie on a steeper line through the origin, by the radiative-rate ratio beta:
I = beta I1 tau/tau1. A bin in which the dot switched is a mixture in time of two states: neutral and
charged is Eq. 1, bright and trapped its BC counterpart. Constant-lifetime states ("hc") keep tau1.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.timing import MicroBins

__all__ = ["DotParameters", "StateDictionary", "constant_lifetime_states", "trap_and_charge_states"]

FloatArray = NDArray[np.float64]

# Trap ladder: each step is an eighth less light, which a bin of 200 photons can just tell apart.
_QUENCHING = np.concatenate([[1.0, 0.93, 0.85], 0.77 * 0.88 ** np.arange(22)])
# Trion lifetimes around the fitted one: other trion species, or a charged dot with a trap open.
_TRION = np.array([1.0, 0.45, 0.65, 0.82, 1.22, 1.5, 1.9, 2.5])
_SHARE_OF_BIN = np.array([0.12, 0.25, 0.4, 0.55, 0.7, 0.85])


@dataclass(frozen=True, slots=True)
class DotParameters:
    """What fixes the dictionary of one dot.

    Attributes:
        bright_cps: net photon rate of the neutral bright state, prompt light left out.
        bright_ns: its lifetime tau1.
        trion_ns: lifetime tau2 of the main charged state.
        beta: radiative-rate ratio of charged to neutral.
    """

    bright_cps: float
    bright_ns: float
    trion_ns: float
    beta: float

    def with_trion(self, trion_ns: float, beta: float) -> "DotParameters":
        """The same neutral dot with another trion."""
        return replace(self, trion_ns=trion_ns, beta=beta)


@dataclass(frozen=True)
class StateDictionary:
    """States with what each one shows and loses.

    Attributes:
        signal: (k, m) expected photons per second in each micro-bin, background left out.
        auger_loss: (k,) share of the bright rate lost to Auger recombination.
        trap_loss: (k,) share lost to traps.
        constant_loss: (k,) share lost at constant lifetime.
        bright: (k,) bool, pure states that count as the neutral bright level.
        trion: (k,) bool, pure states that count as the main charged level.
    """

    signal: FloatArray
    auger_loss: FloatArray
    trap_loss: FloatArray
    constant_loss: FloatArray
    bright: NDArray[np.bool_]
    trion: NDArray[np.bool_]

    @property
    def loss(self) -> FloatArray:
        """(k,) share of the bright rate lost in all."""
        return self.auger_loss + self.trap_loss + self.constant_loss


def trap_and_charge_states(dot: DotParameters, bins: MicroBins) -> StateDictionary:
    """States of a dot with traps (Eq. 2), charging (Eq. 1) or both (Eq. 3)."""
    q = _QUENCHING
    trion_ns = dot.trion_ns * _TRION
    trion_ns = trion_ns[trion_ns < 0.9 * dot.bright_ns / dot.beta]
    if not len(trion_ns):
        trion_ns = np.array([dot.trion_ns])
    yield_charged = np.minimum(dot.beta * trion_ns / dot.bright_ns, 0.97)
    lifetimes = np.concatenate([dot.bright_ns * q, trion_ns])
    yields = np.concatenate([q, yield_charged])
    pure = dot.bright_cps * yields[:, None] * bins.share_of(lifetimes)

    neutral, charged = len(q), len(trion_ns)
    pick = np.eye(neutral + charged)
    mixtures = [pick]
    for share in _SHARE_OF_BIN:
        # Bright for part of the bin, otherwise trapped, or charged.
        mixtures.append((1 - share) * pick[0] + share * pick[5:neutral:3])
        mixtures.append((1 - share) * pick[0] + share * pick[neutral : neutral + 1])
    mix = np.concatenate(mixtures)
    index = np.arange(len(mix))
    return StateDictionary(
        signal=mix @ pure,
        auger_loss=mix[:, neutral:] @ (1 - yield_charged),
        trap_loss=mix[:, :neutral] @ (1 - q),
        constant_loss=np.zeros(len(mix)),
        bright=index < 2,
        trion=(index >= neutral)
        & (index < neutral + charged)
        & np.isin(index - neutral, [0, *(np.flatnonzero(np.abs(_TRION[:charged] - 1) < 0.25))]),
    )


def constant_lifetime_states(dot: DotParameters, bins: MicroBins) -> StateDictionary:
    """States of a dot whose intensity falls at constant lifetime (Galland's B-type)."""
    level = np.append(_QUENCHING, 0.0)
    signal = dot.bright_cps * level[:, None] * bins.share_of(np.full(len(level), dot.bright_ns))
    index = np.arange(len(level))
    nothing = np.zeros(len(level))
    return StateDictionary(signal, nothing, nothing, 1 - level, index < 2, index < 0)
