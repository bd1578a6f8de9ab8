"""One row for each fluence: what the dot did there, side by side, and what follows from comparing them."""

from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.panels.box import centred, draw_box
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.blinking import BLINKING_INKS
from qdmon.tui.view.numbers import UNKNOWN_TEXT, probability, with_error
from qdmon.tui.view.scene import Scene

__all__ = ["paint_steps"]

_COLUMNS = (
    ("time, s", 11),
    ("<N>", 6),
    ("blinking", 15),
    ("kcps", 15),
    ("τ, ns", 16),
    ("g²(0)", 17),
    ("blinks/s", 12),
)


def paint_steps(frame: Frame, scene: Scene) -> None:
    """The table, the newest fluence at the bottom, older ones given up first."""
    draw_box(frame, frame.rect, Ink.FAINT)
    frame.text(2, 0, " by fluence ", Ink.TITLE)
    inner = frame.rect.inset(2, 1, 2, 1)
    snapshot = scene.snapshot
    if snapshot is None or not snapshot.segments:
        centred(frame, inner, [("no fluence step yet", Ink.MUTED)])
        return
    comparison = _comparison(snapshot)
    if comparison:
        frame.text_right(frame.width - 2, 0, f" {comparison} ", Ink.MUTED)
    _draw_row(frame, inner, inner.y, [(name, Ink.MUTED) for name, _ in _COLUMNS])
    room = inner.height - 1
    for row, result in enumerate(snapshot.segments[-room:] if room > 0 else ()):
        _draw_row(frame, inner, inner.y + 1 + row, _cells(result))


def _cells(result: SegmentResult) -> list[tuple[str, int]]:
    call = result.call
    known = call.blinking != "undetermined"
    chance = f" {probability(call.probabilities.get(call.blinking))}" if known else ""
    n = result.mean_excitation
    return [
        (f"{result.start_s:.0f} – {result.stop_s:.0f}", Ink.MUTED),
        (UNKNOWN_TEXT if n is None else f"{n:.2f}", Ink.STEP),
        (f"{call.blinking}{chance}", BLINKING_INKS[call.blinking]),
        (with_error(result.mean_rate_cps, scale=1e-3), Ink.TEXT),
        (with_error(result.lifetime_ns), Ink.TEXT),
        (with_error(result.g2.zero), Ink.TEXT),
        (with_error(result.blinking_rate_hz), Ink.TEXT),
    ]


def _draw_row(frame: Frame, rect: Rect, y: int, cells: list[tuple[str, int]]) -> None:
    x = rect.x
    for (text, ink), (_, width) in zip(cells, _COLUMNS, strict=True):
        if x + width > rect.right + 1:
            break
        frame.text(x, y, text, ink, stop=x + width - 1)
        x += width


def _comparison(snapshot: Snapshot) -> str:
    """What only several fluences together can say; empty while nothing is known."""
    parts = []
    if snapshot.charging.exponent.value is not None:
        parts.append(f"charging ~ <N>^{with_error(snapshot.charging.exponent)}")
    if snapshot.intensity_change.value is not None:
        parts.append(f"intensity {100 * snapshot.intensity_change.value:+.0f}%")
    if snapshot.peak_nm.value is not None:
        shift_nm = snapshot.spectral_shift_nm.value
        shift = "" if shift_nm is None else f" ({shift_nm:+.1f})"
        parts.append(f"peak {with_error(snapshot.peak_nm)} nm{shift}")
    return "  ".join(parts)
