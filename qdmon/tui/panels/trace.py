"""Intensity and mean arrival time against time, with fluence steps, losses, verdicts and conversions."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.blinking import Blinking
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.panels.box import centred, panel_box
from qdmon.tui.render.axes import LABEL_CELLS, draw_x_axis, draw_y_axis
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.render.scale import linear
from qdmon.tui.render.series import TimeGrid, draw_series, time_grid, visible
from qdmon.tui.view.blinking import BLINKING_INKS
from qdmon.tui.view.numbers import plain, probability, seconds
from qdmon.tui.view.scene import Controls, Scene

__all__ = ["paint_trace", "trace_end_s"]

FloatArray = NDArray[np.float64]

INTENSITY_INKS = (Ink.TRACE_LOW, Ink.TRACE_MID, Ink.TRACE_HIGH)
ARRIVAL_INKS = (Ink.ARRIVAL_LOW, Ink.ARRIVAL_MID, Ink.ARRIVAL_HIGH)

_ARRIVAL_FROM_ROWS = 10
"""With fewer rows than this the intensity needs them all."""


def trace_end_s(snapshot: Snapshot, controls: Controls) -> float:
    """Time at the right edge: the newest bin, or as far before it as the user scrolled.

    A run shorter than the window fills it from the left.
    """
    trace = snapshot.trace
    newest = trace.start_s + len(trace.counts) * trace.bin_s
    return max(newest - controls.back_s, trace.start_s + controls.window_s)


def paint_trace(frame: Frame, scene: Scene) -> None:
    """The trace panel."""
    controls = scene.controls
    snapshot = scene.snapshot
    unit = "kcps" if snapshot is None or not controls.per_bin else "counts per bin"
    title = f"intensity, {unit}"
    legend: list[tuple[str, int]] = []
    if snapshot is not None:
        legend = [(f"{1e3 * snapshot.trace.bin_s:g} ms bins, {controls.window_s:g} s", Ink.MUTED)]
        if controls.back_s > 0:
            legend.insert(0, (f"◆ {seconds(controls.back_s)} back  ", Ink.WARN))
    inner = panel_box(frame, scene, "trace", title, legend)
    if snapshot is None or len(snapshot.trace.counts) == 0:
        centred(frame, inner, [("no photons yet", Ink.MUTED)])
        return
    if inner.height < 5 or inner.width < 20:
        return
    ribbon = 1 if inner.height >= 9 else 0
    body = inner.inset(0, 0, 0, ribbon + 2)
    grid = time_grid(
        trace_end_s(snapshot, controls),
        controls.window_s,
        snapshot.trace.bin_s,
        2 * (body.width - LABEL_CELLS),
    )
    has_arrival = snapshot.acquisition.mode == "T3" and body.height >= _ARRIVAL_FROM_ROWS
    lower_rows = max(4, 2 * body.height // 5) if has_arrival else 0
    upper = Rect(body.x + LABEL_CELLS, body.y, body.width - LABEL_CELLS, body.height - lower_rows)
    _draw_intensity(frame, upper, snapshot, grid, per_bin=controls.per_bin)
    if has_arrival:
        _draw_arrival(frame, Rect(upper.x, upper.bottom + 1, upper.width, lower_rows - 1), snapshot, grid)
    if ribbon:
        _draw_ribbon(frame, Rect(upper.x, body.bottom, upper.width, 1), snapshot, grid)
    whole = Rect(upper.x, body.y, upper.width, body.height)
    _draw_lost(frame, whole, snapshot, grid)
    _draw_steps(frame, whole, snapshot, grid)
    if has_arrival:
        frame.text(body.x, upper.bottom, "mean arrival, ns", Ink.MUTED)
    time_axis = linear(grid.start_s, grid.stop_s, max(2, upper.width // 12), round_ends=False)
    draw_x_axis(frame, whole._replace(height=whole.height + ribbon), time_axis, "s")


def _first_bin(snapshot: Snapshot) -> int:
    return round(snapshot.trace.start_s / snapshot.trace.bin_s)


def _draw_intensity(frame: Frame, plot: Rect, snapshot: Snapshot, grid: TimeGrid, *, per_bin: bool) -> None:
    trace = snapshot.trace
    counts = np.where(trace.lost, np.nan, trace.counts.astype(np.float64))
    shown = visible(counts, _first_bin(snapshot), grid)
    if not per_bin:
        shown = shown / trace.bin_s * 1e-3
    scale = linear(0.0, float(np.nanmax(shown, initial=0.0)) or 1.0, max(4, plot.height // 3))
    draw_y_axis(frame, plot, scale)
    draw_series(frame, plot, shown, grid, scale, INTENSITY_INKS)


def _draw_arrival(frame: Frame, plot: Rect, snapshot: Snapshot, grid: TimeGrid) -> None:
    """The mean arrival time: how it falls with the intensity is what tells the blinking types apart."""
    arrival = np.where(snapshot.trace.lost, np.nan, snapshot.trace.arrival_ns.astype(np.float64))
    shown = visible(arrival, _first_bin(snapshot), grid)
    known = shown[np.isfinite(shown)]
    # A few bins of background make wild arrival times; they may leave the plot, not set its range.
    top = float(np.percentile(known, 99)) if len(known) else 1.0
    scale = linear(0.0, max(top, 1.0), max(2, plot.height // 2))
    shown = np.where((shown < scale.low) | (shown > scale.high), np.nan, shown)
    draw_y_axis(frame, plot, scale)
    draw_series(frame, plot, shown, grid, scale, ARRIVAL_INKS)


def _draw_lost(frame: Frame, plot: Rect, snapshot: Snapshot, grid: TimeGrid) -> None:
    """Hatch the cells whose time overlaps a loss: there the absence of photons means nothing."""
    lost = visible(snapshot.trace.lost.astype(np.float64), _first_bin(snapshot), grid)
    stretched = np.repeat(lost, grid.columns_per_bin)
    usable = len(stretched) - len(stretched) % (2 * grid.bins_per_column)
    cells = np.fmax.reduce(stretched[:usable].reshape(-1, 2 * grid.bins_per_column), axis=1) > 0
    for column in np.flatnonzero(cells).tolist():
        frame.fill(Rect(plot.x + column, plot.y, 1, plot.height), "░", Ink.LOST)


def _draw_steps(frame: Frame, plot: Rect, snapshot: Snapshot, grid: TimeGrid) -> None:
    """Fluence steps and conversions as vertical lines with their label at the top."""
    for step in snapshot.fluence_steps:
        text = "<N> ?" if step.mean_excitation is None else f"<N> {plain(step.mean_excitation, 2)}"
        _draw_mark(frame, plot, grid.cell(step.start_s), "┆", text, Ink.STEP, 0)
    for conversion in snapshot.conversions:
        text = f"▼ {conversion.before} → {conversion.after}"
        _draw_mark(frame, plot, grid.cell(conversion.time_s), "│", text, Ink.CONVERSION, 1)


def _draw_mark(frame: Frame, plot: Rect, column: int, glyph: str, text: str, ink: Ink, row: int) -> None:
    if not 0 <= column < plot.width:
        return
    x = plot.x + column
    frame.fill(Rect(x, plot.y + row, 1, plot.height - row), glyph, ink)
    if x + 1 + frame.measure(text) <= plot.right:
        frame.text(x + 1, plot.y + row, text, ink)
    else:
        frame.text_right(x, plot.y + row, text, ink)


def _draw_ribbon(frame: Frame, row: Rect, snapshot: Snapshot, grid: TimeGrid) -> None:
    """The verdict on every stretch of constant fluence, under the photons it was reached from."""
    frame.text_right(row.x - 1, row.y, "type", Ink.MUTED)
    for start_s, stop_s, blinking, chance in _verdicts(snapshot):
        first, stop = max(0, grid.cell(start_s)), min(row.width, grid.cell(stop_s))
        if stop - first < 1:
            continue
        ink = Ink[f"{BLINKING_INKS[blinking].name}_BAR"]
        frame.fill(Rect(row.x + first, row.y, stop - first, 1), " ", ink)
        frame.text(row.x + first, row.y, f" {blinking} {chance}", ink, stop=row.x + stop)
        frame.text(row.x + stop - 1, row.y, " ", Ink.TEXT)


def _verdicts(snapshot: Snapshot) -> Iterator[tuple[float, float, Blinking, str]]:
    """Start, stop, type and probability of each fluence; in two parts where the dot converted inside it."""
    for result in snapshot.segments:
        start_s = result.start_s
        for conversion in snapshot.conversions:
            if start_s < conversion.time_s < result.stop_s:
                yield start_s, conversion.time_s, conversion.before, ""
                start_s = conversion.time_s
        call = result.call
        chance = "" if call.blinking == "undetermined" else probability(call.probabilities.get(call.blinking))
        yield start_s, min(result.stop_s, snapshot.time_s), call.blinking, chance
