"""What a recorder promises, how it is doing, and what it says when it cannot keep the promise."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Position", "Problem", "ProblemKind", "RecorderStatus", "RecordingError", "RecordingPolicy"]

ProblemKind = Literal["disk-low", "disk-full", "disk-slow", "disk-failed", "refused", "resumed"]


class RecordingError(Exception):
    """A recording cannot be begun or made; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """How a session is kept.

    Attributes:
        sync: when data is forced to the disk: "second" each `sync_s` in the writer thread (a power cut costs
            at most that and the chunk in the making), "always" after every chunk, "never" leaves it to the
            system.
        sync_s: time between two forced writes for "second".
        flush_s: a chunk is written at the latest this long after its first message.
        flush_photons: or once it holds so many photons.
        segment_s: length of a segment file, s.
        queue_bytes: bound of what waits for the disk; 11 bytes a photon.
        ballast_bytes: kept in a file of its own, given back when the disk is full so that the end fits.
        reserve_bytes: recording ends in good order when less than this is free (beside the ballast).
        least_free_s: not begun with less space than this at the expected rate.
        warn_free_s: one warning when less than this is left at the present rate.
        retry_s: after a failure, time until a new segment file is tried.
    """

    sync: Literal["second", "always", "never"] = "second"
    sync_s: float = 1.0
    flush_s: float = 1.0
    flush_photons: int = 1 << 18
    segment_s: float = 600.0
    queue_bytes: int = 256 << 20
    ballast_bytes: int = 64 << 20
    reserve_bytes: int = 16 << 20
    least_free_s: float = 600.0
    warn_free_s: float = 1800.0
    retry_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Position:
    """How far a session has come: everything before it is meant.

    Attributes:
        messages: number of messages, from the start of the recording.
        photons: in their batches.
        segment: index of the acquisition segment of the last batch.
        stop_pulse: end of the last batch, exclusive.
    """

    messages: int = 0
    photons: int = 0
    segment: int = 0
    stop_pulse: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the operator should know, said once when it begins and once when it is over.

    Attributes:
        kind: "resumed" is good news; the others are not.
        text: one line: what happened and what to do.
    """

    kind: ProblemKind
    text: str

    @property
    def severity(self) -> Literal["info", "warning", "alert"]:
        """As of `streams.messages.Alert`."""
        if self.kind == "resumed":
            return "info"
        return "warning" if self.kind == "disk-low" else "alert"


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How a recording is doing.

    Attributes:
        state: "recording"; "suspended" after a failure, until the disk works again; "stopped".
        folder: the session directory.
        written: handed to the system: survives the death of this program.
        durable: forced to the disk: survives a power cut.
        bytes: of all segment files.
        photons: in what was written.
        files: segment files begun.
        waiting_bytes: of the queue.
        lost_photons: that could not be recorded; each stretch is in the recording as a gap with its cause.
        lost_messages: other messages that could not be.
        free_bytes: on the disk of the session; None if it cannot be told.
        remaining_s: until the disk is full at the present rate; None if unknown.
        error: the last problem that is not over, one line; "" if all is well.
    """

    state: Literal["recording", "suspended", "stopped"]
    folder: str
    written: Position
    durable: Position
    bytes: int
    photons: int
    files: int
    waiting_bytes: int
    lost_photons: int
    lost_messages: int
    free_bytes: int | None
    remaining_s: float | None
    error: str

    @property
    def bytes_per_photon(self) -> float | None:
        """On disk, everything counted; None before the first photon."""
        return self.bytes / self.photons if self.photons else None
