"""What a `Monitor` knows at one instant, immutable: the only thing screens and reports ever see.

Arrays are read-only views or copies; None means "unknown", never zero.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Loss

__all__ = [
    "BLINKING_TYPES",
    "G2",
    "Blinking",
    "BlinkingCall",
    "Calibration",
    "Charging",
    "ChargingLaw",
    "Conversion",
    "Decay",
    "DecayComponent",
    "DecayFit",
    "DwellLaw",
    "EmissiveState",
    "Estimate",
    "Event",
    "FlidMap",
    "FluenceStep",
    "Level",
    "LongTimeCorrelation",
    "SegmentResult",
    "Snapshot",
    "Trace",
]

Blinking = Literal["auger", "bc", "mixed", "hc", "none", "undetermined"]
BLINKING_TYPES: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")

ChargingLaw = Literal["linear", "quadratic", "both"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error, in the unit its name says; None where unknown."""

    value: float | None
    error: float | None = None


UNKNOWN = Estimate(None)


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
class EmissiveState:
    """One emitting state of the dot, net of background.

    `occupancy` is the share of the time that the levels of this intensity took; None where not counted.
    """

    intensity_cps: Estimate
    lifetime_ns: Estimate
    occupancy: float | None = None


@dataclass(frozen=True, slots=True)
class BlinkingCall:
    """The verdict on a stretch of time.

    Attributes:
        start_s: first bin used.
        stop_s: end of the last bin used.
        blinking: the type, or "undetermined".
        reason: why undetermined, or a caveat, in words; None if there is nothing to say.
        probabilities: type -> probability, over `BLINKING_TYPES`, summing to 1.
        auger_share: share of the lost photons that Auger recombination took (A_Auger:A_BC = 3:1 is 0.75).
        loss: share of the bright level's photons that were not emitted.
        states: brightest first; the neutral bright state and, if seen, the dim one.
        radiative_rate_ratio: beta = I2 tau1/(I1 tau2).
    """

    start_s: float
    stop_s: float
    blinking: Blinking
    reason: str | None
    probabilities: dict[Blinking, float]
    auger_share: Estimate
    loss: Estimate
    states: tuple[EmissiveState, ...]
    radiative_rate_ratio: Estimate


@dataclass(frozen=True, slots=True)
class FluenceStep:
    """<N> from this time on; None while changing or unknown."""

    start_s: float
    mean_excitation: float | None


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
class Conversion:
    """The dot changed how it blinks.

    Attributes:
        time_s: when; time_error_s its uncertainty (half width of the 68 % interval).
        before: type before.
        after: type after.
        mean_excitation_before: <N> before.
        mean_excitation_after: <N> at the change.
        probability: that the type did change.
        reversible: True if the old type came back on return to the first fluence, False if it did not,
            None while not known.
    """

    time_s: float
    time_error_s: float
    before: Blinking
    after: Blinking
    mean_excitation_before: float | None
    mean_excitation_after: float | None
    probability: float
    reversible: bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """A line for the event list.

    `kind` is one of these. Of the dot, each told once for each time it happens, none by a step of the
    fluence alone: "conversion" (it blinks in another way), "type" (what the last conversion led to, where the
    light since then has more to say than the blinks that raised the alert), "reversibility" (whether the old
    way came back with the old fluence), "bleach" (nothing but background for 10 s), "second emitter" (g2(0)
    of the last 10 s is five errors above 0.5, and was below), "blinking stop" (no dim dwell for longer than
    its dwells allow), "intensity loss" (the bright level at the same <N> fell by over 5 % and five errors),
    "spectrum" (the line moved). Of the session: "fluence", "loss" (photons missing), "laser", "marker",
    "segment", "warning".
    """

    time_s: float
    kind: str
    severity: Literal["info", "warning", "alert"]
    text: str


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
