"""Plain data that instruments produce: photons, losses, markers, and what an acquisition is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Acquisition",
    "DecodedBlock",
    "DeviceInfo",
    "LaserReading",
    "Loss",
    "LossCause",
    "Markers",
    "Photons",
    "RawBlock",
    "RecordLayout",
    "SpectralAxis",
    "SpectrumFrame",
    "Verification",
]

PS_PER_S = 1e12


class RecordLayout(StrEnum):
    """How a card or a file packs one event into a 32-bit word (hardware manuals; see `hardware.records`)."""

    GENERIC_T3 = "generic-t3"  # TimeHarp 260, MultiHarp, PicoHarp 330, HydraHarp v2
    GENERIC_T2 = "generic-t2"
    HYDRAHARP_V1_T3 = "hydraharp-v1-t3"
    HYDRAHARP_V1_T2 = "hydraharp-v1-t2"
    PICOHARP_T3 = "picoharp-t3"
    PICOHARP_T2 = "picoharp-t2"
    TIMEHARP_200_T3 = "timeharp-200-t3"
    BECKER_HICKL_T3 = "becker-hickl-t3"  # SPC-130, 132, 140, 150, 160, 180, 830 (FIFO)


class Verification(StrEnum):
    """How far a driver has been shown to work; every driver states its own, honestly."""

    COMPLETE = "complete"  # nothing outside this project is claimed (simulator, replay)
    WIRE_TESTED = "wire-tested"  # against an emulator that independent clients accept too
    FROM_MANUAL = "from the manual"  # never met the instrument


class LossCause(StrEnum):
    """Why a stretch of pulses has photons missing."""

    FIFO_OVERRUN = "fifo overrun"
    SYNC_LOST = "sync lost"
    DECODE_GAP = "decode gap"
    MESSAGES_DROPPED = "messages dropped"
    FILE_DAMAGED = "file damaged"
    DISK_TOO_SLOW = "disk too slow"  # seen live, but not recorded
    DISK_FULL = "disk full"
    DISK_FAILED = "disk failed"
    NOT_COVERED = "not covered"  # a recording, or the part of one that is replayed, begins later


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """Who answered when a device was opened."""

    role: str
    model: str
    serial: str
    driver: str
    verification: Verification


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What stays constant over one segment: time base, detectors, instrument.

    A change of pulse picker, divider or resolution ends the segment.

    Attributes:
        mode: "T3" counts laser pulses; "T2" has no pulses, its index counts card ticks.
        macro_tick_ps: duration of one step of the pulse index: the pulse period in T3, a tick in T2.
        resolution_ps: width of a TCSPC bin; None in T2, where there is no nanotime.
        nanotime_bins: number of TCSPC bins that can occur; 0 in T2.
        channels: detector numbers as the record carries them, ascending.
        layout: the words the photons came in.
        instrument: model of the card, or what a file says recorded it.
        serial: its serial number, "" if unknown.
        simulated: True if no light was ever involved.
        settings: applied settings as text, for the record.
        laser_period_ps: period of the laser where a T3 step is a tick of the card's own clock instead
            (TimeHarp 200, some Becker & Hickl set-ups); None where steps are pulses, and in T2.
    """

    mode: Literal["T3", "T2"]
    macro_tick_ps: float
    resolution_ps: float | None
    nanotime_bins: int
    channels: tuple[int, ...]
    layout: RecordLayout
    instrument: str
    serial: str = ""
    simulated: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    laser_period_ps: float | None = None

    @property
    def counts_pulses(self) -> bool:
        """Whether a step of the pulse index is a laser pulse, as correlation by pulses needs."""
        return self.mode == "T3" and self.laser_period_ps is None

    @property
    def started_by_photons(self) -> bool:
        """Whether nanotimes lie anywhere in the card's window, one pulse period long, not behind zero."""
        return self.layout in (RecordLayout.TIMEHARP_200_T3, RecordLayout.BECKER_HICKL_T3)

    @property
    def pulse_period_ps(self) -> float | None:
        """Time between laser pulses; None in T2, where the card does not see the laser."""
        return (self.laser_period_ps or self.macro_tick_ps) if self.mode == "T3" else None

    @property
    def pulse_rate_hz(self) -> float | None:
        """Laser pulses per second; None in T2."""
        return PS_PER_S / self.pulse_period_ps if self.pulse_period_ps is not None else None

    def seconds(self, pulses: int) -> float:
        """Duration of a number of pulse-index steps, in s."""
        return pulses * self.macro_tick_ps / PS_PER_S

    def pulses(self, seconds: float) -> int:
        """Number of whole pulse-index steps nearest to a duration in s."""
        return round(seconds * PS_PER_S / self.macro_tick_ps)


