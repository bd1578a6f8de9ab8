"""What a cell means. Colours follow from a theme; without, glyphs and words carry the meaning."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["CURVE_INKS", "HEAT_INKS", "HEAT_LEVELS", "INK_COUNT", "Ink", "curve_ink", "heat_ink"]

HEAT_LEVELS = 10
"""Steps of the heat map: enough to see shape, few enough to differ in 256 colours and not to flicker."""


class Ink(IntEnum):
    """Named meanings; numbers from `HEAT_INKS` on are computed by `heat_ink` and `curve_ink`."""

    TEXT = 0
    MUTED = 1
    FAINT = 2
    AXIS = 3
    TITLE = 4
    TITLE_SELECTED = 5
    BORDER_SELECTED = 6
    BIG = 7
    STALE = 8
    OK = 9
    WARN = 10
    ALERT = 11
    OK_BAR = 12
    WARN_BAR = 13
    ALERT_BAR = 14
    TRACE_LOW = 15
    TRACE_MID = 16
    TRACE_HIGH = 17
    ARRIVAL_LOW = 18
    ARRIVAL_MID = 19
    ARRIVAL_HIGH = 20
    FIRST = 21
    SECOND = 22
    MODEL = 23
    SIDE = 24
    ZERO = 25
    REFERENCE = 26
    STEP = 27
    LOST = 28
    CONVERSION = 29
    AUGER = 30
    BC = 31
    MIXED = 32
    HC = 33
    NONE = 34
    UNDETERMINED = 35
    AUGER_BAR = 36
    BC_BAR = 37
    MIXED_BAR = 38
    HC_BAR = 39
    NONE_BAR = 40
    UNDETERMINED_BAR = 41
    STATE = 42


HEAT_INKS = 64
"""First of HEAT_LEVELS**2 inks: upper half of the cell at one level, lower half at another."""

CURVE_INKS = HEAT_INKS + HEAT_LEVELS * HEAT_LEVELS
"""First of HEAT_LEVELS inks: the model curve over a cell of one level."""

INK_COUNT = CURVE_INKS + HEAT_LEVELS


def heat_ink(upper: NDArray[np.intp], lower: NDArray[np.intp]) -> NDArray[np.intp]:
    """Inks of half-block cells whose upper and lower pixels have these levels, shape as given."""
    return HEAT_INKS + upper * HEAT_LEVELS + lower


def curve_ink(level: NDArray[np.intp]) -> NDArray[np.intp]:
    """Inks of the model curve over cells of these levels, shape as given."""
    return CURVE_INKS + level
