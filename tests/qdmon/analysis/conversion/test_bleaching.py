"""A dot that goes dark for good: told once, with the type it had."""

import copy
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.summary import summary_lines
from streams.messages import End, Fluence, Message, PhotonBatch
from tests.qdmon.analysis import builders as b

LIT_S = 8.0


@dataclass(frozen=True)
class Darkened:
    """A session that ends eight seconds into the darkness of a dot, and the one that goes on."""

    eight_s: b.Watched
    whole: b.Watched


def ended(monitor: Monitor, events: list[Event], dwells: list[b.Dwell]) -> b.Watched:
    """What was seen if the session ends now; the monitor can go on."""
    monitor = copy.deepcopy(monitor)
    told = (*events, *monitor.feed(End("done")))
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return b.Watched(snapshot, told, tuple(dwells))


@cache
def darkened() -> Darkened:
    rng = np.random.default_rng(51)
    acq = b.acquisition()
    lit = b.auger_dot(rng, LIT_S)
    dwells = [*lit, b.Dwell(14.0, 0.0, 5.0)]
    found, stop = b.photons(rng, dwells, acq=acq)
    eight = acq.pulses(sum(d.duration_s for d in lit) + 8.0)
    monitor, events = Monitor(), list[Event]()
    early: b.Watched | None = None
    for message in b.session(acq, found, stop):
        if early is None and isinstance(message, PhotonBatch) and message.stop_pulse > eight:
            early = ended(monitor, events, dwells)
        events += monitor.feed(message)
    assert early is not None
    return Darkened(early, ended(monitor, events, dwells))


def bleached() -> b.Watched:
    return darkened().whole


def test_bleaching_is_told_once() -> None:
    alerts = [e for e in bleached().events if e.severity == "alert"]
    assert [e.kind for e in alerts] == ["bleach"]
    died_s = sum(d.duration_s for d in bleached().dwells[:-1])
    assert alerts[0].time_s == pytest.approx(died_s, abs=0.3)


def test_the_summary_of_a_bleached_dot_still_has_its_type() -> None:
    assert any("auger" in line for line in summary_lines(bleached().snapshot))


def test_a_dot_that_went_dark_has_not_stopped_blinking() -> None:
    for watched in (bleached(), darkened().eight_s):
        assert "blinking stop" not in watched.kinds()


def test_a_darkness_too_short_for_bleaching_is_told_when_the_session_ends() -> None:
    (told,) = [e for e in darkened().eight_s.events if e.kind == "darkness"]
    assert "last 8.0 s, left out" in told.text
    assert told.time_s == pytest.approx(darkened().eight_s.segment.call.stop_s)
    assert "darkness" not in bleached().kinds()


def test_the_instant_is_told_to_hundredths_of_a_second() -> None:
    (alert,) = [e for e in bleached().events if e.kind == "bleach"]
    lit = bleached().dwells[:-1]
    assert alert.time_s == pytest.approx(sum(d.duration_s for d in lit), abs=0.01)


def test_a_bleached_dot_keeps_the_type_and_the_levels_it_had() -> None:
    call = bleached().segment.call
    assert call.blinking == "auger"
    assert call.stop_s == pytest.approx(sum(d.duration_s for d in bleached().dwells[:-1]), abs=0.3)
    assert call.states[0].intensity_cps.value == pytest.approx(76e3, rel=0.02)
    assert call.auger_share.value is not None
    assert call.auger_share.value > 0.9


def test_the_window_of_a_bleached_dot_says_so() -> None:
    window = bleached().snapshot.window
    assert window.blinking == "undetermined"
    assert window.reason == "bleached"


def test_bleaching_is_no_conversion() -> None:
    assert bleached().snapshot.conversions == ()


def test_a_long_dark_dwell_is_not_yet_bleaching() -> None:
    assert "bleach" not in darkened().eight_s.kinds()


def test_a_dot_under_a_laser_that_is_off_has_not_bleached() -> None:
    rng = np.random.default_rng(52)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 4.0), acq=acq)
    end = stop + acq.pulses(12.0)
    messages: list[Message] = b.session(acq, found, stop, fluence=[(0.0, 0.1)])
    messages.append(Fluence(0, stop, 0.0))
    messages.append(PhotonBatch(0, stop, end, 0, Photons.empty()))
    watched = b.watch([*messages, End("done")])
    assert "bleach" not in watched.kinds()


def test_a_much_lower_fluence_is_not_bleaching() -> None:
    rng = np.random.default_rng(53)
    acq = b.acquisition()
    dwells = [*b.auger_dot(rng, 4.0, bright_cps=4e5, dim_cps=1.5e5)]
    high_s = sum(d.duration_s for d in dwells)
    dwells += b.auger_dot(rng, 12.0, bright_cps=8e3, dim_cps=3e3)
    found, stop = b.photons(rng, dwells, acq=acq)
    watched = b.watch([*b.session(acq, found, stop, fluence=[(0.0, 1.5), (high_s, 0.02)]), End("done")])
    assert "bleach" not in watched.kinds()
