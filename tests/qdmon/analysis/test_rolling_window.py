"""The verdict on the rolling window: made when somebody asks, the same whenever they ask."""

from functools import cache

import numpy as np
import pytest

from hardware.types import Acquisition, Photons
from qdmon.analysis.engine import Engine
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.fitting import StretchFit
from tests.qdmon.analysis import builders as b


@cache
def recording(seconds: float = 6.0) -> tuple[Acquisition, Photons, int]:
    rng = np.random.default_rng(1)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, seconds), acq=acq)
    return acq, found, min(stop, acq.pulses(seconds))


def fed(engine: Engine, until_s: float) -> None:
    acq, found, stop = recording()
    until = min(acq.pulses(until_s), stop)
    engine.photons(found.between(engine.position, until), until)


def new_engine() -> Engine:
    return Engine(recording()[0], AnalysisSettings())


def test_before_the_first_look_there_is_no_verdict() -> None:
    engine = new_engine()
    fed(engine, 0.2)
    assert engine.window().blinking == "undetermined"
    assert engine.window().reason == "no photons analysed yet"


def test_the_window_costs_nothing_until_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    look = StretchFit.look

    def counted(
        self: StretchFit, losses: list[tuple[int, int]], doubt: str | None, stop_pulse: int
    ) -> BlinkingCall | None:
        asked.append(stop_pulse)
        return look(self, losses, doubt, stop_pulse)

    monkeypatch.setattr(StretchFit, "look", counted)
    engine = new_engine()
    fed(engine, 4.0)
    assert asked == []
    first = engine.window()
    assert engine.window() is first
    # Photons since the latest look change nothing before the next.
    fed(engine, 4.2)
    assert engine.window() is first
    assert asked == [recording()[0].pulses(4.0)]
    fed(engine, 4.5)
    assert engine.window() is not first
    assert asked == [recording()[0].pulses(t) for t in (4.0, 4.5)]


def test_the_window_ends_at_the_latest_look_whenever_it_is_asked_for() -> None:
    at_once, later = new_engine(), new_engine()
    fed(at_once, 4.0)
    fed(later, 4.4)
    assert at_once.window() == later.window()
    assert at_once.window().stop_s == pytest.approx(4.0)
    window_s = AnalysisSettings().window_s
    assert at_once.window().start_s == pytest.approx(max(0.0, 4.0 - window_s))


def test_asking_changes_nothing_of_what_follows() -> None:
    often, once = new_engine(), new_engine()
    for time_s in np.arange(0.1, 6.05, 0.1):
        fed(often, float(time_s))
        often.window()
    fed(once, 6.0)
    often.finish()
    once.finish()
    assert often.window() == once.window()
    assert often.stretch is not None
    assert once.stretch is not None
    assert often.stretch.dot.call == once.stretch.dot.call


def test_the_window_of_a_known_dot_is_called_by_its_type() -> None:
    engine = new_engine()
    fed(engine, 6.0)
    call = engine.window()
    assert call.blinking == "auger"
    assert call.probabilities["auger"] > 0.9


def test_light_that_is_out_leaves_no_window() -> None:
    engine = new_engine()
    fed(engine, 4.0)
    engine.emission(engine.position, False)
    assert engine.window().blinking == "undetermined"
    assert engine.window().states == ()
