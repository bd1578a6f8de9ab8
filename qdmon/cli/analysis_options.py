"""Options of the analysis, and of files that leave something open, as people type them."""

from typing import TYPE_CHECKING

from qdmon.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.formats import Choices

__all__ = ["file_choices", "parse_background", "parse_delay"]


def parse_background(text: str | None) -> "Mapping[int | None, float]":
    """Background: one rate for all detectors, or CHANNEL=RATE pairs. Raises UserError."""
    if text is None:
        return {}
    rates: dict[int | None, float] = {}
    try:
        for part in text.split(","):
            channel, equals, rate = part.rpartition("=")
            rates[int(channel) if equals else None] = float(rate)
    except ValueError:
        raise UserError(f"--background-cps {text!r}: give a rate, or CHANNEL=RATE,CHANNEL=RATE") from None
    if not all(0 <= r < 1e9 for r in rates.values()):
        raise UserError(f"--background-cps {text!r}: rates must be finite and not negative")
    return rates


def parse_delay(text: str) -> float | None:
    """Detector delay in ns, or None for auto. Raises UserError."""
    if text == "auto":
        return None
    try:
        delay = float(text)
    except ValueError:
        delay = float("nan")
    if not abs(delay) < 1e6:
        raise UserError(f"--delay-ns {text!r}: give a number of nanoseconds, or auto")
    return delay


def file_choices(particle: int | None, pulse_rate_hz: float | None, resolution_ps: float | None) -> "Choices":
    """What is said of a file that does not say it itself. Raises UserError."""
    from streams.formats import Choices

    try:
        return Choices(particle, pulse_rate_hz, resolution_ps)
    except ValueError as error:
        raise UserError(str(error)) from None
