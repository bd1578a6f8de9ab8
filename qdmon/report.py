"""The report of a session as plain data: the JSON object that `analyze` and `watch` print."""

import math
from collections.abc import Mapping, Sequence

from qdmon.analysis.levels.relation import intensity_lifetime_correlation
from qdmon.analysis.results.decay_fit import DecayFit
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.settings import USUAL_FALSE_ALARMS, AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.analysis.switching.saturation import Saturation, saturation_of

__all__ = ["report"]

Json = Mapping[str, "JsonValue"]
JsonValue = None | bool | int | float | str | list["JsonValue"] | Json

SIGNIFICANT = 7


def _number(value: float | None) -> float | None:
    """A float with the digits that mean something; None stays None."""
    return None if value is None else float(f"{value:.{SIGNIFICANT}g}")


def _pair(name: str, unit: str, estimate: Estimate) -> dict[str, JsonValue]:
    return {f"{name}_{unit}": _number(estimate.value), f"{name}_error_{unit}": _number(estimate.error)}


def _g2(g2: G2) -> dict[str, JsonValue]:
    return {
        "zero": _number(g2.zero.value),
        "zero_error": _number(g2.zero.error),
        "upper_limit_99": _number(g2.upper_limit_99),
        "delay_ns": _number(g2.detector_delay_ns),
        "delay_origin": g2.delay_origin,
        "single_emitter": g2.single_emitter,
        "single_probability": _number(g2.single_probability),
        "gated_zero": _number(g2.gated_zero.value),
        "gated_zero_error": _number(g2.gated_zero.error),
        "gated_upper_limit_99": _number(g2.gated_upper_limit_99),
        "gate_ns": _number(g2.gate_ns),
        "delay_significance": _number(g2.delay_significance),
    }


def _decay(decay: DecayFit | None) -> dict[str, JsonValue] | None:
    """The multi-exponential fit of a stretch; None where there are too few photons."""
    if decay is None:
        return None
    return {
        "components": [
            {
                **_pair("lifetime", "ns", c.lifetime_ns),
                "amplitude": _number(c.amplitude.value),
                "amplitude_error": _number(c.amplitude.error),
                "photons": _number(c.photons.value),
                "photons_error": _number(c.photons.error),
            }
            for c in decay.components
        ],
        **_pair("amplitude_mean", "ns", decay.amplitude_mean_ns),
        **_pair("intensity_mean", "ns", decay.intensity_mean_ns),
        "chi2_reduced": _number(decay.chi2_reduced),
        "durbin_watson": _number(decay.durbin_watson),
        "adequate": decay.adequate,
        "photons": decay.photons,
    }


def _levels(segment: SegmentResult) -> dict[str, JsonValue]:
    """Steady light between changes: how many levels, of which intensities, and whether lifetimes follow."""
    correlation = intensity_lifetime_correlation(segment.levels)
    return {
        "found": len(segment.levels),
        "intensity_lifetime_correlation": _number(correlation.value),
        "intensity_lifetime_correlation_error": _number(correlation.error),
        "intensities": [
            {
                **_pair("intensity", "cps", s.intensity_cps),
                **_pair("lifetime", "ns", s.lifetime_ns),
                "occupancy": _number(s.occupancy),
            }
            for s in segment.intensities
        ],
    }


def _dwells(law: DwellLaw | None) -> dict[str, JsonValue] | None:
    """How long the light stays on, or off; None while two levels have not been told apart."""
    if law is None:
        return None
    return {
        "count": law.dwells,
        "shortest_s": _number(law.shortest_s),
        "law": law.law,
        "exponent": _number(law.exponent.value),
        "exponent_error": _number(law.exponent.error),
        **_pair("cutoff", "s", law.cutoff_s),
        "aic_gain": _number(law.aic_gain),
    }


def _saturation(found: Saturation | None) -> dict[str, JsonValue] | None:
    """By how much the stated <N> should be multiplied; None where the fluences do not tell."""
    if found is None:
        return None
    return {
        "scale": _number(found.scale.value),
        "scale_error": _number(found.scale.error),
        "brightness_cps": _number(found.brightness_cps.value),
        "yield_ratio": _number(found.yield_ratio.value),
        "chi2_reduced": _number(found.chi2_reduced),
    }


def _segment(segment: SegmentResult) -> dict[str, JsonValue]:
    call = segment.call
    return {
        "start_s": _number(segment.start_s),
        "stop_s": _number(segment.stop_s),
        "mean_excitation": segment.mean_excitation,
        "blinking": call.blinking,
        "reason": call.reason,
        "probabilities": {t: round(p, 6) for t, p in call.probabilities.items()},
        "auger_share": _number(call.auger_share.value),
        "auger_share_error": _number(call.auger_share.error),
        "loss": _number(call.loss.value),
        "loss_error": _number(call.loss.error),
        "states": [
            {**_pair("intensity", "cps", s.intensity_cps), **_pair("lifetime", "ns", s.lifetime_ns)}
            for s in call.states
        ],
        "levels": _levels(segment),
        "radiative_rate_ratio": _number(call.radiative_rate_ratio.value),
        "radiative_rate_ratio_error": _number(call.radiative_rate_ratio.error),
        **_pair("mean_rate", "cps", segment.mean_rate_cps),
        **_pair("lifetime", "ns", segment.lifetime_ns),
        "decay": _decay(segment.decay),
        **_pair("blinking_rate", "hz", segment.blinking_rate_hz),
        **_pair("charging_rate", "hz", segment.charging_rate_hz),
        "on_dwells": _dwells(segment.on_dwells),
        "off_dwells": _dwells(segment.off_dwells),
        "g2": _g2(segment.g2),
    }


