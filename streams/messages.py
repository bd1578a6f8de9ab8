"""The messages of a session, in the order they happened, all on the pulse clock.

A session is one run of a daemon, or one recording. It opens with `Session`, then `Segment`; photons
follow in batches that cover every pulse once. Whatever holds from a pulse on (fluence, laser) is
sent before the photons of that pulse. Plain frozen dataclasses: `streams.wire` validates and packs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, LossCause, Photons

__all__ = [
    "Alert",
    "End",
    "Fluence",
    "Gap",
    "Heartbeat",
    "LaserState",
    "Marker",
    "Message",
    "PhotonBatch",
    "RecordingState",
    "ReplayState",
    "Segment",
    "Session",
    "Severity",
    "Spectrum",
    "Status",
]

Severity = Literal["info", "warning", "alert"]


@dataclass(frozen=True, slots=True)
class Session:
    """Who is speaking: the first message of every session.

    Attributes:
        session_id: 32 hex digits, new for every daemon start; kept by a replay.
        started_unix_ns: wall clock at the start, for people; never used to order data.
        software: "qdmon 0.1.0" or what a file says wrote it.
        source: "live", "simulated" or "replay".
        title: what an operator or a file calls it.
        instruments: role -> "model, serial, driver, verification".
    """

    session_id: str
    started_unix_ns: int
    software: str
    source: Literal["live", "simulated", "replay"]
    title: str = ""
    instruments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch with one time base begins; pulse indices restart at 0."""

    index: int
    acquisition: Acquisition


@dataclass(frozen=True, slots=True)
class PhotonBatch:
    """All photons of the pulses [first_pulse, stop_pulse), be they many or none.

    Attributes:
        segment: index of the segment.
        first_pulse: the stop_pulse of the batch before.
        stop_pulse: exclusive.
        host_time_ns: monotonic clock of the daemon when the card's words arrived.
        photons: see `hardware.types.Photons`.
    """

    segment: int
    first_pulse: int
    stop_pulse: int
    host_time_ns: int
    photons: Photons


@dataclass(frozen=True, slots=True)
class Gap:
    """Photons are missing in [first_pulse, stop_pulse); left out of rates and fits."""

    segment: int
    first_pulse: int
    stop_pulse: int
    cause: LossCause
    lost_photons: int | None = None


@dataclass(frozen=True, slots=True)
class Fluence:
    """From this pulse on the dot is excited with <N> = mean_excitation.

    Around a step the value is None from the last pulse known to precede the command until the first
    known to follow its acknowledgement: such pulses belong to neither fluence. Where nobody knows <N> but
    nobody changes it either, no `Fluence` is sent.

    Attributes:
        segment: index of the segment.
        pulse: the first pulse it holds for.
        mean_excitation: <N>, photons absorbed per dot and pulse; None while changing.
        power_permille: laser power level behind it, 0.1 %; None if not set by us.
        origin: "calibrated", "uncalibrated", "operator", "file".
    """

    segment: int
    pulse: int
    mean_excitation: float | None
    power_permille: int | None = None
    origin: str = "uncalibrated"


@dataclass(frozen=True, slots=True)
class LaserState:
    """What the laser last said. emission None means the link is lost: assume it is ON."""

    segment: int
    pulse: int
    emission: bool | None
    interlock_ok: bool | None
    setpoint_permille: int | None
    readback_permille: int | None


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One spectrometer frame over [first_pulse, stop_pulse).

    Attributes:
        segment: index of the segment.
        first_pulse: start of the exposure.
        stop_pulse: its end, exclusive.
        wavelength_nm: (p,) float64, ascending.
        counts: (p,) float64, detected counts per pixel.
        excess_noise_factor: variance over mean of a count, 2 for an EMCCD with gain.
    """

    segment: int
    first_pulse: int
    stop_pulse: int
    wavelength_nm: NDArray[np.float64]
    counts: NDArray[np.float64]
    excess_noise_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Marker:
    """Something worth finding again: a card marker input, a protocol step, an operator's note."""

    segment: int
    pulse: int
    origin: Literal["card", "protocol", "operator", "file"]
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A conclusion that wants a person; `alert_id` names it in every copy of the stream."""

    alert_id: str
    segment: int
    pulse: int
    kind: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the daemon is doing, in words."""

    state: Literal["starting", "running", "stopping", "fault"]
    text: str


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How the recording goes: sent on change and once a second while there is one; itself not recorded.

    Attributes:
        state: "off": nobody asked for one; "on"; "failed": asked for, but photons are not being kept now.
        name: the recording's folder name; "" before the first.
        text: why it failed, or what to watch out for; "" if nothing.
        photons: in this recording so far.
        size_bytes: on disk so far.
        duration_s: stream time covered.
        durable_segment: segment of the newest batch that is safely on disk; None before the first.
        durable_pulse: its stop pulse: it and all recorded before it survive a crash and a power cut.
        durable_age_s: age of the oldest message accepted but not yet safe; 0 if there is none.
        space_s: how long the disk lasts at the present rate; None if unknown.
    """

    state: Literal["off", "on", "failed"]
    name: str = ""
    text: str = ""
    photons: int = 0
    size_bytes: int = 0
    duration_s: float = 0.0
    durable_segment: int | None = None
    durable_pulse: int | None = None
    durable_age_s: float = 0.0
    space_s: float | None = None


@dataclass(frozen=True, slots=True)
class ReplayState:
    """Where a replay stands: sent on change and once a second.

    Attributes:
        state: "paused" waits for an order, "ended" has come to the end of the recording.
        time_s: stream time of the last photons sent.
        duration_s: of the whole recording; None if unknown.
        speed: recorded seconds per second; None is as fast as the viewers take it.
        loop: begin again at the end.
    """

    state: Literal["playing", "paused", "ended"]
    time_s: float
    duration_s: float | None
    speed: float | None
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Once a second: I am alive, and this is the last I sent (so that loss at the tail shows).

    Attributes:
        last_seq: topic -> last sequence number sent on it.
        uptime_s: since the daemon started.
        segment: index of the running segment.
        stop_pulse: pulses published so far.
        photons: photons published so far.
        queue_depth: raw blocks waiting to be decoded.
    """

    last_seq: Mapping[str, int]
    uptime_s: float
    segment: int
    stop_pulse: int
    photons: int
    queue_depth: int


@dataclass(frozen=True, slots=True)
class End:
    """The session is over, on purpose; nothing follows."""

    reason: str


Message = (
    Session
    | Segment
    | PhotonBatch
    | Gap
    | Fluence
    | LaserState
    | Spectrum
    | Marker
    | Alert
    | Status
    | RecordingState
    | ReplayState
    | Heartbeat
    | End
)
