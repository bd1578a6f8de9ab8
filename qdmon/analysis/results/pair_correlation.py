"""g2 of the two detectors, and whether one emitter made the light."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["G2"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class G2:
    """Correlation of the two detectors.

    Attributes:
        delay_ns: (m,) centre of each delay bin, detector delay removed, so 0 is coincidence.
        coincidences: (m,) int64, pairs per bin.
        zero: g2(0), background corrected and normalised to the near side peaks.
        upper_limit_99: one-sided 99 % upper limit of g2(0).
        detector_delay_ns: delay of the second detector that was removed.
        delay_origin: "given", "rising edges", "missing peak", "none".
        single_emitter: True if the gated upper limit excludes a second emitter of a quarter of the light,
            False if the gated lower limit shows one, None if the data cannot tell (`gated.is_single`).
            Without nanotimes: the upper limit below 0.5, or the lower one above it.
        gated_zero: g2(0) of photons later than `gate_ns` after the pulse, by which time biexcitons have
            emitted: near 0 for one emitter whatever its biexciton yield; unknown without nanotimes.
        gated_upper_limit_99: its one-sided 99 % upper limit.
        gate_ns: the gate.
        delay_significance: by how many standard deviations the peak at the detector delay misses pairs
            against its neighbours (square root of twice the log-likelihood ratio); None where unknown.
        single_probability: that one emitter made the light, nine of ten spots being one beforehand.
    """

    delay_ns: FloatArray
    coincidences: NDArray[np.int64]
    zero: Estimate
    upper_limit_99: float | None
    detector_delay_ns: float
    delay_origin: str
    single_emitter: bool | None
    gated_zero: Estimate = UNKNOWN
    gated_upper_limit_99: float | None = None
    gate_ns: float | None = None
    delay_significance: float | None = None
    single_probability: float | None = None
