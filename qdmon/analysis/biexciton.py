"""Biexcitons, by their yield over that of the exciton: how long they live, and what is left of their light.

With four decay channels where the exciton has one they live for tau_1/4 times that yield, and the yield is
what g2(0) is for a single dot (decision 5).
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit

__all__ = ["DECAY_CHANNELS", "EARLY_FROM", "LEFT_BY_CHARGE", "USUAL_YIELD", "left_by_traps"]

FloatArray = NDArray[np.float64]

DECAY_CHANNELS = 4.0
# Yield over that of the exciton where biexcitons matter and pairs do not tell.
USUAL_YIELD = 0.15
# Light of biexcitons over that of the exciton from which it matters how long they live.
EARLY_FROM = 0.03
# What one more carrier leaves of their light, and of their lifetime: there are half as many paths again to
# emit, and two to three times as many to recombine.
LEFT_BY_CHARGE = 0.5


@jit
def left_by_traps(quenched: FloatArray, biexciton_yield: float) -> FloatArray:
    """(k,) what traps leave of the light of biexcitons: either exciton may be trapped, in little time.

    Args:
        quenched: (k,) what the traps leave of the light of the exciton.
        biexciton_yield: over that of the exciton.
    """
    left = np.empty(len(quenched))
    for i in range(len(quenched)):
        trapped = 1 / max(quenched[i], 1e-3) - 1
        left[i] = 1 / (1 + 2 * trapped * biexciton_yield / DECAY_CHANNELS)
    return left