def _per_channel(values: Mapping[int, float | None]) -> dict[str, JsonValue]:
    return {str(channel): _number(value) for channel, value in sorted(values.items())}


def _calibration(calibration: Calibration) -> dict[str, JsonValue]:
    """What the numbers lean on, with errors and origins."""
    return {
        "background_cps": _per_channel(calibration.background_cps),
        "background_error_cps": _per_channel(calibration.background_error_cps),
        "background_origin": calibration.background_origin,
        "decay_tail_cps": _number(calibration.tail_cps.value),
        "decay_tail_error_cps": _number(calibration.tail_cps.error),
        "irf_origin": calibration.irf_origin,
        "t0_ps": _per_channel(calibration.t0_ps),
        "t0_error_ps": _per_channel(calibration.t0_error_ps),
        "delay_ns": _number(calibration.delay_ns),
        "delay_origin": calibration.delay_origin,
        "window_ns": _number(calibration.window_ns),
        "dead_time_ns": _number(calibration.dead_time_ns),
        "dead_time_origin": calibration.dead_time_origin,
        "dead_times_ns": _per_channel({c: e.value for c, e in calibration.dead_times_ns.items()}),
        "dead_time_errors_ns": _per_channel({c: e.error for c, e in calibration.dead_times_ns.items()}),
        "after_pulses": _per_channel({c: e.value for c, e in calibration.after_pulses.items()}),
        "after_pulse_errors": _per_channel({c: e.error for c, e in calibration.after_pulses.items()}),
        "lost_light": _per_channel(calibration.lost_light),
        "warnings": list(calibration.warnings),
    }


def _options(settings: AnalysisSettings) -> dict[str, JsonValue]:
    """The options that changed a number."""
    given: dict[str, JsonValue] = {}
    if settings.background_cps:
        given["background_cps"] = {
            "all" if c is None else str(c): r for c, r in settings.background_cps.items()
        }
    if settings.dark_cps:
        given["dark"] = settings.dark_origin
    if settings.t0_ps:
        given["irf"] = settings.irf_origin
    if settings.detector_delay_ns is not None:
        given["delay_ns"] = settings.detector_delay_ns
    if settings.false_alarms_per_day != USUAL_FALSE_ALARMS:
        given["false_alarms_per_day"] = settings.false_alarms_per_day
    if settings.dead_time_ns is not None:
        given["dead_time_ns"] = settings.dead_time_ns
    return given


def _plain(value: JsonValue) -> JsonValue:
    """The same with None for every float that JSON cannot hold: infinite, or not a number."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report(
    snapshot: Snapshot, source: str, settings: AnalysisSettings, problems: Sequence[str] = ()
) -> dict[str, JsonValue]:
    """The report of everything in a snapshot; unknown numbers are None, infinite ones are unknown.

    Args:
        snapshot: what the monitor knows.
        source: the file or address the photons came from.
        settings: the options the monitor was given.
        problems: what is wrong with the source, or was guessed for it, in words.
    """
    acq = snapshot.acquisition
    seen_s = snapshot.time_s - snapshot.lost_s
    said: dict[str, JsonValue] = {
        "source": source,
        "photons": snapshot.photons,
        "duration_s": _number(snapshot.time_s),
        "pulse_rate_hz": _number(acq.pulse_rate_hz),
        "resolution_ps": _number(acq.resolution_ps),
        "counts": {str(c): n for c, n in sorted(snapshot.channel_photons.items())},
        "mean_rate_cps": _number(snapshot.photons / seen_s) if seen_s > 0 else None,
        "losses": [
            {
                "start_s": _number(acq.seconds(loss.first_pulse)),
                "stop_s": _number(acq.seconds(loss.stop_pulse)),
                "cause": loss.cause.value,
            }
            for loss in snapshot.losses
        ],
        "g2": _g2(snapshot.g2),
        "calibration": _calibration(snapshot.calibration),
        **_pair("lifetime", "ns", snapshot.overall_lifetime_ns),
        "segments": [_segment(s) for s in snapshot.segments],
        "conversions": [
            {
                "time_s": _number(c.time_s),
                "time_error_s": _number(c.time_error_s),
                "from": c.before,
                "to": c.after,
                "mean_excitation_before": c.mean_excitation_before,
                "mean_excitation_after": c.mean_excitation_after,
                "probability": round(c.probability, 6),
                "reversible": c.reversible,
            }
            for c in snapshot.conversions
        ],
        "charging": {
            "exponent": _number(snapshot.charging.exponent.value),
            "exponent_error": _number(snapshot.charging.exponent.error),
            "law": snapshot.charging.law,
            "log_odds_linear": _number(snapshot.charging.log_odds_linear),
        },
        "saturation": _saturation(saturation_of(snapshot.segments, snapshot.conversions)),
        "intensity_change": _number(snapshot.intensity_change.value),
        "intensity_change_error": _number(snapshot.intensity_change.error),
        **_pair("spectral_shift", "nm", snapshot.spectral_shift_nm),
        "events": [
            {"time_s": _number(e.time_s), "kind": e.kind, "severity": e.severity, "text": e.text}
            for e in snapshot.events
        ],
        "options": _options(settings),
        "problems": list(problems),
    }
    return {key: _plain(item) for key, item in said.items()}