@dataclass(frozen=True, slots=True)
class Photons:
    """Detected photons, in the order of their pulses.

    Attributes:
        pulse: (n,) uint64, pulses since the start of the segment, non-decreasing (T2: ticks).
        nanotime: (n,) uint16, TCSPC bin since the pulse (T2: zeros).
        channel: (n,) uint8, detector number as the record carries it.
    """

    pulse: NDArray[np.uint64]
    nanotime: NDArray[np.uint16]
    channel: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pulse)

    @classmethod
    def empty(cls) -> "Photons":
        """No photons."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint16), np.empty(0, np.uint8))

    def between(self, first_pulse: int, stop_pulse: int) -> "Photons":
        """Those with first_pulse <= pulse < stop_pulse, as views."""
        i, j = np.searchsorted(self.pulse, np.array([first_pulse, stop_pulse], np.uint64)).tolist()
        return Photons(self.pulse[i:j], self.nanotime[i:j], self.channel[i:j])

    @classmethod
    def join(cls, parts: "list[Photons]") -> "Photons":
        """One after the other; the caller keeps them in order."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([p.pulse for p in parts]),
            np.concatenate([p.nanotime for p in parts]),
            np.concatenate([p.channel for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class Markers:
    """External marker inputs seen by the card.

    Attributes:
        pulse: (m,) uint64.
        bits: (m,) uint8, bit i set for marker input i+1.
    """

    pulse: NDArray[np.uint64]
    bits: NDArray[np.uint8]

    @classmethod
    def empty(cls) -> "Markers":
        """No markers."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class Loss:
    """Photons are missing in [first_pulse, stop_pulse): when, why, and how many if anybody knows."""

    first_pulse: int
    stop_pulse: int
    cause: LossCause
    lost_photons: int | None = None


@dataclass(frozen=True, slots=True)
class RawBlock:
    """What one read of a card gave.

    Attributes:
        words: (n,) uint32, records in the card's own layout.
        host_time_ns: monotonic host clock when the read returned.
        overrun: the card dropped events after these words (its FIFO was full).
        sync_lost: the card saw no laser pulses.
    """

    words: NDArray[np.uint32]
    host_time_ns: int
    overrun: bool = False
    sync_lost: bool = False


@dataclass(frozen=True, slots=True)
class DecodedBlock:
    """What a decoder made of some words.

    Attributes:
        photons: non-decreasing in pulse; all that precede `position` are here or in blocks before, those at
            or beyond it can still be joined by photons of later blocks.
        markers: marker inputs.
        losses: gaps the decoder could see in the words.
        position: every pulse below it is complete; the next photon is at or after it.
    """

    photons: Photons
    markers: Markers
    losses: tuple[Loss, ...]
    position: int


@dataclass(frozen=True, slots=True)
class LaserReading:
    """What the laser says of itself; None where it did not answer (then assume emission is ON).

    Attributes:
        emission: light is coming out.
        interlock_ok: the interlock loop is closed and reset.
        setpoint_permille: requested power level, 0.1 %.
        readback_permille: power level read back, 0.1 %.
        status_bits: the raw status register.
    """

    emission: bool | None
    interlock_ok: bool | None
    setpoint_permille: int | None
    readback_permille: int | None
    status_bits: int | None = None


@dataclass(frozen=True, slots=True)
class SpectralAxis:
    """What stays the same over the frames of a spectrometer.

    Attributes:
        wavelength_nm: (p,) float64, ascending.
        exposure_s: of one frame.
        excess_noise_factor: variance over mean of a count, 2 for an EMCCD with gain.
    """

    wavelength_nm: NDArray[np.float64]
    exposure_s: float
    excess_noise_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class SpectrumFrame:
    """One exposure of a spectrometer.

    Attributes:
        counts: (p,) float64, photo-electrons before multiplication on the pixels of the `SpectralAxis`; noise
            can make them negative.
        began_ns: monotonic host clock, not later than the exposure began.
        ended_ns: monotonic host clock, not earlier than it ended.
        pulses: first and stop pulse of the exposure in the card's segment where the card's clock gates it;
            None where host times are all there is.
    """

    counts: NDArray[np.float64]
    began_ns: int
    ended_ns: int
    pulses: tuple[int, int] | None = None
