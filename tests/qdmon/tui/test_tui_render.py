"""Rasters, axes, digits and text, as golden text where that says it best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem

from qdmon.tui.render.axes import draw_x_axis, draw_y_axis
from qdmon.tui.render.digits import big_width, draw_big
from qdmon.tui.render.dots import DotGrid
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.heat import draw_heat, heat_levels
from qdmon.tui.render.inks import HEAT_LEVELS, INK_COUNT, Ink
from qdmon.tui.render.scale import linear, logarithmic, tick_step
from qdmon.tui.render.series import draw_series, time_grid, visible
from qdmon.tui.render.svg import frame_svg
from qdmon.tui.render.text import as_ascii, cells, clip
from qdmon.tui.render.theme import NIGHT, PALETTES, Look, paints


def drawn(dots: DotGrid, *, ascii_only: bool = False) -> str:
    """A grid as text."""
    height, width = dots.rows // 4, dots.columns // 2
    frame = Frame(width, height)
    frame.paste(frame.rect, dots.codes(ascii_only=ascii_only), 0)
    return str(frame)


def test_a_rising_line_in_braille_and_in_ascii() -> None:
    dots = DotGrid(6, 3)
    dots.line(np.array([0.0, 11.0]), np.array([11.0, 0.0]))
    assert drawn(dots) == "    ⡠⠊\n  ⡠⠊\n⡠⠊"
    assert drawn(dots, ascii_only=True) == "    .'\n  .'\n.'"


def test_a_line_breaks_where_a_value_is_missing() -> None:
    dots = DotGrid(4, 1)
    dots.line(np.array([0.0, 2.0, 3.0, 4.0, 7.0]), np.array([3.0, 3.0, np.nan, 3.0, 3.0]))
    assert dots.dots[3].tolist() == [True, True, True, False, True, True, True, True]


def test_a_blank_cell_is_a_space() -> None:
    assert (DotGrid(3, 2).codes() == ord(" ")).all()


@given(st.floats(1e-9, 1e9), st.integers(1, 20))
def test_ticks_step_by_1_2_or_5_and_are_not_too_many(span: float, most: int) -> None:
    step = tick_step(span, most)
    mantissa = step / 10 ** np.floor(np.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5, 10)) < 1e-6
    assert span / step <= most * (1 + 1e-6)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 12))
def test_a_rounded_axis_holds_its_data_and_ends_on_ticks(low: float, span: float, most: int) -> None:
    scale = linear(low, low + span, most)
    slack = 1e-6 * (abs(low) + span)
    assert scale.low <= low + slack
    assert scale.high >= low + span - slack
    assert scale.ticks[0] == pytest.approx(scale.low, abs=slack)
    assert scale.ticks[-1] == pytest.approx(scale.high, abs=slack)


def test_a_log_axis_ends_on_round_values_and_labels_decades() -> None:
    scale = logarithmic(13.0, 12_700.0, 10)
    assert (scale.low, scale.high) == (10.0, 20_000.0)
    assert [scale.label(t) for t in scale.ticks] == ["10", "100", "1k", "10k"]
    assert logarithmic(30.0, 45.0, 10).ticks == (20.0, 50.0)
    scale = logarithmic(13.0, 8700.0, 10)
    assert scale.fraction(np.array([10.0, 100.0, 10_000.0])) == pytest.approx([0, 1 / 3, 1])
    assert np.isnan(scale.fraction(np.array([0.0]))).all()


def test_axes_as_they_look() -> None:
    frame = Frame(31, 7)
    plot = Rect(6, 0, 25, 5)
    draw_y_axis(frame, plot, linear(0.0, 100.0, 2))
    draw_x_axis(frame, plot, linear(0.0, 25.0, 3, round_ends=False), "ns")
    assert str(frame) == (
        "  100┤\n"
        "     │\n"
        "   50┤\n"
        "     │\n"
        "    0┤\n"
        "     └┬────────┬─────────┬─────\n"
        "      0       10        20   ns"
    )


def test_a_telegraph_is_a_joined_line() -> None:
    grid = time_grid(0.16, 0.16, 0.01, 16)
    counts = np.array([9.0] * 4 + [1.0] * 4 + [9.0] * 8)
    frame = Frame(8, 3)
    draw_series(frame, frame.rect, visible(counts, 0, grid), grid, linear(0.0, 10.0, 2), (1, 2, 3))
    assert str(frame) == "⠒⠒⡆ ⡖⠒⠒⠒\n  ⡇ ⡇\n  ⠧⠤⠇"


def test_levels_a_dot_dwells_in_are_inked_strongest() -> None:
    grid = time_grid(64.0, 64.0, 0.01, 32)
    counts = np.where(np.arange(6400) % 20 == 0, 10.0, 90.0)
    frame = Frame(16, 6)
    draw_series(frame, frame.rect, visible(counts, 0, grid), grid, linear(0.0, 100.0, 2), (1, 2, 3))
    assert set(frame.inks[0].tolist()) == {3}
    assert set(frame.inks[5].tolist()) == {1}


@given(st.floats(0.5, 600.0), st.floats(0.0, 5000.0), st.integers(20, 400))
def test_a_live_trace_scrolls_by_whole_cells(window_s: float, end_s: float, half: int) -> None:
    grid = time_grid(end_s, window_s, 0.01, 2 * half)
    cell_bins = max(1, 2 * grid.bins_per_column // grid.columns_per_bin)
    assert (grid.first_bin + grid.bins) % cell_bins == 0
    assert grid.stop_s >= end_s - 1e-6
    assert grid.bins >= int(window_s / 0.01 - 1e-6)
    assert grid.stop_s - end_s <= cell_bins * 0.01 + 1e-6


def test_bins_outside_the_window_are_left_out() -> None:
    grid = time_grid(0.10, 0.08, 0.01, 8)
    assert visible(np.arange(10.0), 0, grid).tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert np.isnan(visible(np.arange(3.0), 50, grid)).all()


def test_the_heat_map_stands_upright() -> None:
    edges = np.linspace(0.0, 4.0, 5)
    density = np.zeros((4, 4), np.float32)
    density[0, 0] = 1.0  # short lifetime, low intensity: bottom left
    scale = linear(0.0, 4.0, 4)
    levels = heat_levels(density, edges, edges, scale, scale, Rect(0, 0, 4, 2))
    assert levels[-1].tolist() == [HEAT_LEVELS - 1, 0, 0, 0]
    assert levels[:-1].max() == 0
    frame = Frame(4, 2)
    draw_heat(frame, frame.rect, levels, colours=False)
    assert str(frame) == "\n▒"


def test_an_empty_map_has_no_peak_to_divide_by() -> None:
    edges = np.linspace(0.0, 1.0, 3)
    scale = linear(0.0, 1.0, 2)
    nothing = np.zeros((2, 2), np.float32)
    assert heat_levels(nothing, edges, edges, scale, scale, Rect(0, 0, 3, 3)).max() == 0


def test_large_digits() -> None:
    frame = Frame(16, 3)
    assert draw_big(frame, 0, 0, "24.7", Ink.BIG, stop=16) == big_width("24.7") == 16
    assert str(frame) == "▄▀▀▄  ▄█    ▀▀▀█\n  ▄▀ █▄█▄     █\n▄█▄▄   █  ▄  █"


def test_large_text_that_does_not_fit_is_written_small() -> None:
    frame = Frame(10, 3)
    draw_big(frame, 0, 0, "MIXED", Ink.BIG, stop=10)
    assert str(frame) == "\nMIXED\n"


@given(st.text(max_size=40))
def test_no_control_character_survives_in_a_frame(text: str) -> None:
    frame = Frame(30, 1)
    frame.text(0, 0, text)
    line = frame.lines()[0]
    assert line.isprintable()
    assert frame.codes.shape == (1, 30)


@given(st.text(max_size=60), st.integers(0, 30))
def test_clipped_text_fits(text: str, width: int) -> None:
    assert len(cells(clip(text, width))) <= max(width, 0)


def test_wide_characters_keep_what_follows_in_its_column() -> None:
    frame = Frame(8, 1)
    end = frame.text(0, 0, "量子 x")
    assert end == 6
    assert frame.runs(0) == [("量子 x  ", 0)]


def test_ascii_spelling_measures_as_it_is_shown() -> None:
    assert as_ascii("τ 24.7 ± 0.1 ns → bc") == "tau 24.7 +- 0.1 ns -> bc"
    frame = Frame(20, 1, ascii_only=True)
    assert frame.text(0, 0, "τ ±") == frame.measure("τ ±") == 6


def test_only_rows_that_differ_are_changes() -> None:
    before, after = Frame(10, 3), Frame(10, 3)
    after.text(4, 1, "ab")
    assert after.changes(before) == [(1, 4, 6)]
    assert after.changes(after) == []


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
@pytest.mark.parametrize("depth", ["full", "few", "none"])
def test_every_ink_has_a_paint(palette: object, depth: str) -> None:
    found = paints(Look(palette, depth))  # type: ignore[arg-type]
    assert len(found) == INK_COUNT
    if depth == "none":
        assert all(p.foreground is None and p.background is None for p in found)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
def test_heat_levels_stay_apart_in_256_colours(palette: object) -> None:
    heat = palette.heat  # type: ignore[attr-defined]
    numbers = {Color.parse(c).downgrade(ColorSystem.EIGHT_BIT).number for c in heat}
    assert len(numbers) >= 8


def test_blinking_types_have_colours_of_their_own_in_256() -> None:
    names = ("auger", "bc", "mixed", "hc", "none")
    assert len({Color.parse(NIGHT.colours[n]).downgrade(ColorSystem.EIGHT_BIT).number for n in names}) == 5


def test_a_picture_is_well_formed_and_keeps_text_as_text() -> None:
    from xml.etree import ElementTree

    frame = Frame(12, 2)
    frame.text(0, 0, "<N> & τ ⣿█─")
    svg = frame_svg(frame, paints(Look()), "#000000", "#ffffff", 'a "title" <x>')
    root = ElementTree.fromstring(svg)
    words = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["<N>", "&", "τ"]
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
