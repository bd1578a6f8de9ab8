"""Messages as ZeroMQ frames and back, without any socket (docs/wire-format.md is the specification).

A message is a topic frame, a msgpack header frame, and a frame per column. Whatever comes in is checked
in full before it is believed; everything that can be wrong with it is one `WireError`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgpack
import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from streams import columns, schema
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    Heartbeat,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    RecordingState,
    ReplayState,
    Segment,
    Session,
    Spectrum,
    Status,
)

__all__ = [
    "MAX_FRAME",
    "MAX_HEADER",
    "TOPICS",
    "VERSION",
    "Codec",
    "Envelope",
    "Frames",
    "WireError",
    "decode",
    "encode",
    "pack_map",
    "topic_of",
    "unpack_map",
]

VERSION = 1
MAX_HEADER = 1 << 20  # bytes
MAX_FRAME = 8 * columns.MAX_PHOTONS  # the largest column there can be; what sockets may accept
MAX_PIXELS = 1 << 16

Codec = Literal["raw", "planes-zstd"]
Frames = Sequence[bytes | memoryview]

TOPICS: dict[type, str] = {
    Session: "session/",
    Segment: "segment/",
    PhotonBatch: "photons/",
    Gap: "gap/",
    Fluence: "fluence/",
    LaserState: "laser/",
    Spectrum: "spectrum/",
    Marker: "marker/",
    Alert: "alert/",
    Status: "status/",
    RecordingState: "recording/",
    ReplayState: "replay/",
    Heartbeat: "heartbeat/",
    End: "end/",
}
_KINDS = {topic: kind for kind, topic in TOPICS.items()}


class WireError(ValueError):
    """What came over the wire is not a message of this protocol; says why in one line."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a message stands in its stream.

    Attributes:
        sid: 32 hex digits, new for every start of a publisher.
        seq: number of the message on its topic, from 0.
        pos: number of the message in the stream over all topics, from 0. A heartbeat takes none: its pos is
            the one the next message will get.
        sent_unix_ns: wall clock of the sender, for people and lag displays.
    """

    sid: str
    seq: int
    pos: int
    sent_unix_ns: int


def topic_of(message: Message) -> str:
    """The topic a message travels under: its kind and a closing "/", so that prefixes are exact."""
    return TOPICS[type(message)]


def encode(message: Message, envelope: Envelope, codec: Codec = "raw") -> list[bytes | memoryview]:
    """The frames of a message. With codec "raw" columns share memory with the message's arrays.

    Raises:
        WireError: a receiver would refuse it (a value out of range, photons out of order, too large).
    """
    try:
        body = schema.plain(message)
        column_frames = _column_frames(message, codec, body)
        schema.parse(type(message), body)
        _check_spans(body)
        header = {
            "v": VERSION,
            "sid": envelope.sid,
            "seq": envelope.seq,
            "pos": envelope.pos,
            "t_send": envelope.sent_unix_ns,
            "body": body,
        }
        return [topic_of(message).encode("ascii"), pack_map(header), *column_frames]
    except (ValueError, TypeError, OverflowError) as error:
        raise WireError(f"cannot send this {type(message).__name__}: {_one_line(error)}") from error


def decode(frames: Frames) -> tuple[Envelope, Message]:
    """The message in some frames. Arrays are read-only and share memory with the frames.

    Raises:
        WireError: the frames are not a valid message.
    """
    if len(frames) < 2:
        raise WireError("a message has at least a topic and a header")
    kind = _KINDS.get(bytes(frames[0][:64]).decode("latin-1"))
    if kind is None:
        raise WireError("unknown topic")
    try:
        envelope, body = _header(kind, unpack_map(frames[1], MAX_HEADER))
        _check_spans(body)
        return envelope, _assemble(kind, body, [bytes(f) for f in frames[2:]])
    except (ValueError, TypeError, OverflowError) as error:
        raise WireError(f"{TOPICS[kind]} {_one_line(error)}") from error


def pack_map(content: dict[str, Any]) -> bytes:
    """A msgpack map of at most the size a receiver takes; raises WireError."""
    packed: bytes = msgpack.packb(content)
    if len(packed) > MAX_HEADER:
        raise WireError(f"header of {len(packed)} bytes, at most {MAX_HEADER}")
    return packed


def unpack_map(frame: bytes | memoryview, limit: int) -> dict[str, Any]:
    """A msgpack map of this protocol's version from outside; raises WireError whatever it holds."""
    if len(frame) > limit:
        raise WireError(f"header of {len(frame)} bytes, at most {limit}")
    try:
        content = msgpack.unpackb(frame, use_list=False, object_pairs_hook=_unique)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"header is not msgpack: {_one_line(error)}") from None
    if not isinstance(content, dict):
        raise WireError("header is not a map")
    if content.get("v") != VERSION or isinstance(content["v"], bool):
        raise WireError(
            f"it speaks wire format {content.get('v')!r:.20}, not {VERSION}: update the older program"
        )
    return content


