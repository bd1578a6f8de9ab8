"""The calibration in words and numbers: what each value is, where it is from, and what speaks against it."""

from collections.abc import Mapping

from hardware.types import Acquisition
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.load import Load
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, Settled
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.settings import AnalysisSettings

__all__ = ["calibration_doubt", "calibration_of", "setup_doubt"]

# Share of the light a detector may lose before a person should know, and before levels and lifetimes lie.
LOST_TOLD, LOST_DOUBTED = 0.05, 0.15
# Clicks per pulse beyond which early photons hide late ones: the lifetime is short by half of them.
PILE_UP_TOLD, PILE_UP_DOUBTED = 0.05, 0.2
# Part of the pulse period beyond which a lifetime and a background look alike.
LONGEST_IN_PERIOD = 0.4


def _loads(loads: Mapping[int, Load], lost: float, per_pulse: float) -> list[str]:
    """Detectors that lose more than a share of the light, or see more than so much per pulse."""
    found = []
    for channel, load in sorted(loads.items()):
        rate = f"{load.rate_cps / 1e3:.3g} kcps"
        if load.lost > lost and load.even:
            found.append(
                f"detector {channel} is saturated: its counts at {rate} vary less than chance allows, "
                f"some {load.lost:.0%} of the light is lost"
            )
        elif load.lost > lost:
            found.append(
                f"detector {channel} loses {load.lost:.0%} of the light at {rate}: its dead time is "
                f"{load.dead_time_ns:.3g} ns ({load.dead_time_origin})"
            )
        elif load.per_pulse is not None and load.per_pulse > per_pulse:
            found.append(f"detector {channel} clicks at {load.per_pulse:.0%} of the pulses: pile-up")
    return found


def setup_doubt(acquisition: Acquisition, calibrator: Calibrator) -> str | None:
    """Why nothing can be judged of what the set-up records, whatever the light; None if it can.

    Args:
        acquisition: how photons are taken.
        calibrator: of the segment.
    """
    if acquisition.mode == "T2":
        return "a T2 recording has no nanotimes, so no lifetimes"
    if calibrator.axis is None:
        return calibrator.problem or "no pulse on the time axis yet: too few photons"
    if not acquisition.counts_pulses:
        return "times count the card's own clock, not laser pulses: no g2 to show a single emitter"
    if calibrator.correlated is None:
        return "one detector only: g2 cannot show a single emitter"
    return None


def calibration_doubt(calibrator: Calibrator, settled: Settled | None) -> str | None:
    """Why the calibration does not carry a verdict; None if it does.

    Args:
        calibrator: of the segment.
        settled: background of the stretch; None while there is none.
    """
    if calibrator.dark.is_dark:
        return "the laser is off"
    reasons = _loads(calibrator.load.loads(), LOST_DOUBTED, PILE_UP_DOUBTED)[:1]
    if settled is not None and settled.doubt is not None:
        reasons.append(settled.doubt)
    return "; ".join(reasons) or None


