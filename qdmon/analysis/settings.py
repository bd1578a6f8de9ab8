"""What a user may fix beforehand; everything left at None is found from the photons and said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AnalysisSettings"]


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Choices that change numbers; they appear in every report.

    Attributes:
        background_cps: counts/s per channel that are not the dot's; key None holds for all channels.
            Empty: estimated from the decay.
        t0_ps: arrival of the laser pulse per channel, from a measured instrument response. Empty:
            estimated from the rising edge.
        irf_origin: how `t0_ps` was found, for the report.
        detector_delay_ns: delay of the second detector against the first; None finds it.
        trace_bin_s: bin of the intensity trace (and of the FLID).
        window_s: length of the rolling window of the live verdict.
        trace_kept_s: how much of the trace is held in memory.
        segment_kept_s: how much of a fluence segment the verdict looks back on.
    """

    background_cps: Mapping[int | None, float] = field(default_factory=dict)
    t0_ps: Mapping[int, float] = field(default_factory=dict)
    irf_origin: str = "given"
    detector_delay_ns: float | None = None
    trace_bin_s: float = 0.01
    window_s: float = 5.0
    trace_kept_s: float = 3600.0
    segment_kept_s: float = 120.0
