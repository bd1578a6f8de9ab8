"""What a `Monitor` knows at one instant, immutable: the only thing screens and reports ever see.

Arrays are read-only views or copies; None means "unknown", never zero.
"""

from dataclasses import dataclass

from hardware.types import Acquisition, Loss
from qdmon.analysis.results.blinking import BlinkingCall, Conversion
from qdmon.analysis.results.decay_fit import Decay
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import FlidMap, Trace
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import Charging, FluenceStep, SegmentResult

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it, at the stream time `time_s` (pulses analysed, not the wall clock).

    `lifetime_ns` is of the present fluence, `overall_lifetime_ns` of everything since the segment began.
    """

    acquisition: Acquisition
    time_s: float
    photons: int
    channel_photons: dict[int, int]
    rate_cps: Estimate
    channel_rate_cps: dict[int, float]
    lifetime_ns: Estimate
    trace: Trace
    decay: Decay
    g2: G2
    flid: FlidMap
    window: BlinkingCall
    segment: SegmentResult | None
    segments: tuple[SegmentResult, ...]
    conversions: tuple[Conversion, ...]
    fluence_steps: tuple[FluenceStep, ...]
    calibration: Calibration
    charging: Charging
    intensity_change: Estimate
    spectral_shift_nm: Estimate
    peak_nm: Estimate
    losses: tuple[Loss, ...]
    lost_s: float
    events: tuple[Event, ...]
    overall_lifetime_ns: Estimate = UNKNOWN
