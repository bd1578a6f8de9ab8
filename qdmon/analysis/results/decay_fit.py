"""The decay and the exponentials that it is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.estimate import Estimate

__all__ = ["Decay", "DecayComponent", "DecayFit"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DecayComponent:
    """One exponential of a decay.

    Attributes:
        lifetime_ns: its lifetime.
        amplitude: its share of the intensity right after the pulse; unknown where very short light cannot
            be told from the pulse itself, as is the next.
        photons: its share of the photons.
    """

    lifetime_ns: Estimate
    amplitude: Estimate
    photons: Estimate


@dataclass(frozen=True, slots=True)
class DecayFit:
    """A sum of exponentials seen through the instrument response.

    Attributes:
        components: longest lifetime first; as many as the photons ask for, three at most.
        amplitude_mean_ns: mean lifetime weighted with amplitudes. Components shorter than a response that
            was only assumed may be its own tail and are left out, here and in the next.
        intensity_mean_ns: mean lifetime weighted with photons, the mean arrival time after the pulse.
        chi2_reduced: goodness of fit, 1 where chance explains all that is left.
        durbin_watson: of the residuals: 2 where neighbours are independent, less where they go together.
        adequate: chance explains size and order of the residuals; if not, the decay is no sum of so few
            exponentials, or the response is another.
        photons: behind the fit.
    """

    components: tuple[DecayComponent, ...]
    amplitude_mean_ns: Estimate
    intensity_mean_ns: Estimate
    chi2_reduced: float
    durbin_watson: float
    adequate: bool
    photons: int


@dataclass(frozen=True, slots=True)
class Decay:
    """TCSPC histogram of the present fluence segment with its fit.

    Attributes:
        time_ns: (m,) start of each bin after the pulse, t0 not subtracted.
        counts: channel -> (m,) int64.
        model: channel -> (m,) expected counts of the fit; empty if there is none.
        lifetime_ns: mean lifetime as one exponential.
        chi2_reduced: goodness of fit; None if there is no fit.
        fit: its components; None if there is no fit.
    """

    time_ns: FloatArray
    counts: dict[int, NDArray[np.int64]]
    model: dict[int, FloatArray]
    lifetime_ns: Estimate
    chi2_reduced: float | None
    fit: DecayFit | None = None
