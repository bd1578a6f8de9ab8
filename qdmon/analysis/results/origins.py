"""What the numbers lean on, and where each of it comes from."""

from dataclasses import dataclass, field

from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the numbers lean on, each with its origin and, where it was measured, its standard error.

    Attributes:
        background_cps: channel -> counts/s that are not the dot's.
        background_origin: "given", "dark stretch", the dark recording, "bleached tail", "decay tail",
            "assumed zero", which is a guess, or "none" while no detector has a time zero.
        irf_origin: the response that was given, "rising edge", or "none".
        t0_ps: channel -> arrival of the laser pulse on the TCSPC axis.
        warnings: what a person should know of all this.
        background_error_cps: channel -> standard error; None where the value was given.
        t0_error_ps: channel -> standard error; None where the value was given.
        tail_cps: background of the signal detectors together by the end of the decays, used or not.
        delay_ns: of the second detector against the first.
        delay_origin: as in `G2`.
        window_ns: pulse period in which arrival times are seen.
        dead_time_ns: blind time of the slower detector after a click.
        dead_time_origin: "given", "assumed", "gaps between clicks", or "none" while no detector counts.
        lost_light: channel -> share of the bright light that the detector loses to being busy.
        dead_times_ns: channel -> blind time, with its error where the gaps between clicks tell it to the ns.
        after_pulses: channel -> after-pulses per click; unknown where the gaps do not tell.
    """

    background_cps: dict[int, float]
    background_origin: str
    irf_origin: str
    t0_ps: dict[int, float]
    warnings: tuple[str, ...]
    background_error_cps: dict[int, float | None] = field(default_factory=dict)
    t0_error_ps: dict[int, float | None] = field(default_factory=dict)
    tail_cps: Estimate = UNKNOWN
    delay_ns: float | None = None
    delay_origin: str = "none"
    window_ns: float | None = None
    dead_time_ns: float | None = None
    dead_time_origin: str = "assumed"
    lost_light: dict[int, float] = field(default_factory=dict)
    dead_times_ns: dict[int, Estimate] = field(default_factory=dict)
    after_pulses: dict[int, Estimate] = field(default_factory=dict)
