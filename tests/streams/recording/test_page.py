"""docs/recording-format.md is enough to read a recording: this reader knows only the page, zstd and numpy."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from streams import schema
from streams.messages import Message, PhotonBatch, Spectrum
from streams.recording.events import CHANNELS
from streams.wire import topic_of
from tests.streams.recording.sessions import everything, written

PAGE = (Path(__file__).parents[3] / "docs/recording-format.md").read_text(encoding="utf-8")

Found = tuple[int, dict[str, Any]]


def records(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + 9 <= len(data):
        opcode, size = struct.unpack_from("<BQ", data, offset)
        yield opcode, data[offset + 9 : offset + 9 + size]
        offset += 9 + size


def photon_record(data: bytes) -> Iterator[Found]:
    head = struct.unpack_from("<8sHHI7QIII", data)
    magic, version, codec, frames, segment, _, _, first, _, _, _, n, batches, crc = head
    assert (magic, version, codec) == (b"qdmonPHO", 1, 1)
    assert struct.unpack_from("<I", data, 84)[0] == zlib.crc32(data[:84])
    table = data[88 : 88 + 24 * batches]
    sizes = struct.unpack_from(f"<{frames}I", data, 88 + 24 * batches)
    planes, at = [], 88 + 24 * batches + 4 * frames
    for size in sizes:
        assert zstandard.frame_content_size(data[at : at + size]) == n
        planes.append(zstandard.ZstdDecompressor().decompress(data[at : at + size]))
        at += size
    assert zlib.crc32(b"".join([table, *planes])) == crc
    *delta, low, high, channel = (np.frombuffer(plane, np.uint8).astype(np.uint64) for plane in planes)
    steps = np.zeros(n, np.uint64)
    for i, plane in enumerate(delta):
        steps |= plane << np.uint64(8 * i)
    pulse = first + np.cumsum(steps)
    start = 0
    for pos, count, stop, host_ns in struct.iter_unpack("<IIQQ", table):
        part = slice(start, start + count)
        span = {"segment": segment, "first_pulse": first, "stop_pulse": stop, "host_time_ns": host_ns}
        nanotime = (low | high << np.uint64(8))[part]
        photons = {"pulse": pulse[part], "nanotime": nanotime, "channel": channel[part]}
        yield pos, {"topic": "/photons"} | span | photons
        first, start = stop, start + count


def spectrum_record(data: bytes) -> dict[str, Any]:
    magic, _, _, p, segment, first, stop, noise, crc = struct.unpack_from("<8sHHIQQQdI", data)
    assert magic == b"qdmonSPC"
    assert zlib.crc32(data[52:]) == crc
    wavelength, counts = np.frombuffer(data[52:], "<f8").reshape(2, p)
    return {
        "topic": "/spectrum", "segment": segment, "first_pulse": first, "stop_pulse": stop,
        "wavelength_nm": wavelength, "counts": counts, "excess_noise_factor": noise,
    }  # fmt: skip


def messages(folder: Path) -> Iterator[dict[str, Any]]:
    topics = dict(TABLE)
    taken = -1
    for path in sorted(folder.glob("*.mcap*")):
        for opcode, chunk in records(path.read_bytes(), 8):
            if opcode != 6:
                continue
            crc, no_compression = struct.unpack_from("<II", chunk, 24)
            assert not no_compression
            assert zlib.crc32(chunk[40:]) == crc
            found: list[Found] = []
            for inner, message in records(chunk, 40):
                if inner != 5:
                    continue
                channel, pos = struct.unpack_from("<HI", message)
                data = message[22:]
                if topics[channel] == "/photons":
                    found += photon_record(data)
                elif topics[channel] == "/spectrum":
                    found.append((pos, spectrum_record(data)))
                elif topics[channel] != "/about":
                    found.append((pos, {"topic": topics[channel]} | json.loads(data)))
            for pos, content in sorted(found, key=lambda one: one[0]):
                if pos > taken:
                    taken = pos
                    yield content


def table_of_channels() -> list[tuple[int, str]]:
    rows = PAGE.split("| channel | topic | data |\n|---|---|---|\n")[1].split("\n\n")[0].splitlines()
    return [(int(row.split("|")[1]), row.split("`")[1]) for row in rows]


TABLE = table_of_channels()


def plain(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = {"topic": "/" + topic_of(message)[:-1]} | schema.plain(message)
    if isinstance(message, PhotonBatch):
        photons = message.photons
        content |= {"pulse": photons.pulse, "nanotime": photons.nanotime, "channel": photons.channel}
    if isinstance(message, Spectrum):
        content |= {"wavelength_nm": message.wavelength_nm, "counts": message.counts}
    return content


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return list(one) == list(other) if isinstance(one, tuple | list) else bool(one == other)


def test_a_reader_written_from_the_page_reads_every_message_of_a_recording(tmp_path: Path) -> None:
    recorded = everything()
    found = list(messages(written(tmp_path, recorded)))
    assert len(found) == len(recorded)
    assert all(equal(one, plain(message)) for one, message in zip(found, recorded, strict=True))


def test_the_page_lists_every_channel() -> None:
    assert [(channel.number, channel.topic) for channel in CHANNELS] == TABLE
