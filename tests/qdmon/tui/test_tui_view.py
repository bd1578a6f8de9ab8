"""Numbers are rounded honestly, the link's state follows from its messages, alerts keep their names."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.types import Loss, LossCause, Photons
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.event import Event
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.alerts import alerts, pending
from qdmon.tui.view.blinking import blinking_view, primary_call
from qdmon.tui.view.events import event_lines
from qdmon.tui.view.health import health, laser_text
from qdmon.tui.view.link import LinkState, after_link_event, after_message, noted
from qdmon.tui.view.numbers import clock, measured, percent, plain, probability, seconds, with_error
from qdmon.tui.view.readouts import readouts
from qdmon.tui.view.scene import Controls, Scene, layout_for
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    Heartbeat,
    LaserState,
    Message,
    PhotonBatch,
    Segment,
    Session,
    Status,
)
from tests.qdmon.tui.builders import acquisition, call, conversion, live_link, scene, snapshot


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (24.7132, 0.31, "24.7 ± 0.3"),
        (24.7132, 0.124, "24.71 ± 0.12"),
        (24.7132, 0.097, "24.71 ± 0.10"),
        (53210.0, 163.0, "53210 ± 160"),
        (0.083, 0.0093, "0.083 ± 0.009"),
        (1.82, 2.6, "2 ± 3"),
        (0.5, None, "0.500"),
        (None, 0.1, "--"),
        (float("nan"), 0.1, "--"),
        (3.0, float("inf"), "3.00"),
        (3.0, 0.0, "3.00"),
    ],
)
def test_a_number_has_the_digits_its_error_allows(
    value: float | None, error: float | None, text: str
) -> None:
    assert with_error(Estimate(value, error)) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_rounding_never_moves_a_value_by_more_than_its_error(value: float, error: float) -> None:
    shown, shown_error = measured(Estimate(value, error))
    assert shown_error is not None
    assert abs(float(shown) - value) <= 0.51 * error
    assert float(shown_error) == pytest.approx(error, rel=0.34)


def test_a_probability_is_never_shown_as_certain() -> None:
    assert (probability(0.9999), probability(0.0001), probability(0.973)) == (">0.99", "<0.01", "0.97")
    assert (percent(0.9999), percent(0.0001), percent(0.973), percent(None)) == (">99%", "<1%", "97%", "--")


def test_plain_numbers_and_times() -> None:
    assert [plain(x) for x in (0.0, 0.1234, 12345.0, None)] == ["0", "0.123", "12300", "--"]
    assert (clock(74.9), clock(3601.0), clock(None)) == ("1:14", "1:00:01", "--")
    assert (seconds(31.44), seconds(725.0), seconds(None)) == ("31.4 s", "12:05", "--")


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((200, 50), "wide"),
        ((160, 40), "wide"),
        ((159, 50), "compact"),
        ((80, 24), "compact"),
        ((59, 24), "numbers"),
        ((80, 15), "numbers"),
        ((40, 12), "numbers"),
        ((40, 11), "row"),
        ((30, 8), "message"),
    ],
)
def test_breakpoints(size: tuple[int, int], layout: str) -> None:
    assert layout_for(*size) == layout


SESSION = Session("ab" * 16, 0, "qdmon 0.1.0", "live", "dot 7")


def heard(*messages: Message, at_s: float = 10.0, host_ns: int = 10**10) -> LinkState:
    """The link after some messages."""
    link = LinkState(phase="waiting")
    for message in messages:
        link = after_message(link, message, at_s, host_ns)
    return link


def batch(stop_pulse: int, host_time_ns: int) -> PhotonBatch:
    """No photons up to a pulse."""
    return PhotonBatch(0, 0, stop_pulse, host_time_ns, Photons.empty())


def test_photons_carry_stream_time_and_lag() -> None:
    link = heard(SESSION, Segment(0, acquisition()), batch(5_000_000, 10**10 - 80_000_000))
    assert link.phase == "live"
    assert link.stream_s == pytest.approx(1.0)
    assert link.lag_s == pytest.approx(0.08)


def test_clocks_of_two_machines_give_no_lag() -> None:
    assert heard(SESSION, batch(1, 10**10 + 10**9)).lag_s is None
    assert heard(SESSION, batch(1, 10**10 - 7200 * 10**9)).lag_s is None
    assert heard(replace(SESSION, source="replay"), batch(1, 10**10)).lag_s is None


def test_silence_is_loss_after_two_and_a_half_seconds() -> None:
    link = heard(SESSION)
    assert not replace(link, now_s=12.4).lost
    assert replace(link, now_s=12.6).lost
    assert replace(link, now_s=22.0).silent_s == 12.0


def test_a_session_that_ended_is_not_lost_and_a_late_heartbeat_does_not_revive_it() -> None:
    late = Heartbeat({}, 1.0, 0, 0, 0, 0)
    link = heard(SESSION, End("protocol finished"), late)
    assert link.phase == "ended"
    assert not replace(link, now_s=100.0).lost
    assert link.problem == "protocol finished"


def test_a_new_session_forgets_what_the_old_one_said_but_not_what_happened() -> None:
    laser = LaserState(0, 0, True, True, 100, 100)
    first = after_link_event(
        heard(SESSION, laser, Gap(0, 0, 1, LossCause.SYNC_LOST)), "joined", "there", 11.0
    )
    second = after_message(first, replace(SESSION, session_id="cd" * 16), 12.0, 0)
    assert second.laser is None
    assert second.gaps == 0
    assert [n.text for n in second.notes] == ["connected", "a new session began"]


def test_the_session_sent_again_changes_nothing() -> None:
    laser = LaserState(0, 0, True, True, 100, 100)
    assert heard(SESSION, laser, SESSION).laser == laser


def test_link_events_become_notes_and_reconnections_count() -> None:
    link = after_link_event(LinkState(), "waiting", "no daemon answers", 1.0)
    assert (link.phase, link.problem) == ("waiting", "no daemon answers")
    link = after_link_event(heard(SESSION), "silent", "no sign of life", 12.0)
    link = after_link_event(link, "back", "is back", 14.0)
    assert link.reconnects == 1
    assert [n.severity for n in link.notes] == ["warning", "info"]


def test_notes_are_bounded() -> None:
    link = LinkState()
    for i in range(500):
        link = noted(link, "info", str(i))
    assert len(link.notes) == 200
    assert link.notes[-1].text == "499"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (LinkState(), "laser UNKNOWN: assume ON"),
        (live_link(silent_s=5.0), "laser UNKNOWN: assume ON"),
        (replace(live_link(), phase="ended"), "laser UNKNOWN: assume ON"),
        (replace(live_link(), laser=None), "laser not reported: assume ON"),
        (replace(live_link(), laser=LaserState(0, 0, None, None, None, None)), "laser UNKNOWN: assume ON"),
        (live_link(), "laser emission ON"),
        (replace(live_link(), laser=LaserState(0, 0, False, True, 0, 0)), "laser emission off"),
        (
            replace(live_link(), laser=LaserState(0, 0, False, False, 0, 0)),
            "laser emission off, interlock open",
        ),
    ],
)
def test_only_a_laser_known_to_be_off_is_called_off(link: LinkState, words: str) -> None:
    assert laser_text(link)[0] == words


def ill(**changes: object) -> Scene:
    """The default scene with another link."""
    return replace(scene(), link=replace(live_link(), **changes))  # type: ignore[arg-type]


def test_health_names_the_most_serious_thing() -> None:
    assert health(scene()).word == "OK"
    assert health(replace(scene(), link=live_link(silent_s=12.0))).reason == "since 12 s: daemon silent"
    assert health(ill(phase="failed", problem="it broke")).word == "FAULT"
    assert health(ill(phase="loading")).reason == "loading analysis..."
    assert health(ill(phase="waiting", problem="no daemon answers")).reason == "no daemon answers"
    assert health(ill(daemon=Status("fault", "card gone"))).reason == "card gone"
    assert health(ill(laser=LaserState(0, 0, None, None, None, None))).word == "LASER?"
    assert health(ill(lag_s=4.0)).word == "LAG"
    assert health(replace(scene(), newest=None)).word == "WAITING"


def test_a_guessed_calibration_is_a_caution_and_not_a_fault() -> None:
    base = snapshot(20.0)
    warned = replace(base, calibration=replace(base.calibration, warnings=("background assumed 0",)))
    state = health(scene(shown=warned))
    assert (state.word, state.level, state.caution) == ("OK", "ok", "background assumed 0")


def test_an_old_loss_is_told_but_does_not_alarm() -> None:
    loss = Loss(0, 5_000_000, LossCause.FIFO_OVERRUN)
    state = health(scene(shown=replace(snapshot(), losses=(loss,), lost_s=1.0)))
    assert (state.level, state.reason) == ("ok", "1.0 s lost earlier")


def test_the_window_speaks_unless_only_the_whole_fluence_step_can() -> None:
    base = snapshot(20.0)
    assert primary_call(base)[0] is base.window
    unsure = replace(base, window=call("undetermined", 16.0, 20.0))
    assert unsure.segment is not None
    assert primary_call(unsure) == (unsure.segment.call, "20 s at this <N>")
    assert blinking_view(scene(shown=unsure)).blinking == "auger"


def test_no_probability_is_shown_for_an_undetermined_type() -> None:
    shown = replace(snapshot(20.0), window=call("undetermined", 16.0, 20.0), segment=None)
    assert blinking_view(scene(shown=shown)).chance == ""


def test_readouts_carry_units_errors_and_origins() -> None:
    link = replace(live_link(), fluence=Fluence(0, 0, 0.2, 120, "uncalibrated"))
    rate, lifetime, zero, excitation = readouts(replace(scene(), link=link))
    assert (rate.value, rate.unit, rate.error) == ("53.21", "kcps", "± 0.16 kcps")
    assert lifetime.short == "τ 21.36 ± 0.04 ns"
    assert (zero.error, zero.note) == ("± 0.009", "● single <0.11 (99%)")
    assert (excitation.note, excitation.note_ink) == ("uncalibrated", Ink.WARN)
    per_bin = readouts(scene(controls=Controls(per_bin=True)))[0]
    assert per_bin.short == "532.1 ± 1.6 /10 ms"


def test_an_assumed_irf_is_pointed_out() -> None:
    base = snapshot(20.0)
    shown = replace(base, calibration=replace(base.calibration, irf_origin="assumed"))
    assert readouts(scene(shown=shown))[1].note_ink is Ink.WARN


def test_an_alert_keeps_its_name_when_more_becomes_known_of_it() -> None:
    early = scene(shown=replace(snapshot(), conversions=(conversion(None),)))
    late = scene(shown=replace(snapshot(), conversions=(conversion(False),)))
    (first,), (second,) = alerts(early), alerts(late)
    assert first.key == second.key
    assert first.text != second.text
    seen = replace(late, controls=Controls(acknowledged=frozenset({first.key})))
    assert pending(seen) == ()


def test_the_daemons_word_on_conversions_is_not_shown_twice() -> None:
    told = (
        Alert("1", 0, 0, "conversion", "alert", "auger -> bc"),
        Alert("2", 0, 0, "interlock", "alert", "the lid is open"),
        Alert("3", 0, 0, "note", "info", "fine"),
    )
    shown = alerts(replace(scene(), link=replace(live_link(), alerts=told)))
    assert [a.headline for a in shown] == ["CONVERSION", "INTERLOCK"]


def test_link_notes_stand_among_the_events() -> None:
    link = noted(replace(live_link(), stream_s=40.0), "warning", "no sign of life")
    shown = replace(snapshot(20.0), events=(Event(50.0, "loss", "warning", "later"),))
    lines = event_lines(replace(scene(shown=shown), link=link))
    assert [(e.time_s, e.kind) for e in lines] == [(50.0, "loss"), (40.0, "link")]
