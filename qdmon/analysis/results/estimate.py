"""A number with its error."""

from dataclasses import dataclass

__all__ = ["UNKNOWN", "Estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error, in the unit its name says; None where unknown."""

    value: float | None
    error: float | None = None


UNKNOWN = Estimate(None)
