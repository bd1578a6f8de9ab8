"""What belongs to which fluence: steps, unknown stretches, and photons that came before the calibration."""

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis import waiting
from qdmon.analysis.engine import Engine
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.settings import AnalysisSettings
from streams.messages import End, Fluence, LaserState, Marker, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b


def session_with(
    fluence: list[tuple[float, float | None]], seconds: float = 6.0, rate_cps: float = 76e3
) -> tuple[list[Message], Photons]:
    rng = np.random.default_rng(41)
    acq = b.acquisition()
    found, stop = b.photons(
        rng, b.auger_dot(rng, seconds, bright_cps=rate_cps, dim_cps=0.37 * rate_cps), acq=acq
    )
    return [*b.session(acq, found, stop, fluence=fluence), End("done")], found


def test_photons_of_an_unknown_fluence_belong_to_no_segment() -> None:
    messages, found = session_with([(0.0, 0.1), (2.0, None), (3.0, 0.5)])
    snapshot = b.watch(messages).snapshot
    assert [s.mean_excitation for s in snapshot.segments] == [0.1, 0.5]
    assert [s.start_s for s in snapshot.segments] == pytest.approx([0.0, 3.0])
    assert [s.stop_s for s in snapshot.segments] == pytest.approx([2.0, snapshot.time_s])
    acq = snapshot.acquisition
    for segment in snapshot.segments:
        inside = found.between(acq.pulses(segment.start_s), acq.pulses(segment.stop_s))
        assert segment.mean_rate_cps.value == pytest.approx(
            len(inside) / (segment.stop_s - segment.start_s), rel=1e-3
        )
    assert snapshot.photons == len(found)
    assert [s.start_s for s in snapshot.fluence_steps] == pytest.approx([0.0, 2.0, 3.0])
    assert [s.mean_excitation for s in snapshot.fluence_steps] == [0.1, None, 0.5]


def test_while_the_fluence_is_unknown_there_is_no_segment_and_no_rate_of_one() -> None:
    messages, _ = session_with([(0.0, 0.1), (4.0, None)])
    snapshot = b.watch(messages).snapshot
    assert snapshot.segment is None
    assert [s.mean_excitation for s in snapshot.segments] == [0.1]
    assert snapshot.lifetime_ns.value is None
    assert snapshot.rate_cps.value is not None


def test_without_any_fluence_message_the_whole_is_one_segment_of_unknown_fluence() -> None:
    messages, _ = session_with([], seconds=3.0)
    segment = b.watch(messages).segment
    assert segment.mean_excitation is None
    assert segment.start_s == 0


def test_a_stretch_that_ended_before_the_pulse_was_placed_is_counted_and_undetermined() -> None:
    # 1800 photons a second: the rising edge is placed only after four seconds.
    messages, found = session_with([(0.0, 0.1), (1.0, 0.2)], seconds=8.0, rate_cps=2000.0)
    snapshot = b.watch(messages).snapshot
    first, second = snapshot.segments
    assert first.call.blinking == "undetermined"
    assert first.mean_rate_cps.value == pytest.approx(len(found.between(0, 5_000_000)), rel=0.01)
    assert first.lifetime_ns.value is None
    assert second.lifetime_ns.value is not None
    assert set(snapshot.calibration.t0_ps) == {0, 1}


def test_too_few_photons_for_a_calibration_are_used_at_the_end_all_the_same() -> None:
    messages, found = session_with([], seconds=1.2, rate_cps=4500.0)
    snapshot = b.watch(messages).snapshot
    assert len(found) < 6000
    assert set(snapshot.calibration.t0_ps) == {0, 1}
    assert snapshot.segments[0].lifetime_ns.value == pytest.approx(22.0, rel=0.2)


def test_a_stretch_whose_pulse_was_never_placed_is_reported_with_the_reason() -> None:
    messages, found = session_with([(0.0, 0.1)], seconds=1.0, rate_cps=300.0)
    segment = b.watch(messages).segment
    assert segment.mean_rate_cps.value == pytest.approx(len(found), rel=0.3)
    assert segment.call.blinking == "undetermined"
    assert "too few photons" in (segment.call.reason or "")