def _unique(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a field appears twice")
    return content


@dataclass(frozen=True, slots=True)
class _Head:
    sid: str
    seq: int
    pos: int
    t_send: int


def _header(kind: type, content: dict[str, Any]) -> tuple[Envelope, dict[str, Any]]:
    body = content.pop("body", None)
    del content["v"]
    head = schema.parse(_Head, content)
    return Envelope(head["sid"], head["seq"], head["pos"], head["t_send"]), schema.parse(kind, body)


def _check_spans(body: dict[str, Any]) -> None:
    if body.get("first_pulse", 0) > body.get("stop_pulse", body.get("first_pulse", 0)):
        raise WireError("first_pulse is after stop_pulse")


def _column_frames(message: Message, codec: Codec, body: dict[str, Any]) -> Sequence[bytes | memoryview]:
    """The columns as frames; notes their length and codec in `body`."""
    if isinstance(message, PhotonBatch):
        columns.check_photons(message.photons, message.first_pulse, message.stop_pulse)
        body |= {"n": len(message.photons), "codec": codec}
        if codec == "planes-zstd":
            return columns.pack(message.photons, message.first_pulse)
        return columns.to_columns(message.photons)
    if isinstance(message, Spectrum):
        _check_spectrum(message.wavelength_nm, message.counts)
        body |= {"n": len(message.counts), "codec": "raw"}
        return [
            np.ascontiguousarray(c, "<f8").view(np.uint8).data
            for c in (message.wavelength_nm, message.counts)
        ]
    return []


def _assemble(kind: type, body: dict[str, Any], frames: list[bytes]) -> Message:
    if kind is PhotonBatch:
        photons = _photons(body.pop("n"), body.pop("codec"), body["first_pulse"], frames)
        columns.check_photons(photons, body["first_pulse"], body["stop_pulse"])
        return PhotonBatch(**body, photons=photons)
    if kind is Spectrum:
        n, codec = body.pop("n"), body.pop("codec")
        if codec != "raw" or n > MAX_PIXELS or [len(f) for f in frames] != [8 * n, 8 * n]:
            raise WireError("columns do not have the length the header states")
        wavelength_nm, counts = (np.frombuffer(f, "<f8").astype(np.float64, copy=False) for f in frames)
        _check_spectrum(wavelength_nm, counts)
        return Spectrum(**body, wavelength_nm=wavelength_nm, counts=counts)
    if frames:
        raise WireError("more frames than a message of this kind has")
    message: Message = kind(**body)
    return message


def _photons(n: int, codec: str, first_pulse: int, frames: list[bytes]) -> Photons:
    if n > columns.MAX_PHOTONS:
        raise WireError(f"{n} photons in one batch, at most {columns.MAX_PHOTONS}")
    if codec == "raw":
        return columns.from_columns(frames, n)
    if codec == "planes-zstd":
        return columns.unpack(frames, n, first_pulse)
    raise WireError("unknown codec")


def _check_spectrum(wavelength_nm: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
    if wavelength_nm.dtype != np.float64 or counts.dtype != np.float64 or wavelength_nm.ndim != 1:
        raise WireError("spectrum columns must be float64")
    if wavelength_nm.shape != counts.shape or len(counts) > MAX_PIXELS:
        raise WireError("spectrum columns of different or excessive length")
    if not (np.isfinite(wavelength_nm).all() and np.isfinite(counts).all()):
        raise WireError("spectrum with values that are not finite")
    if not bool((wavelength_nm[1:] > wavelength_nm[:-1]).all()):
        raise WireError("wavelengths do not ascend")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