def calibration_of(
    calibrator: Calibrator,
    settings: AnalysisSettings,
    background: Mapping[int, Estimate],
    settled: Settled | None,
    g2: G2,
    lifetime_ns: Estimate,
) -> Calibration:
    """What the numbers lean on.

    Args:
        calibrator: of the segment.
        settings: what was given.
        background: channel -> background in use.
        settled: background of the stretch; None while there is none.
        g2: of the segment, for the delay between the detectors.
        lifetime_ns: of the brightest light.
    """
    axis, edges = calibrator.axis, calibrator.edges
    loads = calibrator.load.loads()
    slowest = max(loads.values(), key=lambda load: load.dead_time_ns, default=None)
    given = settings.dead_time_ns is not None
    return Calibration(
        background_cps={c: e.value or 0.0 for c, e in background.items()},
        background_origin=_background_origin(calibrator, settled),
        irf_origin="none" if axis is None else settings.irf_origin if settings.t0_ps else "rising edge",
        t0_ps=dict(axis.t0_ps) if axis is not None else {},
        warnings=tuple(_warnings(calibrator, settings, settled, lifetime_ns)),
        background_error_cps={c: e.error for c, e in background.items()},
        t0_error_ps={c: p.error_ps for c, p in edges.placed.items()} if edges is not None else {},
        tail_cps=settled.tail if settled is not None else Estimate(None),
        delay_ns=g2.detector_delay_ns if g2.delay_origin != "none" else None,
        delay_origin=g2.delay_origin,
        window_ns=axis.bins.period_ns if axis is not None else None,
        dead_time_ns=slowest.dead_time_ns if slowest is not None else settings.dead_time_ns,
        dead_time_origin=slowest.dead_time_origin if slowest is not None else "given" if given else "none",
        lost_light={c: load.lost for c, load in loads.items()},
        dead_times_ns={c: _dead_time(calibrator, c) for c in sorted(axis.t0_ps)} if axis is not None else {},
        after_pulses={c: gaps.after_pulses for c, gaps in sorted(calibrator.click_gaps.items())},
    )


def _dead_time(calibrator: Calibrator, channel: int) -> Estimate:
    gaps = calibrator.click_gaps.get(channel)
    if gaps is not None and gaps.dead_ns.value is not None:
        return gaps.dead_ns
    return Estimate(calibrator.load.dead_time(channel)[0])


def _background_origin(calibrator: Calibrator, settled: Settled | None) -> str:
    if settled is not None:
        return settled.origin
    known = calibrator.known_background()
    return known.origin if known is not None else "none" if calibrator.axis is None else ASSUMED_ZERO


def _warnings(
    calibrator: Calibrator, settings: AnalysisSettings, settled: Settled | None, lifetime_ns: Estimate
) -> list[str]:
    found = [calibrator.problem] if calibrator.problem is not None else []
    axis = calibrator.axis
    if axis is not None:
        found += _background_warnings(calibrator, settled)
        if not settings.t0_ps:
            found.append("time zero from the rising edge: no instrument response given")
        found += calibrator.stories[-3:]
        found += _window(axis, lifetime_ns)
    found += _left_out(calibrator)
    return found + _loads(calibrator.load.loads(), LOST_TOLD, PILE_UP_TOLD)


def _background_warnings(calibrator: Calibrator, settled: Settled | None) -> list[str]:
    found = []
    if _background_origin(calibrator, settled) == ASSUMED_ZERO:
        found.append("background assumed zero, a guess: the photons cannot tell it yet; give it or darken")
    if settled is not None and settled.note is not None:
        found.append(settled.note)
    if calibrator.dark.lit:
        found.append("photons follow the pulses of a laser that is said to be off: that stretch is not dark")
    return found


def _window(axis: TimeAxis, lifetime_ns: Estimate) -> list[str]:
    period_ns, recorded_ns = axis.bins.period_ns, axis.bins.recorded_ns
    found = []
    if recorded_ns is not None:
        found.append(
            f"the card records {recorded_ns:.4g} of the {period_ns:.4g} ns between pulses: "
            f"decays are followed to {axis.bins.edges_ns[-1]:.4g} ns"
        )
    if lifetime_ns.value is None or lifetime_ns.value < LONGEST_IN_PERIOD * period_ns:
        return found
    return [
        *found,
        f"the pulse period of {period_ns:.4g} ns holds only {period_ns / lifetime_ns.value:.1f} lifetimes of "
        f"{lifetime_ns.value:.3g} ns: decay and background look alike; use fewer pulses per second",
    ]


def _left_out(calibrator: Calibrator) -> list[str]:
    """Which detectors g2 is of, where there are more than two."""
    pair, others = calibrator.correlated, calibrator.not_correlated
    if pair is None or not others:
        return []
    return [
        f"g2 is of detectors {pair[0]} and {pair[1]} alone: {', '.join(map(str, others))} "
        f"{'is' if len(others) == 1 else 'are'} left out of it"
    ]
