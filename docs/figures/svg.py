"""Line drawings as SVG text: panels with axes, curves, dots, bands and error bars, and no library for it.

Numbers are written with one decimal of a pixel: small files, and the same data give the same file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["AUGER", "BC", "BRIGHT", "HC", "INK", "MUTED", "Axis", "Panel", "figure"]

AUGER, BC, HC, BRIGHT = "#d9480f", "#1864ab", "#862e9c", "#2b8a3e"
INK, MUTED = "#212529", "#868e96"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        low: value at its beginning.
        high: value at its end.
        label: what it shows, with the unit.
        ticks: values that are marked.
        logarithmic: equal distances are equal ratios.
    """

    low: float
    high: float
    label: str
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def share(self, values: ArrayLike) -> FloatArray:
        """Where values lie, 0 at the beginning and 1 at the end of the axis."""
        v = np.asarray(values, np.float64)
        if self.logarithmic:
            return np.asarray(np.log(np.maximum(v, 1e-300) / self.low) / np.log(self.high / self.low))
        return np.asarray((v - self.low) / (self.high - self.low))


class Panel:
    """A plot: curves are clipped to its frame, labels are not."""

    def __init__(self, box: tuple[float, float, float, float], x: Axis, y: Axis, title: str = "") -> None:
        """An empty plot.

        Args:
            box: left, top, width and height of the frame in pixels.
            x: horizontal axis.
            y: vertical axis.
            title: above the frame.
        """
        self._left, self._top, self._width, self._height = box
        self._x, self._y = x, y
        self._inside: list[str] = []
        self._outside: list[str] = []
        self._frame(title)

    def _at(self, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        across, up = np.broadcast_arrays(self._x.share(x), self._y.share(y))
        # Far outside is outside: no digits are spent on it.
        across, up = np.clip(across, -2, 3), np.clip(up, -2, 3)
        return self._left + across * self._width, self._top + (1 - up) * self._height

    def _frame(self, title: str) -> None:
        left, top, right, bottom = (
            self._left,
            self._top,
            self._left + self._width,
            self._top + self._height,
        )
        marks = []
        for tick in self._x.ticks:
            at = left + float(self._x.share(tick)) * self._width
            marks.append(f"M{at:.1f} {bottom:.1f}v5")
            self._label(at, bottom + 18, f"{tick:g}", "middle")
        for tick in self._y.ticks:
            at = bottom - float(self._y.share(tick)) * self._height
            marks.append(f"M{left:.1f} {at:.1f}h-5")
            self._label(left - 8, at + 4, f"{tick:g}", "end")
        path = f"M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}{''.join(marks)}"
        self._outside.append(f'<path d="{path}" fill="none" stroke="{INK}"/>')
        self._label((left + right) / 2, bottom + 36, self._x.label, "middle")
        middle = (top + bottom) / 2
        turned = f' transform="rotate(-90 {left - 44:.1f} {middle:.1f})"'
        self._label(left - 44, middle, self._y.label, "middle", turned)
        if title:
            self._label(left, top - 10, title, "start", ' font-weight="bold"')

    def _label(self, x: float, y: float, text: str, anchor: str, more: str = "", ink: str = INK) -> None:
        self._outside.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"{more}>{escape(text)}</text>'
        )

    def note(self, x: float, y: float, text: str, ink: str = INK, anchor: str = "start") -> None:
        """Words at a point of the plot."""
        px, py = self._at(x, y)
        self._label(float(px), float(py), text, anchor, ink=ink)

    def line(self, x: ArrayLike, y: ArrayLike, ink: str, width: float = 1.8, dash: str = "") -> None:
        """A curve through points; those that are no number are left out."""
        points = " ".join(_corners(*self._at(x, y)))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._inside.append(
            f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="{width:g}"{dashed}/>'
        )

    def dots(self, x: ArrayLike, y: ArrayLike, ink: str, size: float = 2.0, opacity: float = 1.0) -> None:
        """A dot at each point."""
        px, py = self._at(x, y)
        good = np.isfinite(px) & np.isfinite(py)
        path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(px[good], py[good], strict=True))
        self._inside.append(
            f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{2 * size:g}" '
            f'stroke-linecap="round" stroke-opacity="{opacity:g}"/>'
        )

    def band(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, ink: str, opacity: float = 1.0) -> None:
        """The area between two curves."""
        px, bottom = self._at(x, low)
        _, top = self._at(x, high)
        points = " ".join([*_corners(px, top), *_corners(px[::-1], bottom[::-1])])
        self._inside.append(
            f'<polygon points="{points}" fill="{ink}" fill-opacity="{opacity:g}" stroke="none"/>'
        )

    def bars(self, x: ArrayLike, y: ArrayLike, error: ArrayLike, ink: str) -> None:
        """Dots with vertical error bars."""
        value, half = np.asarray(y, np.float64), np.asarray(error, np.float64)
        px, low = self._at(x, value - half)
        _, high = self._at(x, value + half)
        path = "".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in zip(px, low, high, strict=True))
        self._inside.append(f'<path d="{path}" stroke="{ink}" stroke-width="1.5"/>')
        self.dots(x, value, ink, 3.0)

    def drawn(self, number: int) -> str:
        """The panel as SVG; `number` tells its clip path from those of the others."""
        box = (
            f'x="{self._left:.1f}" y="{self._top:.1f}" width="{self._width:.1f}" height="{self._height:.1f}"'
        )
        return "\n".join(
            [
                f'<clipPath id="c{number}"><rect {box}/></clipPath>',
                f'<g clip-path="url(#c{number})">',
                *self._inside,
                "</g>",
                *self._outside,
            ]
        )


def _corners(x: FloatArray, y: FloatArray) -> list[str]:
    """Points of a curve as text; those that are no number, or inside a level piece, are left out."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good].round(1), y[good].round(1)
    keep = np.ones(len(x), bool)
    keep[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    return [f"{a:g},{b:g}" for a, b in zip(x[keep], y[keep], strict=True)]


def figure(panels: Sequence[Panel], width: int, height: int, title: str) -> str:
    """An SVG file of some panels on white, with a title for those who cannot see it."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
            f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *(panel.drawn(i) for i, panel in enumerate(panels)),
            "</svg>",
            "",
        ]
    )
