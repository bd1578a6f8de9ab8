"""What is known of a stretch of constant fluence, and what the fluence changes."""

from dataclasses import dataclass
from typing import Literal

from qdmon.analysis.results.blinking import BlinkingCall, EmissiveState
from qdmon.analysis.results.decay_fit import DecayFit
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import DwellLaw, Level, LongTimeCorrelation
from qdmon.analysis.results.pair_correlation import G2

__all__ = ["Charging", "ChargingLaw", "FluenceStep", "SegmentResult"]

ChargingLaw = Literal["linear", "quadratic", "both"]


@dataclass(frozen=True, slots=True)
class FluenceStep:
    """<N> from this time on; None while changing or unknown."""

    start_s: float
    mean_excitation: float | None


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """Everything known about one fluence segment (a stretch of constant <N>).

    Levels are the latest, the open one last, and intensities those that differ among the closed ones;
    dwells and correlation are those since the last conversion.
    """

    start_s: float
    stop_s: float
    mean_excitation: float | None
    call: BlinkingCall
    mean_rate_cps: Estimate
    lifetime_ns: Estimate
    blinking_rate_hz: Estimate
    charging_rate_hz: Estimate
    g2: G2
    levels: tuple[Level, ...] = ()
    intensities: tuple[EmissiveState, ...] = ()
    on_dwells: DwellLaw | None = None
    off_dwells: DwellLaw | None = None
    correlation: LongTimeCorrelation | None = None
    decay: DecayFit | None = None


@dataclass(frozen=True, slots=True)
class Charging:
    """How the charging rate grows with <N>.

    Attributes:
        exponent: 1 single-exciton ionisation, 2 Auger ionisation.
        law: the one preferred by twenty to one, "both" if one alone does not do; None while none is.
        log_odds_linear: natural log odds of "linear" against "quadratic"; None if not known.
    """

    exponent: Estimate
    law: ChargingLaw | None = None
    log_odds_linear: float | None = None
