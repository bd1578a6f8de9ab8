"""When after-pulses come: a trap in the detector empties some time after the dead time of the click."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit

__all__ = [
    "USUAL_AFTER_PULSES",
    "USUAL_DEAD_NS",
    "USUAL_PER_CLICK",
    "USUAL_TRAP_NS",
    "AfterPulses",
    "after_pulse_shares",
]

FloatArray = NDArray[np.float64]

# Of the silicon detector modules that most set-ups use (science notes 4.2): blind for 22 ns, traps of 60 ns.
USUAL_DEAD_NS, USUAL_TRAP_NS = 22.0, 60.0
# After-pulses per click of modules on the market, and how far they differ.
USUAL_PER_CLICK = (0.005, 0.004)


@dataclass(frozen=True)
class AfterPulses:
    """After-pulses of d detectors; of one that stands for all where d is 1.

    Attributes:
        dead_ns: (d,) time after a click in which none comes.
        trap_ns: (d,) mean time from then until one comes.
        share: (d,) of all after-pulses, those of each detector.
        per_click: after-pulses per click of all detectors together, and how well that is known.
        measured: whether that is counted; else it is what modules usually have.
    """

    dead_ns: FloatArray
    trap_ns: FloatArray
    share: FloatArray
    per_click: tuple[float, float] = USUAL_PER_CLICK
    measured: bool = False

    def of(self, detectors: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Dead times, trap times and shares, (detectors,) each."""
        if len(self.share) == detectors:
            return self.dead_ns, self.trap_ns, self.share
        alike = np.ones(detectors)
        return alike * self.dead_ns.mean(), alike * self.trap_ns.mean(), alike / detectors

    def same_as(self, other: "AfterPulses") -> bool:
        """Whether they come alike."""
        if self is other:
            return True
        pairs = ((self.dead_ns, other.dead_ns), (self.trap_ns, other.trap_ns), (self.share, other.share))
        alike = (self.per_click, self.measured) == (other.per_click, other.measured)
        return alike and all(np.array_equal(a, b) for a, b in pairs)


USUAL_AFTER_PULSES = AfterPulses(np.array([USUAL_DEAD_NS]), np.array([USUAL_TRAP_NS]), np.ones(1))


@jit
def after_pulse_shares(
    lifetimes_ns: FloatArray,
    edges_ns: FloatArray,
    after: tuple[FloatArray, FloatArray, FloatArray],
    period_ns: float,
) -> FloatArray:
    """(k, m) where after-pulses of exponential decays fall, folded into the period.

    The wait is that for the light, the dead time, and that for the trap.

    Args:
        lifetimes_ns: (k,) of the light.
        edges_ns: (d, m + 1) edges of the bins on each of d detectors.
        after: `AfterPulses.of` these.
        period_ns: of the laser.
    """
    dead_ns, trap_ns, part = after
    edges = edges_ns.shape[1]
    share = np.zeros((len(lifetimes_ns), edges - 1))
    whole, since_ns = np.empty(edges), np.empty(edges)
    emptied = np.empty(edges)
    for d in range(len(edges_ns)):
        trap = trap_ns[d]
        emptied_all = np.expm1(-period_ns / trap)
        for j in range(edges):
            turns = (edges_ns[d, j] - dead_ns[d]) / period_ns
            whole[j] = np.floor(turns)
            since_ns[j] = (turns - whole[j]) * period_ns
            emptied[j] = np.expm1(-since_ns[j] / trap) / emptied_all
        for i in range(len(lifetimes_ns)):
            tau = max(lifetimes_ns[i], 1e-3)
            if abs(tau - trap) < 1e-5:
                tau = trap + 1e-5
            decayed_all = np.expm1(-period_ns / tau)
            before = 0.0
            for j in range(edges):
                decayed = np.expm1(-since_ns[j] / tau) / decayed_all
                upto = whole[j] + (trap * emptied[j] - tau * decayed) / (trap - tau)
                if j:
                    share[i, j - 1] += part[d] * (upto - before)
                before = upto
    return share
