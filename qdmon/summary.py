"""A snapshot in a few lines of text, for terminals without a screen."""

from collections.abc import Mapping

from qdmon.analysis.levels.relation import intensity_lifetime_correlation
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.snapshot import Snapshot
from qdmon.analysis.switching.saturation import saturation_of

__all__ = ["calibration_lines", "summary_lines"]

MOST_INTENSITIES = 4


def _value(estimate: Estimate, scale: float = 1.0, digits: int = 3) -> str:
    if estimate.value is None:
        return "unknown"
    text = f"{estimate.value * scale:.{digits}g}"
    return text if estimate.error is None else f"{text} ± {estimate.error * scale:.1g}"


def summary_lines(snapshot: Snapshot) -> list[str]:
    """What is known, one fact a line."""
    g2 = snapshot.g2
    verdict = {True: "single emitter", False: "more than one emitter", None: "single emitter not shown"}
    lines = [
        f"{snapshot.photons} photons in {snapshot.time_s:.3f} s",
        f"g2(0) {_value(g2.zero)} at {g2.detector_delay_ns:.2f} ns ({verdict[g2.single_emitter]})",
        *(
            line
            for s in snapshot.segments
            for line in (_segment_line(s), *_level_lines(s), *_switching_lines(s))
        ),
    ]
    for c in snapshot.conversions:
        back = {True: "reversible", False: "irreversible", None: "return not seen"}[c.reversible]
        lines.append(f"CONVERSION {c.before} -> {c.after} at {c.time_s:.2f} ± {c.time_error_s:.2f} s, {back}")
    lines += _across_fluences(snapshot)
    if snapshot.losses:
        lines.append(f"{len(snapshot.losses)} losses, {snapshot.lost_s:.3g} s in all")
    lines += calibration_lines(snapshot.calibration)
    lines += [f"note: {warning}" for warning in snapshot.calibration.warnings]
    return lines


def _by_channel(
    values: Mapping[int, float], errors: Mapping[int, float | None], scale: float, places: int
) -> str:
    texts = []
    for channel, value in sorted(values.items()):
        error = errors.get(channel)
        spread = "" if error is None else f" ± {error * scale:.{places}f}"
        texts.append(f"ch{channel} {value * scale:.{places}f}{spread}")
    return ", ".join(texts)


def calibration_lines(calibration: Calibration) -> list[str]:
    """What the numbers lean on, each with its error and where it is from; nothing before it is known."""
    if not calibration.t0_ps:
        return []
    background = _by_channel(calibration.background_cps, calibration.background_error_cps, 1.0, 0)
    t0 = _by_channel(calibration.t0_ps, calibration.t0_error_ps, 1e-3, 3)
    timing = [f"time zero {t0} ns ({calibration.irf_origin})"]
    if calibration.delay_ns is not None:
        timing.append(f"delay {calibration.delay_ns:.2f} ns ({calibration.delay_origin})")
    if calibration.window_ns is not None:
        timing.append(f"pulse window {calibration.window_ns:.4g} ns")
    if calibration.dead_time_ns is not None:
        timing.append(f"dead time {calibration.dead_time_ns:.3g} ns ({calibration.dead_time_origin})")
    if any(e.value is not None for e in calibration.after_pulses.values()):
        clicks = {c: e.value for c, e in calibration.after_pulses.items() if e.value is not None}
        errors = {c: e.error for c, e in calibration.after_pulses.items()}
        timing.append(f"after-pulses {_by_channel(clicks, errors, 100.0, 2)} %")
    return [f"background {background} cps ({calibration.background_origin})", "; ".join(timing)]


def _segment_line(segment: SegmentResult) -> str:
    call = segment.call
    excitation = "" if segment.mean_excitation is None else f" <N> {segment.mean_excitation:g}"
    probability = f" p {call.probabilities[call.blinking]:.2f}" if call.blinking != "undetermined" else ""
    reason = f" ({call.reason})" if call.reason else ""
    states = "; ".join(
        f"{_value(s.intensity_cps, 1e-3)} kcps, {_value(s.lifetime_ns)} ns" for s in call.states
    )
    return (
        f"{segment.start_s:.1f}-{segment.stop_s:.1f} s{excitation}: {call.blinking}{probability}{reason}"
        + (f"; {states}" if states else "")
    )


def _level_lines(segment: SegmentResult) -> list[str]:
    """What steady levels the light has, if it has more than one."""
    if len(segment.intensities) < 2:
        return []
    shown = [
        f"{_value(s.intensity_cps, 1e-3)} kcps, {_value(s.lifetime_ns)} ns"
        + (f", {s.occupancy:.0%} of the time" if s.occupancy is not None else "")
        for s in segment.intensities[:MOST_INTENSITIES]
    ]
    more = len(segment.intensities) - len(shown)
    correlation = intensity_lifetime_correlation(segment.levels)
    return [
        f"  {len(segment.levels)} levels of {len(segment.intensities)} intensities: {'; '.join(shown)}"
        + (f"; and {more} dimmer" if more else "")
        + f"; correlation of intensity and lifetime {_value(correlation, digits=2)}"
    ]


def _switching_lines(segment: SegmentResult) -> list[str]:
    """How long the light stays on and off, and how often the dot is charged."""
    told = [
        f"{name} dwells {_law(law)}"
        for name, law in (("on", segment.on_dwells), ("off", segment.off_dwells))
        if law is not None and law.law is not None
    ]
    if segment.charging_rate_hz.value is not None:
        told.append(f"charging {_value(segment.charging_rate_hz)} /s")
    return [f"  {'; '.join(told)}"] if told else []


def _law(law: DwellLaw) -> str:
    if law.law == "exponential":
        return f"exponential, mean {_value(law.cutoff_s)} s"
    end = f"up to {_value(law.cutoff_s)} s" if law.cutoff_s.value is not None else "without a visible end"
    return f"power law, exponent {_value(law.exponent)}, {end}"


def _across_fluences(snapshot: Snapshot) -> list[str]:
    """What only the comparison of fluences says."""
    lines = []
    charging = snapshot.charging
    if charging.exponent.value is not None:
        law = {None: "", "both": ", linear and quadratic parts"}.get(charging.law, f", {charging.law}")
        lines.append(f"charging rate ~ <N>^{_value(charging.exponent)}{law}")
    found = saturation_of(snapshot.segments, snapshot.conversions)
    if found is not None:
        lines.append(f"saturation: the true <N> is {_value(found.scale)} times the stated one")
    return lines