def test_a_new_time_base_starts_afresh() -> None:
    messages, _ = session_with([(0.0, 0.1)], seconds=3.0)
    acq = b.acquisition(100.0)
    rng = np.random.default_rng(42)
    found, stop = b.photons(rng, b.auger_dot(rng, 2.0), acq=acq)
    again: list[Message] = [Segment(1, acq), PhotonBatch(1, 0, stop, 0, found), End("done")]
    snapshot = b.watch([*messages[:-1], *again]).snapshot
    assert snapshot.photons == len(found)
    assert snapshot.acquisition == acq
    assert any(e.kind == "segment" for e in snapshot.events)


def test_laser_markers_and_steps_are_told_as_events() -> None:
    messages, _ = session_with([(0.0, 0.1)], seconds=1.0)
    said: list[Message] = [
        LaserState(0, 100, emission=True, interlock_ok=True, setpoint_permille=80, readback_permille=80),
        LaserState(0, 200, emission=True, interlock_ok=True, setpoint_permille=80, readback_permille=80),
        LaserState(0, 300, None, None, None, None),
        Marker(0, 5_000_000, "operator", "moved the stage"),
        Marker(0, 5_000_001, "card", "M1"),
    ]
    watched = b.watch([*messages[:-1], *said])
    assert [(e.kind, e.severity) for e in watched.events] == [
        ("fluence", "info"),
        ("laser", "info"),
        ("laser", "warning"),
        ("marker", "info"),
    ]
    assert "assume emission is ON" in watched.events[2].text


def test_before_the_first_segment_there_is_nothing_to_see() -> None:
    monitor = Monitor()
    assert monitor.snapshot() is None
    assert monitor.feed(Session("0" * 32, 0, "test", "live")) == ()
    assert monitor.feed(Fluence(0, 0, 0.1)) == ()
    assert monitor.snapshot() is None


def test_a_snapshot_stays_as_it_was_while_the_stream_goes_on() -> None:
    messages, _ = session_with([(0.0, 0.1)], seconds=4.0)
    monitor = Monitor()
    half = len(messages) // 2
    for message in messages[:half]:
        monitor.feed(message)
    early = monitor.snapshot()
    assert early is not None
    trace, pairs = early.trace, early.g2.coincidences
    counts, arrival, drawn = trace.counts.copy(), trace.arrival_ns.copy(), pairs.copy()
    for message in messages[half:]:
        monitor.feed(message)
    assert np.array_equal(trace.counts, counts)
    assert np.array_equal(trace.arrival_ns, arrival, equal_nan=True)
    assert np.array_equal(pairs, drawn)


def test_a_long_darkness_before_the_first_light_is_not_hoarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 50)
    acq = b.acquisition()
    rng = np.random.default_rng(8)
    dark, dark_stop = b.photons(rng, [b.Dwell(20.0, 0.0, 1.0)], acq=acq, background_cps=20.0)
    engine = Engine(acq, AnalysisSettings())
    engine.photons(dark, dark_stop)
    assert engine.calibration().t0_ps == {}
    lit, stop = b.photons(rng, b.alternating(rng, 6.0, [lambda: b.Dwell(0.2, 76e3, 24.7)]), acq=acq)
    lit = Photons(lit.pulse + np.uint64(dark_stop), lit.nanotime, lit.channel)
    engine.photons(lit, dark_stop + stop)
    assert sorted(engine.calibration().t0_ps) == [0, 1]
    assert engine.stretch is not None
    assert engine.stretch.photons.total == len(dark) + len(lit)
    assert engine.trace().counts.sum() == pytest.approx(len(dark) + len(lit), abs=2000)


def test_the_overall_lifetime_is_that_of_all_fluences_together() -> None:
    acq = b.acquisition()
    rng = np.random.default_rng(12)
    dwells = [b.Dwell(3.0, 60e3, 30.0), b.Dwell(3.0, 60e3, 10.0)]
    found, stop = b.photons(rng, dwells, acq=acq)
    snapshot = b.watch([*b.session(acq, found, stop, fluence=[(0.0, 0.1), (3.0, 0.2)]), End("done")]).snapshot
    first, second = (s.lifetime_ns.value for s in snapshot.segments)
    assert first == pytest.approx(30.0, rel=0.02)
    assert second == pytest.approx(10.0, rel=0.02)
    assert snapshot.overall_lifetime_ns.value is not None
    assert 17.0 < snapshot.overall_lifetime_ns.value < 23.0
