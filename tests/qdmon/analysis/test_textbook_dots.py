"""Verdicts on ideal dots: golden rows 1, 5 and 22, and what must never be claimed."""

import numpy as np
import pytest

from qdmon.analysis.results.blinking import BLINKING_TYPES
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.settings import AnalysisSettings
from streams.messages import End, Message
from tests.qdmon.analysis import builders as b

BRIGHT_CPS = 76e3


def close(estimate: Estimate, truth: float, relative: float) -> bool:
    return estimate.value is not None and abs(estimate.value / truth - 1) <= relative


@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_a_textbook_dot_is_called_by_its_type(kind: str) -> None:
    call = b.watched_dot(kind).segment.call
    assert call.blinking == kind
    assert call.reason is None
    assert call.probabilities[call.blinking] > 0.95


def test_row_22_intensity_that_falls_at_constant_lifetime_is_called_hc() -> None:
    for seed in (1, 2, 3):
        watched = b.watched_dot("hc", None if seed == 1 else 6.0, seed)
        call = watched.segment.call
        assert call.blinking == "hc"
        assert sum(call.probabilities[t] for t in BLINKING_TYPES if t != "hc") < 0.01
        assert call.auger_share.value is None
        assert watched.snapshot.window.blinking == "hc"


@pytest.mark.parametrize("kind", ["auger", "bc", "mixed", "hc"])
def test_probabilities_are_probabilities(kind: str) -> None:
    call = b.watched_dot(kind).segment.call
    assert set(call.probabilities) == set(BLINKING_TYPES)
    assert sum(call.probabilities.values()) == pytest.approx(1.0)
    assert all(0 <= p <= 1 for p in call.probabilities.values())


def test_row_5_the_levels_of_the_papers_dot_come_out_net_of_background() -> None:
    bright, dim = b.watched_dot("auger").segment.call.states
    assert close(bright.intensity_cps, 76e3, 0.02)
    assert close(bright.lifetime_ns, 24.7, 0.02)
    assert close(dim.intensity_cps, 28e3, 0.02)
    assert close(dim.lifetime_ns, 5.0, 0.03)


def test_row_1_the_radiative_rate_ratio_of_the_papers_dot_is_1_82() -> None:
    beta = b.watched_dot("auger").segment.call.radiative_rate_ratio
    assert beta.value == pytest.approx(1.82, abs=0.05)
    assert beta.error is not None
    assert beta.error < 0.05


@pytest.mark.parametrize("kind", ["bc", "mixed"])
def test_the_bright_level_is_net_of_background_whatever_the_dot_does_below_it(kind: str) -> None:
    bright = b.watched_dot(kind).segment.call.states[0]
    assert close(bright.intensity_cps, BRIGHT_CPS, 0.02)
    assert close(bright.lifetime_ns, 24.7, 0.02)


def test_both_levels_of_a_bc_dot_have_one_radiative_rate() -> None:
    assert b.watched_dot("bc").segment.call.radiative_rate_ratio.value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_the_loss_and_its_auger_share_are_those_that_happened(kind: str) -> None:
    watched = b.watched_dot(kind)
    time_s = sum(d.duration_s for d in watched.dwells)
    lost = sum(d.duration_s * (1 - d.rate_cps / BRIGHT_CPS) for d in watched.dwells)
    call = watched.segment.call
    assert call.loss.value == pytest.approx(lost / time_s, abs=0.01)
    truth = b.realised_auger_share(watched.dwells, BRIGHT_CPS)
    assert call.auger_share.value == pytest.approx(truth, abs=0.05)


def test_a_dot_that_stays_bright_does_not_blink() -> None:
    rng = np.random.default_rng(9)
    acq = b.acquisition()
    found, stop = b.photons(rng, [b.Dwell(4.0, BRIGHT_CPS, 24.7)], acq=acq)
    call = b.watch([*b.session(acq, found, stop), End("done")]).segment.call
    assert call.blinking == "none"
    assert call.loss.value is not None
    assert call.loss.value < 0.03


@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_a_dot_that_blinks_on_as_before_raises_no_conversion_alert(kind: str) -> None:
    for duration_s, seed in ((None, 1), (8.5, 2)):
        watched = b.watched_dot(kind, duration_s, seed)
        assert watched.snapshot.conversions == ()
        assert [e for e in watched.events if e.severity == "alert"] == []


def auger_messages(emitters: int = 1, background_cps: float = 200.0) -> list[Message]:
    rng = np.random.default_rng(6)
    acq = b.acquisition()
    dwells = b.auger_dot(rng, 5.0)
    found, stop = b.photons(rng, dwells, acq=acq, emitters=emitters, background_cps=background_cps)
    return [*b.session(acq, found, stop), End("done")]


