"""Axes as numbers: ranges that end on round values, ticks at 1, 2 or 5, and values to dot positions."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scale", "linear", "logarithmic", "tick_step"]

FloatArray = NDArray[np.float64]


def tick_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 x 10^k that cuts `span` into at most `most` intervals."""
    if not (span > 0 and math.isfinite(span)):
        return 1.0
    raw = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis.

    Attributes:
        low: value at its start.
        high: value at its end, above `low`.
        ticks: (k,) values to label, ascending.
        decimals: how many decimals a label needs.
        log: logarithmic; both ends are then positive.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int = 0
    log: bool = False

    def fraction(self, values: FloatArray) -> FloatArray:
        """0 at `low`, 1 at `high`; on a log axis what is not positive is NaN."""
        if not self.log:
            return (np.asarray(values, np.float64) - self.low) / (self.high - self.low)
        positive = np.where(np.asarray(values) > 0, values, np.nan)
        return np.asarray(np.log(positive / self.low) / math.log(self.high / self.low))

    def rows(self, values: FloatArray, count: int, *, clip: bool = True) -> FloatArray:
        """Dot rows of values, row 0 at the top of `count`; values beyond the ends sit on the edge."""
        fraction = self.fraction(values)
        return (count - 1) * (1.0 - (np.clip(fraction, 0.0, 1.0) if clip else fraction))

    def columns(self, values: FloatArray, count: int) -> FloatArray:
        """Dot columns of values, column 0 at `low`."""
        return (count - 1) * self.fraction(values)

    def label(self, tick: float) -> str:
        """A tick as text: decades as 1, 10 ... 10k, 100k, 1M on a log axis."""
        if not self.log:
            return f"{tick:.{self.decimals}f}".replace("-", "−")
        for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if tick >= size:
                return f"{tick / size:g}{suffix}"
        return f"{tick:g}"


def linear(low: float, high: float, most: int, *, round_ends: bool = True) -> Scale:
    """An axis from `low` to `high` with about `most` intervals, its ends moved out to ticks if asked."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        low, high = (low, low + 1.0) if math.isfinite(low) else (0.0, 1.0)
    step = tick_step(high - low, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if round_ends:
        low, high = first * step, last * step
    tolerance = 1e-9 * step
    ticks = tuple(
        round(i * step, 12) for i in range(first, last + 1) if low - tolerance <= i * step <= high + tolerance
    )
    return Scale(low, high, ticks, max(0, -math.floor(math.log10(step) + 1e-9)))


def logarithmic(low: float, high: float, most: int) -> Scale:
    """A log axis whose ends are 1, 2 or 5 x 10^k, labelled at about `most` decades or at its ends."""
    low = low if low > 0 and math.isfinite(low) else 1.0
    high = high if math.isfinite(high) and high > low else 10.0 * low
    low, high = _round_out(low, up=False), _round_out(high, up=True)
    high = max(high, 2.0 * low)
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first) / max(1, most)))
    decades = tuple(10.0**i for i in range(first, last + 1, every))
    return Scale(low, high, decades if len(decades) > 1 else (low, high), log=True)


def _round_out(value: float, *, up: bool) -> float:
    """The next 1, 2 or 5 x 10^k at or beyond a positive value."""
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    mantissa = value / power
    steps = (1.0, 2.0, 5.0, 10.0)
    if up:
        return min(m for m in steps if m >= mantissa * (1 - 1e-9)) * power
    return max(m for m in steps if m <= mantissa * (1 + 1e-9)) * power
