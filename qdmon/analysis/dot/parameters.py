"""What fixes a dot, by name: the order of its parameters in every vector and matrix of them."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOGARITHMIC", "NOT_NEGATIVE", "PARAMETERS", "P", "in_order"]


class P(IntEnum):
    """Place of each parameter of a `states.DotModel`, which says what they are."""

    BRIGHT_CPS = 0
    BRIGHT_NS = 1
    TRION_NS = 2
    GREY = 3
    BETA = 4
    BACKGROUND_CPS = 5
    DELAYED = 6
    SPREAD = 7
    AFTER_PULSES = 8
    EARLY = 9


PARAMETERS = tuple(place.name.lower() for place in P)
"""Names of the attributes of a `states.DotModel`, in this order."""
LOGARITHMIC = slice(0, P.BETA)
"""Those that move by their logarithm."""
NOT_NEGATIVE = slice(P.BACKGROUND_CPS, len(P))


def in_order(values: Mapping[P, float] | Mapping[P, tuple[float, float]]) -> NDArray[np.float64]:
    """(p,) numbers, or (p, 2) pairs of them, one for each parameter."""
    return np.array([values[place] for place in P], np.float64)