def test_two_emitters_are_never_given_a_type() -> None:
    messages = auger_messages(emitters=2)
    watched = b.watch(messages)
    assert watched.snapshot.g2.single_emitter is not True
    assert watched.segment.call.blinking == "undetermined"
    assert "g2(0)" in (watched.segment.call.reason or "")


def test_one_detector_cannot_show_a_single_emitter_and_says_so() -> None:
    rng = np.random.default_rng(6)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 5.0), acq=acq, t0_ns=(4.0, 4.0))
    found.channel[:] = 0
    watched = b.watch([*b.session(acq, found, stop), End("done")])
    assert watched.segment.call.blinking == "undetermined"
    assert "one detector" in (watched.segment.call.reason or "")
    # The numbers are still there.
    assert close(watched.segment.call.states[0].lifetime_ns, 24.7, 0.02)
    assert watched.snapshot.g2.zero.value is None


def test_light_that_sinks_a_little_does_not_blink() -> None:
    rng = np.random.default_rng(7)
    acq = b.acquisition()
    bright, shallow = b.Dwell(0.8, BRIGHT_CPS, 24.7), b.Dwell(0.4, 0.92 * BRIGHT_CPS, 0.92 * 24.7)
    found, stop = b.photons(rng, [bright, shallow, bright, shallow, bright], acq=acq)
    call = b.watch([*b.session(acq, found, stop), End("done")]).segment.call
    assert call.blinking == "none"


def test_nothing_but_background_is_undetermined() -> None:
    rng = np.random.default_rng(8)
    acq = b.acquisition()
    found, stop = b.photons(rng, [b.Dwell(3.0, 0.0, 5.0)], acq=acq, background_cps=2000.0)
    watched = b.watch([*b.session(acq, found, stop), End("done")])
    assert watched.snapshot.window.blinking == "undetermined"
    assert watched.snapshot.window.reason
    assert watched.snapshot.lifetime_ns.value is None
    assert watched.snapshot.calibration.t0_ps == {}


def test_a_given_background_is_used_and_named() -> None:
    messages = auger_messages(background_cps=1500.0)
    watched = b.watch(messages, AnalysisSettings(background_cps={None: 1500.0}))
    calibration = watched.snapshot.calibration
    assert calibration.background_origin == "given"
    assert calibration.background_cps == {0: 1500.0, 1: 1500.0}
    bright, dim = watched.segment.call.states
    assert close(bright.intensity_cps, 76e3, 0.02)
    assert close(dim.intensity_cps, 28e3, 0.04)


def test_a_given_time_zero_is_used_and_named() -> None:
    messages = auger_messages()
    settings = AnalysisSettings(t0_ps={0: 4000.0, 1: 4640.0}, irf_origin="scatter.csv")
    calibration = b.watch(messages, settings).snapshot.calibration
    assert calibration.irf_origin == "scatter.csv"
    assert calibration.t0_ps == {0: 4000.0, 1: 4640.0}
    assert not any("rising edge" in w for w in calibration.warnings)


def test_an_assumed_calibration_is_said_out_loud() -> None:
    calibration = b.watched_dot("auger").snapshot.calibration
    assert calibration.irf_origin == "rising edge"
    assert calibration.background_origin == "decay tail"
    assert any("no instrument response" in w for w in calibration.warnings)


def test_the_blinking_and_charging_rates_are_those_that_happened() -> None:
    watched = b.watched_dot("auger")
    segment = watched.segment
    seconds = sum(d.duration_s for d in watched.dwells)
    dim = [d.duration_s for d in watched.dwells if d.charged]
    # In 10 ms bins, dwells much shorter than a bin are neither seen nor meant.
    seen = sum(d > 0.008 for d in dim) / seconds
    assert segment.blinking_rate_hz.value == pytest.approx(seen, rel=0.1)
    neutral_s = seconds - sum(dim)
    assert segment.charging_rate_hz.value == pytest.approx(len(dim) / neutral_s, rel=0.1)


def test_a_bc_dot_has_no_charging_rate() -> None:
    # One short blink in half a minute may pass for a charged one.
    rate = b.watched_dot("bc").segment.charging_rate_hz
    assert rate.value is None or (rate.error is not None and rate.value < rate.error)


def test_the_trace_shows_intensity_and_lifetime_of_each_bin() -> None:
    watched = b.watched_dot("auger")
    trace = watched.snapshot.trace
    assert trace.bin_s == pytest.approx(0.01)
    assert trace.counts.sum() == pytest.approx(watched.snapshot.photons, rel=0.001)
    bright = trace.counts > 700
    dim = (trace.counts > 220) & (trace.counts < 330)
    assert float(np.nanmean(trace.arrival_ns[bright])) == pytest.approx(24.7, rel=0.04)
    assert float(np.nanmedian(trace.arrival_ns[dim])) == pytest.approx(5.0, rel=0.08)
    assert not trace.lost.any()
