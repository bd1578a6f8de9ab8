"""What the daemon asks of an instrument. Drivers are blocking; each gets one thread of its own.

Order of calls: open, configure, start, read ..., stop, close. `stop` and `close` may be called
twice and after a failed `open`. Nothing is switched on by construction or by `open`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hardware.types import Acquisition, DeviceInfo, LaserReading, RawBlock, SpectralAxis, SpectrumFrame

__all__ = [
    "Bench",
    "CardError",
    "DeviceError",
    "LaserError",
    "PulsedLaser",
    "Spectrometer",
    "SpectrometerError",
    "TcspcCard",
]


class DeviceError(Exception):
    """A device refused or failed; the message says what happened and what to do, in one line."""


class CardError(DeviceError):
    """The TCSPC card refused or failed."""


class LaserError(DeviceError):
    """The laser refused or failed."""


class SpectrometerError(DeviceError):
    """The spectrometer refused or failed."""


class TcspcCard(Protocol):
    """A photon counting card that delivers raw 32-bit records."""

    def open(self) -> DeviceInfo:
        """Connect and identify; raises CardError."""

    def configure(self) -> Acquisition:
        """Apply the settings given at construction and return what the card really uses."""

    def start(self) -> None:
        """Begin an acquisition segment; pulse index 0 is here."""

    def read(self) -> RawBlock:
        """Block for at most about 0.1 s and return what arrived, possibly no words; raises CardError."""

    def stop(self) -> None:
        """End the segment. Words still in the card can be read until `read` returns none."""

    def close(self) -> None:
        """Release the device."""


class PulsedLaser(Protocol):
    """A pulsed laser whose power level is a whole number of 0.1 % steps."""

    def open(self) -> DeviceInfo:
        """Connect, identify and adopt the state found; never changes emission. Raises LaserError."""

    def reading(self) -> LaserReading:
        """Ask the laser for its present state."""

    def set_power_permille(self, level: int) -> LaserReading:
        """Request a power level and read it back; raises LaserError if refused or out of limits."""

    def arm(self) -> None:
        """An operator's consent to emission; used up by the next `emission_on` and expires by itself."""

    def emission_on(self) -> LaserReading:
        """Switch emission on if armed and the interlock is closed, confirmed by reading back."""

    def emission_off(self) -> LaserReading:
        """Switch emission off, confirmed by reading back; from any thread, and ends a switch-on under way."""

    def close(self) -> None:
        """Emission off, then release the port."""


class Spectrometer(Protocol):
    """A spectrometer that takes one exposure after another beside the photon path."""

    def open(self) -> DeviceInfo:
        """Connect and identify; raises SpectrometerError."""

    def configure(self) -> SpectralAxis:
        """Apply the settings given at construction and return what frames will be like."""

    def start(self) -> None:
        """Begin to expose; the card is running already."""

    def read(self) -> SpectrumFrame | None:
        """Block for at most about 0.1 s; the oldest frame not yet read, or None. Raises SpectrometerError."""

    def stop(self) -> None:
        """End exposing and drop an unfinished frame. Finished ones can be read until `read` returns None."""

    def close(self) -> None:
        """Release the device."""


@dataclass(frozen=True)
class Bench:
    """The instruments of one set-up, made together by one driver entry point.

    Attributes:
        card: the photon counter.
        laser: None where fluence is set by hand.
        mean_excitation_per_permille: <N> per 0.1 % of laser power; None if uncalibrated.
        identity: names and settings worth recording.
        spectrometer: None where there is none.
    """

    card: TcspcCard
    laser: PulsedLaser | None
    mean_excitation_per_permille: float | None
    identity: Mapping[str, str]
    spectrometer: Spectrometer | None = None
