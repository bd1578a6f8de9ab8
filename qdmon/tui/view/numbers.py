"""Numbers as a physicist writes them: as many digits as the error allows, "--" where nothing is known."""

import math

from qdmon.analysis.results.estimate import Estimate

__all__ = ["UNKNOWN_TEXT", "clock", "measured", "percent", "plain", "probability", "seconds", "with_error"]

UNKNOWN_TEXT = "--"

_MOST_DECIMALS = 4


def plain(value: float | None, significant: int = 3) -> str:
    """A number without an error, to `significant` digits and never in exponent form below 10 million."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_TEXT
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 7:
        return f"{value:.{significant - 1}e}"
    decimals = min(max(0, significant - 1 - magnitude), _MOST_DECIMALS)
    return f"{round(value, significant - 1 - magnitude):.{decimals}f}"


def _place(error: float) -> int:
    """Decimal place of the last honest digit: one digit of the error, two if it begins with 1."""
    magnitude = math.floor(math.log10(error))
    leading = error / 10.0**magnitude
    if leading >= 9.5:
        return -(magnitude + 1) + 1
    return -magnitude + (1 if leading < 1.95 else 0)


def measured(estimate: Estimate, scale: float = 1.0) -> tuple[str, str | None]:
    """Value and error, each multiplied by `scale` and rounded to the error; an unknown error is None."""
    if estimate.value is None or not math.isfinite(estimate.value):
        return UNKNOWN_TEXT, None
    value = estimate.value * scale
    if estimate.error is None or not math.isfinite(estimate.error) or estimate.error <= 0:
        return plain(value), None
    error = estimate.error * scale
    place = min(_place(error), _MOST_DECIMALS)
    decimals = max(0, place)
    return f"{round(value, place):.{decimals}f}", f"{round(error, place):.{decimals}f}"


def with_error(estimate: Estimate, unit: str = "", scale: float = 1.0) -> str:
    """On one line, as in 24.7 ± 0.3 ns."""
    value, error = measured(estimate, scale)
    body = value if error is None else f"{value} ± {error}"
    return f"{body} {unit}" if unit and value != UNKNOWN_TEXT else body


def probability(p: float | None) -> str:
    """Two decimals, never a false certainty: at the ends "<0.01" and ">0.99"."""
    if p is None or not math.isfinite(p):
        return UNKNOWN_TEXT
    if p > 0.995:
        return ">0.99"
    return "<0.01" if p < 0.005 else f"{p:.2f}"


def percent(p: float | None) -> str:
    """A probability in per cent, never a false certainty: ">99%" at most."""
    if p is None or not math.isfinite(p):
        return UNKNOWN_TEXT
    if p > 0.99:
        return ">99%"
    return "<1%" if p < 0.01 else f"{100 * p:.0f}%"


def seconds(value: float | None) -> str:
    """A short duration or a time on the session clock: "0.3 s", "31.4 s", "12:05"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_TEXT
    return f"{value:.1f} s" if abs(value) < 600 else clock(value)


def clock(value: float | None) -> str:
    """h:mm:ss, or m:ss below an hour."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_TEXT
    whole = math.floor(max(0.0, value))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
