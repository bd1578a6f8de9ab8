"""The light over time: trace, FLID, levels, dwells and memory."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.estimate import Estimate

__all__ = ["DwellLaw", "FlidMap", "Level", "LongTimeCorrelation", "Trace"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trace:
    """Counts per bin since the start of the segment or the oldest bin kept.

    Attributes:
        start_s: time of the first bin.
        bin_s: bin width (default 0.01).
        counts: (n,) int32, all detectors, background included.
        arrival_ns: (n,) float32, mean arrival time after the pulse in the bin, background and pulse
            window corrected; NaN where there are too few photons.
        lost: (n,) bool, the bin overlaps a loss and must not be read as a rate.
    """

    start_s: float
    bin_s: float
    counts: NDArray[np.int32]
    arrival_ns: NDArray[np.float32]
    lost: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FlidMap:
    """Fluorescence lifetime-intensity distribution of the present fluence segment.

    Attributes:
        lifetime_edges_ns: (x+1,) ascending.
        intensity_edges_cps: (y+1,) ascending, background subtracted.
        density: (y, x) float32, bins per cell, blurred by each bin's own uncertainty.
        curve_lifetime_ns: (k,) of the model curve; empty if there is none.
        curve_intensity_cps: (k,).
        curve: which equation of the paper the curve is, e.g. "Eq. 1 (Auger)"; "" if none.
    """

    lifetime_edges_ns: FloatArray
    intensity_edges_cps: FloatArray
    density: NDArray[np.float32]
    curve_lifetime_ns: FloatArray
    curve_intensity_cps: FloatArray
    curve: str


@dataclass(frozen=True, slots=True)
class Level:
    """Steady light between two changes.

    Attributes:
        start_s: when it began.
        stop_s: when it ended, or how far it has been seen.
        rate_cps: net of background.
        lifetime_ns: one exponential; unknown without arrival times or with too few photons.
        provisional: it is still going on.
    """

    start_s: float
    stop_s: float
    rate_cps: Estimate
    lifetime_ns: Estimate
    provisional: bool


@dataclass(frozen=True, slots=True)
class DwellLaw:
    """How long a dot stays on, or off: p(t) ~ t^-m exp(-t/tc) from the shortest dwell on, or exp(-t/tc).

    Exponent and cutoff depend on the threshold between on and off and on the bin, most of all when the
    light has more than two levels.

    Attributes:
        dwells: complete dwells used.
        shortest_s: dwells shorter than this are left out: the bins miss many of them.
        law: the better of the two by AIC; None where too few dwells tell.
        exponent: m; unknown unless the law is "power law".
        cutoff_s: tc; unknown if the power law goes on to the longest dwell without a visible end.
        aic_gain: AIC of the exponential minus AIC of the power law.
    """

    dwells: int
    shortest_s: float
    law: Literal["power law", "exponential"] | None
    exponent: Estimate
    cutoff_s: Estimate
    aic_gain: float | None


@dataclass(frozen=True, slots=True)
class LongTimeCorrelation:
    """Intensity correlation <I(t) I(t+lag)>/<I>^2 of the light net of background, on logarithmic lags.

    Attributes:
        lag_s: (n,) ascending, from one bin to a quarter of the time looked at.
        g: (n,) 1 where the light has forgotten itself.
        error: (n,) standard error of `g`, from blocks of time; neighbouring lags err together.
    """

    lag_s: FloatArray
    g: FloatArray
    error: FloatArray
