"""What a user says of a file that does not say it itself."""

from dataclasses import dataclass

__all__ = ["NOTHING_SAID", "Choices"]


@dataclass(frozen=True, slots=True)
class Choices:
    """Answers to what some formats leave open; None where the user says nothing.

    Attributes:
        particle: which measurement of a file that holds several, as numbered there.
        pulse_rate_hz: laser pulses per second.
        resolution_ps: width of a TCSPC bin.
    """

    particle: int | None = None
    pulse_rate_hz: float | None = None
    resolution_ps: float | None = None

    def __post_init__(self) -> None:
        for name in ("pulse_rate_hz", "resolution_ps"):
            value = getattr(self, name)
            if value is not None and not 1e-3 < value < 1e12:
                raise ValueError(
                    f"--{name.replace('_', '-')} {value:g} is impossible: give a positive number"
                )

    @property
    def given(self) -> tuple[str, ...]:
        """The options that say something, as typed on a command line."""
        values = {
            "--particle": self.particle,
            "--pulse-rate-hz": self.pulse_rate_hz,
            "--resolution-ps": self.resolution_ps,
        }
        return tuple(option for option, value in values.items() if value is not None)


NOTHING_SAID = Choices()
