"""Events beside the conversion: each told once, with its size, and none for a plain step of the fluence."""

import numpy as np
import pytest

from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.conversion.events import (
    BlinkingStop,
    IntensityLoss,
    LightDrift,
    OtherLight,
    SecondEmitter,
)
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.results.pair_correlation import G2


def blinking(rng: np.random.Generator, seconds: float, rate_hz: float) -> list[Mark]:
    starts = np.cumsum(rng.exponential(1 / rate_hz, 1000))
    return [Mark(float(t), float(t) + 0.05, 10.0, 0.03) for t in starts[starts < seconds]]


def stops_of(marks: list[Mark], until_s: float, law: DwellLaw | None = None) -> list[Event]:
    """What is told when one looks every half second and blinks come as they do."""
    watch, told, waiting = BlinkingStop(1.0), [], list(marks)
    for now_s in np.arange(0.5, until_s, 0.5):
        ended = [m for m in waiting if m.stop_s <= now_s]
        waiting = waiting[len(ended) :]
        watch.add(ended)
        told += watch.look(float(now_s), lambda: law)
    return told


def test_a_dot_that_no_longer_blinks_is_told_once() -> None:
    marks = blinking(np.random.default_rng(1), 30.0, 3.0)
    (event,) = stops_of(marks, 90.0)
    assert event.kind == "blinking stop"
    assert event.time_s == pytest.approx(marks[-1].stop_s)


def test_a_dot_that_blinks_on_is_not_told_of() -> None:
    rng = np.random.default_rng(2)
    assert [stops_of(blinking(rng, 300.0, 3.0), 300.0) for _ in range(20)] == [[]] * 20


def test_a_power_law_allows_long_bright_dwells() -> None:
    law = DwellLaw(100, 0.02, "power law", Estimate(1.5, 0.1), UNKNOWN, 20.0)
    marks = blinking(np.random.default_rng(1), 30.0, 3.0)
    assert stops_of(marks, 60.0, law) == []


def test_a_blink_that_lasts_is_no_bright_dwell() -> None:
    """It is told in part for its length; what counts is the time since it really ended."""
    marks = blinking(np.random.default_rng(1), 30.0, 3.0)
    watch = BlinkingStop(1.0)
    watch.add(marks)
    for now_s in np.arange(31.0, 90.0, 0.5):
        watch.still_dim(float(now_s))
    assert watch.look(90.0, lambda: None) == []
    (event,) = watch.look(150.0, lambda: None)
    assert event.time_s == pytest.approx(89.5)


def test_a_new_fluence_begins_a_new_rate_of_blinking() -> None:
    watch = BlinkingStop(1.0)
    watch.add(blinking(np.random.default_rng(1), 30.0, 3.0))
    watch.new_stretch()
    assert watch.look(60.0, lambda: None) == []


def call(
    bright_cps: float, error_cps: float, kind: Blinking = "auger", seconds: float = 10.0
) -> BlinkingCall:
    state = EmissiveState(Estimate(bright_cps, error_cps), Estimate(24.0, 0.1))
    return BlinkingCall(0.0, seconds, kind, None, {}, UNKNOWN, Estimate(0.3), (state,), UNKNOWN)


def test_a_loss_of_light_at_the_same_fluence_is_told_once_with_its_size() -> None:
    watch = IntensityLoss()
    watch.keep(call(100e3, 200.0), 0.2)
    watch.keep(call(500e3, 200.0), 1.4)
    (event,) = watch.look(call(85e3, 200.0), 0.2)
    assert event.kind == "intensity loss"
    assert "15.0 ± 0.6 %" in event.text
    assert watch.look(call(85e3, 200.0), 0.2) == []


@pytest.mark.parametrize(
    "now",
    [
        call(96e3, 200.0),
        call(90e3, 3000.0),
        call(120e3, 200.0),
        call(85e3, 200.0, "undetermined"),
        call(85e3, 200.0, seconds=2.0),
    ],
)
def test_less_than_five_percent_or_five_errors_or_no_sure_level_is_none(now: BlinkingCall) -> None:
    watch = IntensityLoss()
    watch.keep(call(100e3, 200.0), 0.2)
    assert watch.look(now, 0.2) == []


def test_a_lower_fluence_is_no_loss() -> None:
    watch = IntensityLoss()
    watch.keep(call(500e3, 200.0), 1.4)
    assert watch.look(call(100e3, 200.0), 0.2) == []


def g2_of(pairs: Pairs) -> G2:
    """Centre over side peaks of the made-up pairs below."""
    zero, side = float(pairs.clicks.sum()), max(pairs.pulses / 100, 1.0)
    value, error = zero / side, float(np.sqrt(max(zero, 1.0))) / side
    single = True if value + 2.33 * error < 0.5 else None
    return G2(np.empty(0), np.empty(0, np.int64), Estimate(value, error), None, 0.0, "given", single)


def pairs_of(centre: int, pulses: int) -> Pairs:
    empty = Pairs.none()
    clicks = np.zeros_like(empty.clicks)
    clicks.flat[0] = centre
    lags = np.zeros_like(empty.lags)
    lags.flat[0] = pulses
    return Pairs(lags, empty.fine, empty.decay, empty.own, clicks, pulses)


def second_emitters(rates: list[float], *, lit: bool = False) -> list[Event]:
    """What is told when g2(0) is this, second by second, with 300 side pairs a second, a lamp lit or not."""
    watch, told, centre, pulses = SecondEmitter(), [], 0, 0
    rng = np.random.default_rng(3)
    for i, g2_zero in enumerate(rates):
        centre += int(rng.poisson(300 * g2_zero))
        pulses += 30_000
        told += watch.look(float(i), pairs_of(centre, pulses), g2_of, lambda _: lit)
    return told


def test_a_second_emitter_that_lights_up_is_told_once_within_seconds() -> None:
    (event,) = second_emitters([0.1] * 60 + [0.7] * 60)
    assert event.kind == "second emitter"
    assert 60 < event.time_s <= 72


def test_pairs_of_a_lamp_are_no_second_emitter() -> None:
    assert second_emitters([0.1] * 60 + [0.7] * 20, lit=True) == []


def test_a_single_dot_stays_one_even_where_biexcitons_grow() -> None:
    assert second_emitters([0.1] * 60 + [0.2] * 60) == []


def test_a_cluster_from_the_start_is_no_second_emitter() -> None:
    assert second_emitters([0.7] * 60) == []


def test_other_light_is_told_once_each_time_it_comes() -> None:
    light = OtherLight()

    def told(foreign: list[tuple[int, int]], stop_pulse: int) -> list[float]:
        return [event.time_s for event in light.look(foreign, stop_pulse, lambda pulse: pulse / 100)]

    assert told([], 100) == []
    assert told([(0, 100)], 200) == [0.0]
    # It is still on, then it is seen to have been on for longer.
    assert told([(0, 100)], 300) == []
    assert told([(150, 300)], 400) == []
    assert told([(150, 300), (500, 600)], 700) == [5.0]


def test_a_drift_is_told_once_a_stretch_when_it_is_worth_a_refocus() -> None:
    drift = LightDrift()
    told = [drift.look(span, time_s) for time_s, span in ((5.0, 0.0), (9.0, 0.03), (14.0, 0.08), (20.0, 0.2))]
    assert [len(events) for events in told] == [0, 0, 1, 0]
    assert (told[2][0].kind, told[2][0].severity) == ("drift", "warning")
    assert "8 %" in told[2][0].text
    drift.new_stretch()
    assert drift.look(0.06, 30.0)
