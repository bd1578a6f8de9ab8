"""The report of a session as plain data: the JSON object that `analyze` and `watch` print."""

from collections.abc import Mapping

from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import G2, Estimate, SegmentResult, Snapshot

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
        "loss": _number(call.loss),
        "states": [
            {**_pair("intensity", "cps", s.intensity_cps), **_pair("lifetime", "ns", s.lifetime_ns)}
            for s in call.states
        ],
        "radiative_rate_ratio": _number(call.radiative_rate_ratio.value),
        "radiative_rate_ratio_error": _number(call.radiative_rate_ratio.error),
        "mean_rate_cps": _number(segment.mean_rate_cps.value),
        "lifetime_ns": _number(segment.lifetime_ns.value),
        "blinking_rate_hz": _number(segment.blinking_rate_hz.value),
        "charging_rate_hz": _number(segment.charging_rate_hz.value),
        "g2": _g2(segment.g2),
    }


def _options(settings: AnalysisSettings) -> dict[str, JsonValue]:
    """The options that changed a number."""
    given: dict[str, JsonValue] = {}
    if settings.background_cps:
        given["background_cps"] = {
            "all" if c is None else str(c): r for c, r in settings.background_cps.items()
        }
    if settings.t0_ps:
        given["irf"] = settings.irf_origin
    if settings.detector_delay_ns is not None:
        given["delay_ns"] = settings.detector_delay_ns
    return given


def report(snapshot: Snapshot, source: str, settings: AnalysisSettings) -> dict[str, JsonValue]:
    """The report of everything in a snapshot; unknown numbers are None.

    Args:
        snapshot: what the monitor knows.
        source: the file or address the photons came from.
        settings: the options the monitor was given.
    """
    acq = snapshot.acquisition
    calibration = snapshot.calibration
    seen_s = snapshot.time_s - snapshot.lost_s
    return {
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
        "calibration": {
            "background_cps": {str(c): _number(r) for c, r in sorted(calibration.background_cps.items())},
            "background_origin": calibration.background_origin,
            "irf_origin": calibration.irf_origin,
            "t0_ps": {str(c): _number(t) for c, t in sorted(calibration.t0_ps.items())},
            "warnings": list(calibration.warnings),
        },
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
        },
        "intensity_change": _number(snapshot.intensity_change),
        "spectral_shift_nm": _number(snapshot.spectral_shift_nm),
        "options": _options(settings),
    }
