"""Panels draw any scene at any size, and say the truth in words where colour may be missing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import Loss, LossCause
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.panels import PAINTERS
from qdmon.tui.panels.g2 import half_level
from qdmon.tui.panels.trace import trace_end_s
from qdmon.tui.render.frame import Frame
from qdmon.tui.render.inks import INK_COUNT, Ink
from qdmon.tui.render.theme import Look
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.scene import PANELS, WINDOWS_S, Controls, Layout, Scene
from tests.qdmon.tui.builders import call, conversion, empty_snapshot, g2, live_link, scene, snapshot

LAYOUTS: tuple[Layout, ...] = ("wide", "compact", "numbers", "row", "message")

SNAPSHOTS: dict[str, Snapshot | None] = {
    "none": None,
    "empty": empty_snapshot(),
    "undetermined": snapshot(3.0, blinking="undetermined", converted=False),
    "full": snapshot(64.0),
}


def painted(panel: str, shown: Scene, width: int, height: int) -> str:
    """The text of a panel."""
    frame = Frame(width, height, ascii_only=shown.look.ascii_only)
    PAINTERS[panel](frame, shown)
    return str(frame)


@settings(max_examples=150, deadline=None)
@given(
    panel=st.sampled_from(sorted(PAINTERS)),
    layout=st.sampled_from(LAYOUTS),
    which=st.sampled_from(sorted(SNAPSHOTS)),
    width=st.integers(0, 210),
    height=st.integers(0, 40),
    window_s=st.sampled_from(WINDOWS_S),
    ascii_only=st.booleans(),
)
def test_every_panel_draws_every_scene_at_every_size(
    panel: str, layout: Layout, which: str, width: int, height: int, window_s: float, ascii_only: bool
) -> None:
    shown = SNAPSHOTS[which]
    controls = Controls(window_s=window_s)
    link = live_link() if shown else LinkState()
    look = Look(ascii_only=ascii_only)
    frame = Frame(width, height, ascii_only=ascii_only)
    PAINTERS[panel](frame, Scene(shown, shown, link, controls, layout, look))
    assert frame.codes.shape == (height, width)
    assert int(frame.inks.max(initial=0)) < INK_COUNT
    if ascii_only:
        assert str(frame).isascii()


def test_the_trace_marks_fluence_conversion_loss_and_verdicts() -> None:
    text = painted("trace", scene(controls=Controls(window_s=60.0)), 140, 20)
    assert "<N> 1.4" in text
    assert "▼ auger → bc" in text
    assert "░" in text
    assert "auger 0.97" in text
    assert "bc 0.97" in text
    assert "mean arrival, ns" in text


def test_the_trace_can_count_per_bin_as_the_paper_does() -> None:
    shown = snapshot(20.0)
    per_bin = painted("trace", scene(shown=shown, controls=Controls(per_bin=True)), 100, 20)
    assert "counts per bin" in per_bin
    assert "1000┤" in per_bin  # 760 counts in 10 ms
    assert "100┤" in painted("trace", scene(shown=shown), 100, 20)  # 76 kcps


def test_a_run_shorter_than_the_window_fills_it_from_the_left() -> None:
    assert trace_end_s(snapshot(5.0), Controls(window_s=30.0)) == 30.0


def test_scrolling_back_ends_at_the_first_photon() -> None:
    assert trace_end_s(snapshot(60.0), Controls(window_s=30.0, back_s=10.0)) == pytest.approx(50.0)
    assert trace_end_s(snapshot(60.0), Controls(window_s=30.0, back_s=1e6)) == pytest.approx(30.0)


def test_an_ordinary_wide_terminal_shows_the_verdict_large_with_its_probability() -> None:
    rows = painted("readouts", scene(shown=snapshot(20.0)), 200, 7).splitlines()
    assert rows[1].startswith("│ ▄▀▀▄ █  █ ▄▀▀▀ █▀▀▀ █▀▀▄")  # AUGER
    assert "auger 0.97" in rows[4]
    assert "Auger share 0.983 ± 0.012" in rows[5]
    assert "● single <0.11 (99%)" in rows[5]


@pytest.mark.parametrize(
    ("width", "height", "layout"), [(200, 7, "wide"), (80, 4, "compact"), (50, 14, "numbers")]
)
def test_undetermined_comes_with_its_reason(width: int, height: int, layout: Layout) -> None:
    shown = replace(snapshot(3.0, blinking="undetermined", converted=False), segment=None)
    text = painted("readouts", replace(scene(layout, shown), look=Look(ascii_only=True)), width, height)
    assert "undetermined" in text.lower()
    assert "no dim dwell in the window yet" in text


def test_numbers_that_are_not_known_are_dashes_not_zeros() -> None:
    shown = replace(snapshot(20.0), rate_cps=Estimate(None), lifetime_ns=Estimate(None))
    text = painted("readouts", scene("numbers", shown), 50, 14)
    assert "τ --" in text
    assert "kcps" not in text


def test_a_silent_daemon_is_said_large_and_the_numbers_fade() -> None:
    silent = replace(scene("compact"), link=live_link(silent_s=12.0))
    frame = Frame(80, 4)
    PAINTERS["readouts"](frame, silent)
    rate = str(frame).splitlines()[0].index("53.21")
    assert frame.inks[0, rate] == Ink.STALE
    banner = painted("banner", silent, 80, 1)
    assert "NO DATA since 12 s: daemon silent" in banner
    assert "laser UNKNOWN: assume ON" in banner


@pytest.mark.parametrize(
    ("reversible", "words"),
    [(None, "reversible? not yet known"), (True, "reversible"), (False, "IRREVERSIBLE")],
)
def test_the_banner_tells_the_conversion_in_words(reversible: bool | None, words: str) -> None:
    shown = replace(snapshot(), conversions=(conversion(reversible),))
    text = painted("banner", scene(shown=shown), 200, 5)
    assert "auger → bc  at 31.4 ± 0.2 s  <N> 0.20 → 1.4  p 0.99" in text
    assert words in text


def test_the_whole_conversion_fits_80_columns() -> None:
    for reversible in (None, True, False):
        shown = replace(snapshot(), conversions=(conversion(reversible),))
        assert "…" not in painted("banner", scene("compact", shown), 80, 1)


def test_the_peak_at_zero_delay_is_inked_apart_from_its_neighbours() -> None:
    frame = Frame(110, 16)
    PAINTERS["g2"](frame, scene())
    row = frame.inks[frame.height - 4]
    columns = np.flatnonzero(row == Ink.ZERO)
    middle = (6 + 1 + frame.width - 3) / 2
    assert abs(columns.mean() - middle) < 3
    assert (row == Ink.SIDE).sum() > 4 * len(columns)


def test_the_g2_caption_says_as_much_of_its_origin_as_there_is_room_for() -> None:
    gated = replace(g2(), gated_zero=Estimate(0.004, 0.003), gate_ns=5.5, delay_origin="missing peak")
    shown = scene(shown=replace(snapshot(), g2=replace(gated, delay_significance=31.2)))
    wide = painted("g2", shown, 130, 16)
    assert "behind 5.5 ns 0.004 ± 0.003" in wide
    assert "(missing peak, 31σ)" in wide
    narrow = painted("g2", shown, 60, 16)
    assert "g²(0)" in narrow
    assert "missing peak" not in narrow


def test_half_of_the_side_peaks_is_where_a_pair_of_emitters_would_be() -> None:
    assert half_level(g2(), 200.0) == pytest.approx(90.0, rel=0.1)  # side peaks of 180 counts
    far = replace(g2(), delay_ns=np.array([-4.0, 0.0, 4.0]), coincidences=np.array([1, 2, 3]))
    assert half_level(far, 200.0) is None


def test_the_g2_panel_counts_in_laser_pulses_whatever_clock_the_card_has() -> None:
    acquisition = snapshot().acquisition
    assert acquisition.laser_period_ps is None
    own_clock = replace(acquisition, macro_tick_ps=50_000.0, laser_period_ps=acquisition.macro_tick_ps)
    shown = scene(shown=replace(snapshot(), acquisition=own_clock))
    usual, here = Frame(110, 16), Frame(110, 16)
    PAINTERS["g2"](usual, scene())
    PAINTERS["g2"](here, shown)
    assert (here.inks == usual.inks).all()
    assert (here.codes == usual.codes).all()


def test_two_emitters_are_called_so() -> None:
    shown = replace(snapshot(), g2=replace(g2(0.7), single_emitter=False))
    assert "▲ NOT single" in painted("readouts", scene(shown=shown), 200, 7)


@pytest.mark.parametrize("panel", ["decay", "flid"])
def test_t2_data_say_why_there_is_no_lifetime(panel: str) -> None:
    empty = empty_snapshot()
    shown = replace(empty, acquisition=replace(empty.acquisition, mode="T2"))
    assert "T2 data have no" in painted(panel, scene(shown=shown), 80, 16)


def test_decay_counts_can_be_linear() -> None:
    assert "10k┤" in painted("decay", scene(), 90, 16)
    assert "0┤" in painted("decay", scene(controls=Controls(log_decay=False)), 90, 16)


@pytest.mark.parametrize("size", [(80, 18), (99, 20)])
def test_the_decay_says_how_many_exponentials_their_mean_and_how_well_they_fit(size: tuple[int, int]) -> None:
    head = painted("decay", scene(), *size).splitlines()[0]
    assert "2 exp <τ> 20.76 ± 0.04 ns χ² 1.04" in head
    assert ("IRF rising edge" in head) == (size[0] == 99)


def test_a_decay_panel_with_room_says_what_the_numbers_lean_on() -> None:
    shown = painted("decay", scene(), 120, 32)
    assert "background ch0 150, ch1 150 cps (dark stretch)" in shown
    assert "time zero ch0 4.000, ch1 4.600 ns (rising edge)" in shown
    assert "background ch0" not in painted("decay", scene(), 120, 20)


def test_the_flid_curve_is_named_and_drawn_on_the_map() -> None:
    frame = Frame(80, 18)
    PAINTERS["flid"](frame, scene(shown=snapshot(20.0)))
    assert "Eq. 1 (Auger)" in str(frame)
    braille = (frame.codes >= 0x2800) & (frame.codes < 0x2900)
    assert braille.sum() > 15
    plain = painted("flid", replace(scene(), look=Look(depth="none")), 80, 18)
    assert "oooo" in plain
    assert "░" in plain


def test_events_are_newest_first() -> None:
    rows = painted("events", scene(), 100, 8).splitlines()[1:-1]
    times = [float(row.split()[1]) for row in rows if " s " in row]
    assert times == sorted(times, reverse=True)


def test_steps_stand_side_by_side() -> None:
    rows = painted("steps", scene(), 100, 7).splitlines()
    assert "auger 0.97" in rows[2]
    assert "bc 0.97" in rows[3]
    assert "1.40" in rows[3]


def test_a_rate_of_blinking_is_shown_with_its_whole_error() -> None:
    shown = snapshot()
    first = replace(shown.segments[0], blinking_rate_hz=Estimate(1.86, 0.19))
    rows = painted("steps", scene(shown=replace(shown, segments=(first,))), 100, 7)
    assert "1.86 ± 0.19" in rows


HOSTILE = "\x1b]0;owned\x07[bold]\u202eabc[@click=app.quit]\x9b31m"


def test_text_from_outside_reaches_the_screen_harmless_and_literal() -> None:
    shown = replace(
        snapshot(),
        events=(Event(1.0, "marker", "info", HOSTILE),),
        window=replace(call("undetermined", 0, 4), reason=HOSTILE),
        segment=None,
        calibration=replace(snapshot().calibration, irf_origin=HOSTILE, warnings=(HOSTILE,)),
    )
    link = live_link()
    assert link.session is not None
    hostile = replace(scene(shown=shown), link=replace(link, session=replace(link.session, title=HOSTILE)))
    for panel in PAINTERS:
        for layout in LAYOUTS:
            text = painted(panel, replace(hostile, layout=layout), 200, 7)
            assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "[bold]" in painted("events", hostile, 200, 7)
    assert "[@click=app.quit]" in painted("header", hostile, 200, 1)


def test_a_loss_just_now_turns_health_to_loss() -> None:
    rate = 5_000_000
    loss = Loss(63 * rate, int(63.5 * rate), LossCause.SYNC_LOST)
    text = painted("readouts", scene("numbers", replace(snapshot(), losses=(loss,))), 50, 14)
    assert "■ LOSS: sync lost" in text


@pytest.mark.parametrize(
    ("panel", "width", "height", "layout"),
    [("header", 200, 1, "wide"), ("readouts", 200, 7, "wide"), ("readouts", 80, 4, "compact")],
)
def test_a_guessed_calibration_is_pointed_out(panel: str, width: int, height: int, layout: Layout) -> None:
    base = snapshot(20.0)
    warned = replace(base, calibration=replace(base.calibration, warnings=("background assumed 0",)))
    assert "▲ background assumed 0" in painted(panel, scene(layout, warned), width, height)


def test_large_digits_give_up_decimals_that_do_not_fit_and_the_line_below_keeps_them() -> None:
    shown = replace(snapshot(20.0), lifetime_ns=Estimate(19.2993, 0.0101))
    rows = painted("readouts", scene(shown=shown), 200, 7).splitlines()
    assert "19.299 ± 0.010 ns" in rows[4]
    assert "19.299" not in rows[2]


def test_each_panel_answers_to_its_number() -> None:
    for number, panel in enumerate(PANELS, start=1):
        assert painted(panel, scene(), 80, 12).splitlines()[0].startswith(f"╭─ {number} ")
