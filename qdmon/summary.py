"""A snapshot in a few lines of text, for terminals without a screen."""

from qdmon.analysis.snapshot import Estimate, SegmentResult, Snapshot

__all__ = ["summary_lines"]


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
        *(_segment_line(s) for s in snapshot.segments),
    ]
    for c in snapshot.conversions:
        back = {True: "reversible", False: "irreversible", None: "return not seen"}[c.reversible]
        lines.append(f"CONVERSION {c.before} -> {c.after} at {c.time_s:.2f} ± {c.time_error_s:.2f} s, {back}")
    if snapshot.losses:
        lines.append(f"{len(snapshot.losses)} losses, {snapshot.lost_s:.3g} s in all")
    lines += [f"note: {warning}" for warning in snapshot.calibration.warnings]
    return lines


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
