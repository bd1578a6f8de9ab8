"""TCSPC histograms of the detectors with the fit over them."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.decay_fit import Decay
from qdmon.summary import calibration_lines
from qdmon.tui.panels.box import centred, panel_box
from qdmon.tui.render.axes import draw_x_axis, draw_y_axis, plot_rect
from qdmon.tui.render.dots import DotGrid
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.render.scale import Scale, linear, logarithmic
from qdmon.tui.view.numbers import with_error
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["paint_decay"]

FloatArray = NDArray[np.float64]

_CHANNEL_INKS = (Ink.FIRST, Ink.SECOND)
# Number of the panel, spaces and corners beside the title.
TITLE_EXTRA = 10
# A panel this high has room for what the numbers lean on.
CALIBRATION_FROM_ROWS = 24


def paint_decay(frame: Frame, scene: Scene) -> None:
    """The decay panel."""
    decay = scene.snapshot.decay if scene.snapshot is not None else None
    title = "decay, counts (log)" if scene.controls.log_decay else "decay, counts"
    origin = clean_text(scene.snapshot.calibration.irf_origin) if scene.snapshot is not None else ""
    room = frame.width - len(title) - TITLE_EXTRA
    inner = panel_box(frame, scene, "decay", title, _legend(frame, decay, origin, room))
    plot = plot_rect(_calibration(frame, scene, inner))
    if decay is None or len(decay.time_ns) < 2 or not any(c.any() for c in decay.counts.values()):
        t2 = scene.snapshot is not None and scene.snapshot.acquisition.mode == "T2"
        centred(frame, inner, [("T2 data have no arrival times" if t2 else "no decay yet", Ink.MUTED)])
        return
    if plot.height < 2 or plot.width < 10:
        return
    x, y = _axes(decay, plot, log=scene.controls.log_decay)
    draw_y_axis(frame, plot, y)
    draw_x_axis(frame, plot, x, "ns")
    everything = DotGrid(plot.width, plot.height)
    for i, channel in enumerate(sorted(decay.counts)):
        dots = DotGrid(plot.width, plot.height)
        _scatter(dots, decay.time_ns, decay.counts[channel].astype(np.float64), x, y)
        frame.paste(plot, dots.codes(ascii_only=frame.ascii_only), int(_CHANNEL_INKS[i % 2]))
        everything.dots |= dots.dots
    for model in decay.model.values():
        dots = DotGrid(plot.width, plot.height)
        rows = y.rows(np.where(model < y.low, np.nan, model), dots.rows)
        dots.line(x.columns(decay.time_ns, dots.columns), rows)
        # The fit colours its cells but does not hide the data in them.
        crossed = dots.codes() != ord(" ")
        everything.dots |= dots.dots
        codes = np.where(crossed, everything.codes(ascii_only=frame.ascii_only), np.uint32(ord(" ")))
        frame.paste(plot, codes, int(Ink.MODEL))


def _calibration(frame: Frame, scene: Scene, inner: Rect) -> Rect:
    """Background, time zero and the rest with errors and origins below the plot; the room that is left."""
    if scene.snapshot is None or inner.height < CALIBRATION_FROM_ROWS:
        return inner
    lines = calibration_lines(scene.snapshot.calibration)
    for i, line in enumerate(lines):
        frame.text(inner.x, inner.bottom - len(lines) + i, clean_text(line), Ink.MUTED, stop=inner.right)
    return inner.inset(0, 0, 0, len(lines))


def _legend(frame: Frame, decay: Decay | None, origin: str, room: int) -> list[tuple[str, int]]:
    """Detectors and what the fit says, the most that fits: where the pulse is from goes first."""
    if decay is None:
        return []
    channels = [(f"● ch{c}  ", int(_CHANNEL_INKS[i % 2])) for i, c in enumerate(sorted(decay.counts))]
    if not decay.model:
        return channels
    irf = (f"IRF {origin}  ", int(Ink.MUTED))
    plain = (f"● fit τ {with_error(decay.lifetime_ns, 'ns')}", int(Ink.MODEL))
    choices = [[irf, *channels, plain], [*channels, plain]]
    if decay.fit is not None:
        number = len(decay.fit.components)
        mean = with_error(decay.fit.intensity_mean_ns, "ns")
        fit = (f"● {number} exp <τ> {mean} ", int(Ink.MODEL))
        ink = int(Ink.MUTED if decay.fit.adequate else Ink.WARN)
        goodness = (f"χ² {decay.fit.chi2_reduced:.2f}", ink)
        choices = [[irf, *channels, fit, goodness], [*channels, fit, goodness], [fit, goodness], *choices]
    fitting = (c for c in choices if sum(frame.measure(text) for text, _ in c) <= room)
    return next(fitting, choices[-1])


def _axes(decay: Decay, plot: Rect, *, log: bool) -> tuple[Scale, Scale]:
    """Time over the whole histogram; counts from the smallest that matters, on a log axis, or from 0."""
    step = float(decay.time_ns[1] - decay.time_ns[0])
    x = linear(float(decay.time_ns[0]), float(decay.time_ns[-1]) + step, plot.width // 10, round_ends=False)
    peak = float(max(c.max() for c in decay.counts.values()))
    if not log:
        return x, linear(0.0, peak, max(2, plot.height // 3))
    positive = np.concatenate([c[c > 0] for c in decay.counts.values()])
    floor = float(np.percentile(positive, 2)) if len(positive) else 1.0
    return x, logarithmic(min(floor, peak / 10.0), peak, max(1, plot.height // 3))


def _scatter(dots: DotGrid, time_ns: FloatArray, counts: FloatArray, x: Scale, y: Scale) -> None:
    """Each dot column from its lowest to its highest bin; empty bins have no place on a log axis."""
    column = np.rint(x.columns(time_ns, dots.columns)).astype(np.int64)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    shown = np.where((counts <= 0) | (counts < y.low), np.nan, counts) if y.log else counts
    rows = y.rows(shown, dots.rows)
    top, bottom = np.full(dots.columns, np.nan), np.full(dots.columns, np.nan)
    kept = column[starts]
    top[kept], bottom[kept] = np.fmin.reduceat(rows, starts), np.fmax.reduceat(rows, starts)
    dots.bars(top, bottom)
