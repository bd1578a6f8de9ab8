"""The lifetime-intensity distribution with the model curve of the verdict over it."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.intensity import FlidMap
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.panels.box import centred, panel_box
from qdmon.tui.render.axes import draw_x_axis, draw_y_axis, plot_rect
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.heat import draw_curve, draw_heat, heat_levels
from qdmon.tui.render.inks import Ink
from qdmon.tui.render.scale import Scale, linear
from qdmon.tui.view.blinking import primary_call
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["paint_flid"]

FloatArray = NDArray[np.float64]

_MATTERS = 2e-3
"""Share of the peak below which a row or column of the map does not widen the axes."""


def paint_flid(frame: Frame, scene: Scene) -> None:
    """The FLID panel."""
    snapshot = scene.snapshot
    flid = snapshot.flid if snapshot is not None else None
    legend: list[tuple[str, int]] = []
    if flid is not None and flid.curve:
        sign = "━" if scene.look.heat_colours else "o"
        legend = [(f"{sign} {clean_text(flid.curve)}", Ink.TITLE)]
    inner = panel_box(frame, scene, "flid", "FLID, kcps against ns", legend)
    plot = plot_rect(inner)
    if snapshot is None or flid is None or not flid.density.any():
        t2 = snapshot is not None and snapshot.acquisition.mode == "T2"
        centred(frame, inner, [("T2 data have no lifetimes" if t2 else "no FLID yet", Ink.MUTED)])
        return
    if plot.height >= 3 and plot.width >= 10:
        _draw(frame, plot, snapshot, colours=scene.look.heat_colours)


def _axes(flid: FlidMap, plot: Rect) -> tuple[Scale, Scale]:
    """From zero to where the distribution ends, on round values so that the axes stay put."""
    across, along = flid.density.max(axis=0), flid.density.max(axis=1)
    peak = float(flid.density.max())
    last_x = int(np.flatnonzero(across > _MATTERS * peak)[-1])
    last_y = int(np.flatnonzero(along > _MATTERS * peak)[-1])
    return (
        linear(0.0, float(flid.lifetime_edges_ns[last_x + 1]), max(2, plot.width // 8)),
        linear(0.0, 1e-3 * float(flid.intensity_edges_cps[last_y + 1]), max(2, plot.height // 3)),
    )


def _draw(frame: Frame, plot: Rect, snapshot: Snapshot, *, colours: bool) -> None:
    flid = snapshot.flid
    x, y = _axes(flid, plot)
    draw_y_axis(frame, plot, y)
    draw_x_axis(frame, plot, x, "ns")
    levels = heat_levels(flid.density, flid.lifetime_edges_ns, 1e-3 * flid.intensity_edges_cps, x, y, plot)
    draw_heat(frame, plot, levels, colours=colours)
    if len(flid.curve_lifetime_ns) > 1:
        columns = x.columns(flid.curve_lifetime_ns, 2 * plot.width)
        rows = y.rows(1e-3 * flid.curve_intensity_cps, 4 * plot.height, clip=False)
        draw_curve(frame, plot, levels, columns, rows, colours=colours)
    call, _ = primary_call(snapshot)
    for number, state in enumerate(call.states, start=1):
        tau, intensity = state.lifetime_ns.value, state.intensity_cps.value
        if tau is None or intensity is None:
            continue
        column = int(x.columns(np.array([tau]), 2 * plot.width)[0] // 2)
        row = int(y.rows(np.array([1e-3 * intensity]), 4 * plot.height)[0] // 4)
        if 0 <= column < plot.width:
            frame.text(plot.x + column, plot.y + row, str(number), Ink.STATE)
