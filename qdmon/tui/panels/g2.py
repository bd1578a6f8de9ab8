"""Coincidences against delay: the peak at zero stands apart from its neighbours."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.panels.box import centred, panel_box
from qdmon.tui.render.axes import draw_x_axis, draw_y_axis, plot_rect
from qdmon.tui.render.dots import DotGrid
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.render.scale import linear
from qdmon.tui.view.numbers import with_error
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["half_level", "paint_g2"]

FloatArray = NDArray[np.float64]

# Columns of the title, its number and the frame around.
TITLE_ROOM = 28


def paint_g2(frame: Frame, scene: Scene) -> None:
    """The g2 panel."""
    snapshot = scene.snapshot
    legend = _legend(frame, snapshot.g2) if snapshot is not None and len(snapshot.g2.delay_ns) else []
    inner = panel_box(frame, scene, "g2", "g², coincidences", legend)
    plot = plot_rect(inner)
    if snapshot is None or len(snapshot.g2.delay_ns) < 2 or not snapshot.g2.coincidences.any():
        centred(frame, inner, [("no coincidences yet", Ink.MUTED)])
        return
    if plot.height >= 2 and plot.width >= 10:
        _draw(frame, plot, snapshot)


def _legend(frame: Frame, g2: G2) -> list[tuple[str, int]]:
    """g2(0), and as much of where it comes from as there is room for."""
    legend = [(f"● g²(0) {with_error(g2.zero)}", int(Ink.ZERO))]
    more = []
    if g2.gated_zero.value is not None:
        more.append(f"behind {g2.gate_ns:g} ns {with_error(g2.gated_zero)}  ")
    sigma = g2.delay_significance
    clear = f", {sigma:.0f}σ" if sigma is not None and g2.delay_origin == "missing peak" else ""
    more.append(f"delay {g2.detector_delay_ns:.2f} ns ({clean_text(g2.delay_origin)}{clear})  ")
    for text in more:
        if sum(frame.measure(part) for part in (text, *(t for t, _ in legend))) > frame.width - TITLE_ROOM:
            break
        legend.insert(0, (text, int(Ink.MUTED)))
    return legend


def half_level(g2: G2, period_ns: float) -> float | None:
    """Height in counts that a zero peak of g2(0) = 0.5 would have, from the shape of the near side peaks.

    The side peaks 2 to 10 periods away are laid over each other; None if there are none.
    """
    order = np.rint(g2.delay_ns / period_ns)
    near = (np.abs(order) >= 2) & (np.abs(order) <= 10)
    if not near.any():
        return None
    width = float(np.median(np.diff(g2.delay_ns)))
    phase = np.rint((g2.delay_ns[near] - order[near] * period_ns) / width).astype(np.int64)
    phase -= phase.min()
    total = np.bincount(phase, weights=g2.coincidences[near].astype(np.float64))
    bins = np.bincount(phase)
    return 0.5 * float((total / np.maximum(bins, 1)).max())


def _draw(frame: Frame, plot: Rect, snapshot: Snapshot) -> None:
    g2, period_ps = snapshot.g2, snapshot.acquisition.pulse_period_ps
    period_ns = None if period_ps is None else period_ps * 1e-3
    half_bin = float(np.median(np.diff(g2.delay_ns))) / 2
    x = linear(
        float(g2.delay_ns[0]) - half_bin,
        float(g2.delay_ns[-1]) + half_bin,
        plot.width // 12,
        round_ends=False,
    )
    y = linear(0.0, float(g2.coincidences.max()), max(2, plot.height // 3))
    draw_y_axis(frame, plot, y)
    draw_x_axis(frame, plot, x, "ns")
    half = half_level(g2, period_ns) if period_ns else None
    row = plot.y
    if half is not None and half <= y.high:
        row = plot.y + int(y.rows(np.array([half]), 4 * plot.height)[0] // 4)
        frame.fill(Rect(plot.x, row, plot.width, 1), "╌", Ink.REFERENCE)
    dots = DotGrid(plot.width, plot.height)
    highest = _highest(g2, x.low, x.high, dots.columns)
    rows = y.rows(np.where(highest > 0, highest, np.nan), dots.rows)
    dots.bars(rows, np.where(np.isnan(rows), np.nan, dots.rows - 1.0))
    centre = (np.arange(plot.width) + 0.5) / plot.width * (x.high - x.low) + x.low
    near_zero = np.abs(centre) < (period_ns / 2 if period_ns else 4 * half_bin)
    inks = np.broadcast_to(np.where(near_zero, int(Ink.ZERO), int(Ink.SIDE)), (plot.height, plot.width))
    frame.paste(plot, dots.codes(ascii_only=frame.ascii_only), inks)
    if half is not None and half <= y.high:
        frame.text_right(plot.right, row, " half ", Ink.REFERENCE)


def _highest(g2: G2, low: float, high: float, columns: int) -> FloatArray:
    """(columns,) the largest count of the bins a dot column touches, each bin drawn as wide as it is."""
    edges = np.linspace(low, high, columns + 1)
    width = float(np.median(np.diff(g2.delay_ns)))
    lower = g2.delay_ns - width / 2
    first = np.clip(np.searchsorted(lower, edges[:-1], side="right") - 1, 0, len(lower) - 1)
    last = np.clip(np.searchsorted(lower, edges[1:], side="left") - 1, 0, len(lower) - 1)
    highest = np.zeros(columns)
    for offset in range(int((last - first).max(initial=0)) + 1):
        index = np.minimum(first + offset, np.maximum(last, first))
        np.maximum(highest, g2.coincidences[index], out=highest)
    return highest
