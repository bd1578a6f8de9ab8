"""The calibration as a user meets it: where values are from, what is doubted, what is followed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.settings import AnalysisSettings
from streams.messages import End, Fluence, LaserState, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.test_rebatching import differences

ACQ = b.acquisition()
BACKGROUND_CPS = 600.0


def joined(parts: Sequence[tuple[Photons, int]]) -> tuple[Photons, int]:
    """Runs one after the other, and the last pulse."""
    photons, at = [], 0
    for found, stop in parts:
        photons.append(Photons(found.pulse + np.uint64(at), found.nanotime, found.channel))
        at += stop
    return Photons.join(photons), at


@cache
def auger(
    seconds: float,
    t0_ns: tuple[float, float] = (4.0, 4.64),
    background_cps: float = BACKGROUND_CPS,
    seed: int = 1,
) -> tuple[Photons, int]:
    rng = np.random.default_rng(seed)
    return b.photons(rng, b.auger_dot(rng, seconds), acq=ACQ, background_cps=background_cps, t0_ns=t0_ns)


@cache
def dark(seconds: float, background_cps: float = BACKGROUND_CPS) -> tuple[Photons, int]:
    rng = np.random.default_rng(2)
    return b.photons(rng, [b.Dwell(seconds, 0.0, 1.0)], acq=ACQ, background_cps=background_cps)


def laser(pulse: int, emission: bool | None) -> LaserState:
    return LaserState(0, pulse, emission, True, None, None)


def told(
    photons: tuple[Photons, int], at: Sequence[tuple[int, Message]] = (), batch_s: float = 0.05
) -> Iterator[Message]:
    """A session with these messages before the photons of their pulses."""
    found, stop = photons
    edges = sorted({0, stop, *range(0, stop, ACQ.pulses(batch_s)), *(p for p, _ in at if p < stop)})
    yield Session("0" * 32, 0, "test", "simulated")
    yield Segment(0, ACQ)
    for first, last in pairwise(edges):
        yield from (message for pulse, message in at if pulse == first)
        yield PhotonBatch(0, first, last, 0, found.between(first, last))
    yield End("done")


def dark_then_lit() -> tuple[tuple[Photons, int], list[tuple[int, Message]]]:
    parts = [dark(4.0), auger(4.0)]
    on = parts[0][1]
    return joined(parts), [(0, laser(0, False)), (on, laser(on, True))]


@cache
def after_darkness() -> b.Watched:
    return b.watch(told(*dark_then_lit()))


def test_darkness_before_the_light_gives_the_background_of_each_detector() -> None:
    calibration = after_darkness().snapshot.calibration
    assert calibration.background_origin == "dark stretch"
    assert set(calibration.background_cps) == {0, 1}
    for channel, cps in calibration.background_cps.items():
        error = calibration.background_error_cps[channel]
        assert error is not None
        assert error == pytest.approx(np.sqrt(BACKGROUND_CPS / 3), rel=0.2)
        assert abs(cps - BACKGROUND_CPS) < 4 * error
    assert calibration.tail_cps.value == pytest.approx(2 * BACKGROUND_CPS, rel=0.2)
    assert not any("guess" in w for w in calibration.warnings)


def test_photons_in_the_dark_belong_to_no_dot() -> None:
    (segment,) = after_darkness().snapshot.segments
    assert segment.start_s == pytest.approx(4.0, abs=0.01)
    rate = segment.mean_rate_cps.value
    assert rate is not None
    assert rate > 40e3


def test_a_laser_that_goes_out_ends_the_stretch_and_its_return_begins_one_at_the_same_fluence() -> None:
    parts = [auger(2.0), dark(1.5), auger(2.0, seed=3)]
    off = parts[0][1]
    on = off + parts[1][1]
    watched = b.watch(
        told(joined(parts), [(0, Fluence(0, 0, 0.2)), (off, laser(off, False)), (on, laser(on, True))])
    )
    assert [s.mean_excitation for s in watched.snapshot.segments] == [0.2, 0.2]
    first, second = watched.snapshot.segments
    assert first.stop_s == pytest.approx(ACQ.seconds(off), abs=0.01)
    assert second.start_s == pytest.approx(ACQ.seconds(on), abs=0.01)


def test_a_laser_that_does_not_answer_is_taken_to_be_on() -> None:
    found = auger(2.0)
    watched = b.watch(told(found, [(ACQ.pulses(1.0), laser(ACQ.pulses(1.0), None))]))
    assert len(watched.snapshot.segments) == 1
    assert watched.snapshot.calibration.background_origin == "decay tail"


def test_a_fluence_of_zero_is_darkness_and_no_type_is_called_in_it() -> None:
    parts = [auger(2.5), dark(3.0)]
    off = parts[0][1]
    watched = b.watch(told(joined(parts), [(0, Fluence(0, 0, 0.2)), (off, Fluence(0, off, 0.0))]))
    last = watched.snapshot.segments[-1]
    assert last.mean_excitation == 0
    assert last.call.blinking == "undetermined"
    assert watched.snapshot.calibration.background_origin == "dark stretch"


def test_scattered_light_of_the_laser_is_noticed_over_the_dark_background() -> None:
    parts = [dark(4.0, 100.0), auger(4.0, background_cps=1500.0)]
    on = parts[0][1]
    calibration = b.watch(
        told(joined(parts), [(0, laser(0, False)), (on, laser(on, True))])
    ).snapshot.calibration
    assert calibration.background_origin == "decay tail"
    assert sum(calibration.background_cps.values()) == pytest.approx(3000, rel=0.15)
    assert any("exceeds the dark stretch" in w for w in calibration.warnings)


def test_the_tail_of_a_bleached_dot_gives_the_background() -> None:
    watched = b.watch(told(joined([auger(4.0), dark(17.0)])))
    assert "bleach" in watched.kinds()
    calibration = watched.snapshot.calibration
    assert calibration.background_origin == "bleached tail"
    for channel, cps in calibration.background_cps.items():
        error = calibration.background_error_cps[channel]
        assert error is not None
        assert abs(cps - BACKGROUND_CPS) < 4 * error < 0.1 * BACKGROUND_CPS


def test_a_dark_recording_is_used_and_named() -> None:
    rates = dict.fromkeys((0, 1), Estimate(BACKGROUND_CPS, 5.0))
    settings = AnalysisSettings(dark_cps=rates, dark_origin="dark recording night.ptu")
    calibration = b.watch(told(auger(3.0)), settings).snapshot.calibration
    assert calibration.background_origin == "dark recording night.ptu"
    assert calibration.background_cps == {0: BACKGROUND_CPS, 1: BACKGROUND_CPS}
    assert calibration.background_error_cps == {0: 5.0, 1: 5.0}


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_a_given_background_off_by_two_is_never_followed_by_a_type(factor: float) -> None:
    settings = AnalysisSettings(background_cps={None: factor * 3 * BACKGROUND_CPS})
    watched = b.watch(told(auger(4.0, background_cps=3 * BACKGROUND_CPS)), settings)
    for call in (watched.segment.call, watched.snapshot.window):
        assert call.blinking == "undetermined"
        assert call.reason is not None
        assert "does not fit the decay tail" in call.reason
    assert any("given background" in w for w in watched.snapshot.calibration.warnings)


def test_a_given_background_that_is_right_stays_in_peace() -> None:
    settings = AnalysisSettings(background_cps={None: BACKGROUND_CPS})
    watched = b.watch(told(auger(4.0)), settings)
    assert watched.segment.call.blinking == "auger"
    assert not any("given background" in w for w in watched.snapshot.calibration.warnings)


def stepped() -> tuple[Photons, int]:
    """Time zero of the first detector moves by 0.3 ns after 3 s."""
    return joined([auger(3.0), auger(4.0, t0_ns=(4.3, 4.64), seed=5)])


@cache
def after_step() -> b.Watched:
    return b.watch(told(stepped()))


def test_a_step_of_time_zero_is_told_followed_and_harmless() -> None:
    watched = after_step()
    (warning,) = [e for e in watched.events if e.kind == "warning"]
    assert warning.text.startswith("t0 of channel 0 moved by +0.")
    # One block holds both, the next one says how far.
    assert 3.0 < warning.time_s < 6.1
    calibration = watched.snapshot.calibration
    assert calibration.t0_ps[0] == pytest.approx(4300, abs=80)
    assert calibration.t0_ps[1] == pytest.approx(4640, abs=80)
    assert warning.text in calibration.warnings
    assert watched.segment.call.blinking == "auger"
    bright = watched.segment.call.states[0].lifetime_ns
    assert bright.value == pytest.approx(24.7, rel=0.03)


def test_nothing_of_it_depends_on_how_the_stream_was_cut() -> None:
    other = b.watch(told(stepped(), batch_s=0.0371))
    assert differences(after_step().snapshot, other.snapshot) == []
    assert other.events == after_step().events
    photons, messages = dark_then_lit()
    recut = b.watch(told(photons, messages, batch_s=0.173))
    assert differences(after_darkness().snapshot, recut.snapshot) == []


def test_a_saturated_detector_is_told_and_doubted() -> None:
    found, stop = auger(4.0)
    kept = np.ones(len(found), bool)
    for channel in (0, 1):
        last = -(10**9)
        for i in np.flatnonzero(found.channel == channel):
            # Blind for 60 pulses (12 us) after each click.
            kept[i] = int(found.pulse[i]) - last >= 60
            last = int(found.pulse[i]) if kept[i] else last
    blind = Photons(found.pulse[kept], found.nanotime[kept], found.channel[kept])
    watched = b.watch(told((blind, stop)))
    calibration = watched.snapshot.calibration
    assert calibration.dead_time_origin == "gaps between clicks"
    assert calibration.dead_time_ns == pytest.approx(12_000, rel=0.05)
    assert all(lost > 0.2 for lost in calibration.lost_light.values())
    assert watched.segment.call.blinking == "undetermined"
    assert watched.segment.call.reason is not None
    assert "detector 0 loses" in watched.segment.call.reason


def test_usual_detectors_are_assumed_to_be_blind_for_22_ns_and_that_is_said() -> None:
    calibration = after_step().snapshot.calibration
    assert (calibration.dead_time_ns, calibration.dead_time_origin) == (22.0, "assumed")
    given = b.watch(told(auger(2.0)), AnalysisSettings(dead_time_ns=35.0)).snapshot.calibration
    assert (given.dead_time_ns, given.dead_time_origin) == (35.0, "given")


def test_delay_window_and_errors_are_shown_with_their_origin() -> None:
    calibration = after_step().snapshot.calibration
    assert calibration.delay_origin == "rising edges"
    assert calibration.delay_ns == pytest.approx(0.34, abs=0.1)
    assert calibration.window_ns == 200
    assert all(error is not None and 30 < error < 80 for error in calibration.t0_error_ps.values())
    assert all(error is not None and error > 0 for error in calibration.background_error_cps.values())


def test_a_pulse_period_of_two_lifetimes_is_warned_of() -> None:
    rng = np.random.default_rng(1)
    fast = b.acquisition(50.0)
    found, stop = b.photons(rng, b.auger_dot(rng, 3.0), acq=fast)
    messages = [*b.session(fast, found, stop), End("done")]
    calibration = b.watch(messages, AnalysisSettings(background_cps={None: 200.0})).snapshot.calibration
    assert any("holds only" in w and "lifetimes" in w for w in calibration.warnings)


def test_a_foreign_time_zero_for_a_detector_that_is_not_there_is_left_alone() -> None:
    acq = replace(ACQ, settings={"analysis.t0_ps.9": "4000.0"})
    found, stop = auger(2.0)
    snapshot = b.watch([*b.session(acq, found, stop), End("done")]).snapshot
    assert set(snapshot.calibration.t0_ps) == {0, 1}


def test_dead_times_and_after_pulses_are_counted_for_each_detector_and_used() -> None:
    found, stop = auger(6.0)
    rng = np.random.default_rng(5)
    time_ns = found.pulse * 200.0 + (found.nanotime + 0.5) * 0.064
    echo = rng.random(len(found)) < 0.02
    echoes_ns = time_ns[echo] + 45.0 + rng.exponential(50.0, int(echo.sum()))
    time_ns, channel = np.append(time_ns, echoes_ns), np.append(found.channel, found.channel[echo])
    order = np.argsort(time_ns)
    time_ns, channel = time_ns[order], channel[order]
    ready = np.ones(len(time_ns), bool)
    for c in (0, 1):
        ready[channel == c] = np.diff(time_ns[channel == c], prepend=-1e3) >= 45.0
    ready &= time_ns < stop * 200.0
    time_ns, channel = time_ns[ready], channel[ready]
    pulse = np.floor(time_ns / 200.0)
    nanotime = ((time_ns - pulse * 200.0) / 0.064).astype(np.uint16)
    watched = b.watch(told((Photons(pulse.astype(np.uint64), nanotime, channel), stop)))
    calibration = watched.snapshot.calibration
    assert calibration.dead_time_origin == "gaps between clicks"
    for c in (0, 1):
        assert calibration.dead_times_ns[c].value == pytest.approx(45.0, abs=1.5)
        after = calibration.after_pulses[c]
        assert after.value == pytest.approx(0.02, abs=3 * (after.error or 0.0))
    assert watched.segment.call.blinking == "auger"
