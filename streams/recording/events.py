"""Everything but photons as the data of an MCAP message, and back: JSON, and a binary form for spectra."""

import dataclasses
import json
import struct
import typing
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from streams import schema
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
    "ABOUT_CHANNEL",
    "CHANNELS",
    "KINDS",
    "MAX_EVENT",
    "PHOTON_CHANNEL",
    "Channel",
    "decode_event",
    "encode_event",
    "is_recorded",
    "read_json",
]

MAX_EVENT = 1 << 20  # bytes of one event as JSON
MAX_PIXELS = 1 << 16
PHOTON_CHANNEL = 1
ABOUT_CHANNEL = 2

_SPECTRUM_MAGIC = b"qdmonSPC"
_SPECTRUM = struct.Struct("<8sHHIQQQdI")  # magic, version, 0, pixels, segment, first, stop, noise, crc


@dataclasses.dataclass(frozen=True, slots=True)
class Channel:
    """One row of the channel table, the same in every segment: its id never changes its meaning."""

    number: int
    topic: str
    encoding: str
    kind: type | None


_BINARY = "application/x-qdmon"
CHANNELS = (
    Channel(PHOTON_CHANNEL, "/photons", _BINARY, PhotonBatch),
    Channel(ABOUT_CHANNEL, "/about", "json", None),
    Channel(3, "/session", "json", Session),
    Channel(4, "/segment", "json", Segment),
    Channel(5, "/gap", "json", Gap),
    Channel(6, "/fluence", "json", Fluence),
    Channel(7, "/laser", "json", LaserState),
    Channel(8, "/spectrum", _BINARY, Spectrum),
    Channel(9, "/marker", "json", Marker),
    Channel(10, "/alert", "json", Alert),
    Channel(11, "/status", "json", Status),
    Channel(12, "/end", "json", End),
)
KINDS: dict[int, type] = {channel.number: channel.kind for channel in CHANNELS if channel.kind is not None}
_NUMBERS = {kind: number for number, kind in KINDS.items()}
_PASSING = (Heartbeat, RecordingState, ReplayState)


def is_recorded(message: Message) -> bool:
    """Whether a message is kept: all are but those that only say how the daemon is at this moment."""
    return not isinstance(message, _PASSING)


def encode_event(message: Message) -> tuple[int, bytes]:
    """Channel number and data of a message without photons.

    Raises:
        ValueError: no reader would take it (a value out of range, too large).
    """
    kind, body = type(message), schema.plain(message)
    number = _NUMBERS[kind]
    if isinstance(message, Spectrum):
        body |= {"n": len(message.counts), "codec": "raw"}
        schema.parse(kind, body)
        return number, _pack_spectrum(message)
    _check_span(schema.parse(kind, body))
    data = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )
    if len(data) > MAX_EVENT:
        raise ValueError(f"{kind.__name__} of {len(data)} bytes, at most {MAX_EVENT}")
    return number, data


def decode_event(number: int, data: memoryview) -> Message:
    """The message in the data of a channel other than the photons'; texts come cleaned.

    Fields that a newer version added are left out; those that an older one lacked take their defaults.

    Raises:
        ValueError: the data is not such a message.
    """
    kind = KINDS.get(number)
    if kind is None or kind is PhotonBatch:
        raise ValueError(f"unknown channel {number}")
    if kind is Spectrum:
        return _unpack_spectrum(data)
    body = schema.parse(kind, _of_this_version(kind, read_json(data)))
    _check_span(body)
    message: Message = kind(**body)
    return message


def read_json(data: memoryview) -> Any:
    """JSON from outside, lists as tuples; ValueError whatever is wrong with it."""
    if len(data) > MAX_EVENT:
        raise ValueError(f"event of {len(data)} bytes, at most {MAX_EVENT}")
    try:
        return _with_tuples(json.loads(bytes(data), object_pairs_hook=_unique))
    except RecursionError:
        raise ValueError("event is nested too deeply") from None


def _check_span(body: dict[str, Any]) -> None:
    if body.get("first_pulse", 0) > body.get("stop_pulse", body.get("first_pulse", 0)):
        raise ValueError("first_pulse is after stop_pulse")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a field appears twice")
    return content


def _with_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return value


def _of_this_version(kind: type, body: object) -> object:
    if not isinstance(body, dict):
        return body
    hints = typing.get_type_hints(kind)
    known = {}
    for field in dataclasses.fields(kind):
        if field.name in body:
            inner, value = hints[field.name], body[field.name]
            nested = isinstance(inner, type) and dataclasses.is_dataclass(inner)
            known[field.name] = _of_this_version(inner, value) if nested else value
        elif field.default is not dataclasses.MISSING:
            known[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            known[field.name] = field.default_factory()
    return known


def _pack_spectrum(spectrum: Spectrum) -> bytes:
    _check_spectrum(spectrum)
    columns = [np.ascontiguousarray(c, "<f8").tobytes() for c in (spectrum.wavelength_nm, spectrum.counts)]
    head = _SPECTRUM.pack(
        _SPECTRUM_MAGIC,
        1,
        0,
        len(spectrum.counts),
        spectrum.segment,
        spectrum.first_pulse,
        spectrum.stop_pulse,
        spectrum.excess_noise_factor,
        zlib.crc32(b"".join(columns)),
    )
    return b"".join([head, *columns])


def _unpack_spectrum(data: memoryview) -> Spectrum:
    if len(data) < _SPECTRUM.size:
        raise ValueError("spectrum is cut off")
    magic, version, _, n, segment, first, stop, noise, crc = _SPECTRUM.unpack_from(data)
    columns = data[_SPECTRUM.size :]
    if magic != _SPECTRUM_MAGIC or version != 1 or n > MAX_PIXELS or len(columns) != 16 * n:
        raise ValueError("spectrum does not have the length its head states")
    if zlib.crc32(columns) != crc:
        raise ValueError("spectrum does not have the checksum its head states")
    wavelength_nm, counts = (
        np.frombuffer(part, "<f8").astype(np.float64) for part in (columns[: 8 * n], columns[8 * n :])
    )
    spectrum = Spectrum(segment, first, stop, wavelength_nm, counts, noise)
    schema.parse(Spectrum, schema.plain(spectrum) | {"n": n, "codec": "raw"})
    _check_spectrum(spectrum)
    return spectrum


def _check_spectrum(spectrum: Spectrum) -> None:
    wavelength_nm, counts = spectrum.wavelength_nm, spectrum.counts
    if wavelength_nm.shape != counts.shape or wavelength_nm.ndim != 1 or len(counts) > MAX_PIXELS:
        raise ValueError("spectrum columns of different or excessive length")
    if not (np.isfinite(wavelength_nm).all() and np.isfinite(counts).all()):
        raise ValueError("spectrum with values that are not finite")
    if not bool((wavelength_nm[1:] > wavelength_nm[:-1]).all()) or spectrum.first_pulse > spectrum.stop_pulse:
        raise ValueError("spectrum out of order")
