"""Files made to do harm: refused within bounded memory and work, in one line."""

import json
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zstandard

from streams.formats import FormatError, open_recording
from streams.messages import Alert, Message, PhotonBatch
from streams.recording import open_session, recover, verify
from streams.recording.events import decode_event
from streams.recording.payload import ZstdPlanes, pack_photons
from streams.recording.scan import SegmentFile, scan
from tests.streams.recording.sessions import assert_no_wrong_photon, everything, read, written
from tests.streams.wire_samples import batch

MAGIC = b"\x89MCAP0\r\n"


def message(channel: int, pos: int, data: bytes) -> bytes:
    return struct.pack("<BQHIQQ", 5, 22 + len(data), channel, pos, 0, 0) + data


def chunk(*messages: bytes, size: int | None = None, compression: int = 0) -> bytes:
    records = b"".join(messages)
    size = len(records) if size is None else size
    return (
        struct.pack("<BQQQQIIQ", 6, size + 40, 0, 0, size, zlib.crc32(records), compression, size) + records
    )


def photons(first: int = 0) -> bytes:
    return pack_photons([(9, batch(0))], pos=9, session_ns=0, here=(0, 0), codec=ZstdPlanes())


def file_with(folder: Path, *parts: bytes) -> Path:
    path = folder / "0001.mcap"
    path.write_bytes(MAGIC + b"".join(parts))
    return path


def peak_bytes(path: Path) -> int:
    """Memory taken at most by opening and reading a file that is refused or read."""
    tracemalloc.start()
    with suppress(FormatError):
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("size", [1 << 20, 1 << 31, 1 << 62, (1 << 64) - 41])
def test_a_chunk_that_claims_to_be_huge_costs_no_memory(size: int, tmp_path: Path) -> None:
    assert peak_bytes(file_with(tmp_path, chunk(message(1, 0, photons()), size=size))) < 8 << 20


def test_a_plane_that_unpacks_to_a_gigabyte_is_refused_before_it_does(tmp_path: Path) -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 28))
    good = bytearray(photons())
    n, sizes_at = 5, 88 + 24
    frames = [bomb, bomb, bomb]
    head = bytearray(good[:84])
    struct.pack_into("<I", head, 12, len(frames))
    sizes = struct.pack("<3I", *map(len, frames))
    forged = bytes(head) + struct.pack("<I", zlib.crc32(head)) + good[88:sizes_at] + sizes + b"".join(frames)
    assert struct.unpack_from("<I", head, 72) == (n,)
    assert peak_bytes(file_with(tmp_path, chunk(message(1, 9, forged)))) < 8 << 20


def test_a_thousand_false_beginnings_are_looked_at_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_with(tmp_path, b"\xff" * 80, b"qdmonPHO" * 20_000)
    sizes: list[int] = []
    whole = SegmentFile.read

    def counted(file: SegmentFile, offset: int, size: int) -> bytes:
        sizes.append(size)
        return whole(file, offset, size)

    monkeypatch.setattr(SegmentFile, "read", counted)
    found = scan(SegmentFile(path))
    assert not found.chunks
    assert sum(sizes) < 20 * path.stat().st_size + (4 << 20)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"state":"running","state":"fault","text":""}',
        b'{"state":"running","text":' + b"9" * 5000 + b"}",
        b'{"state":"running","text":NaN}',
        b'"' + b"x" * (1 << 21) + b'"',
        b"null",
    ],
    ids=["deep list", "deep map", "not text", "twice", "digits", "NaN", "long", "null"],
)
def test_an_event_that_is_no_message_is_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$"):
        decode_event(11, memoryview(data))


def test_texts_in_a_recording_cannot_steer_a_terminal(tmp_path: Path) -> None:
    alert = {"alert_id": "1", "segment": 0, "pulse": 0, "kind": "x", "severity": "alert"}
    found = decode_event(10, memoryview(json.dumps(alert | {"text": "\x1b]0;pwned\x07\u202e"}).encode()))
    assert isinstance(found, Alert)
    assert "\x1b" not in found.text
    assert "\u202e" not in found.text
    messages = everything(batches=10)
    folder = written(tmp_path, messages)
    [path] = folder.iterdir()
    evil = path.read_bytes().replace(b'"writer": "qdmon', b'"writer": "\x1b[2Jq')
    path.write_bytes(evil)
    assert "\x1b" not in str(dict(open_session(folder).header))


def test_a_link_or_a_pipe_among_the_segments_is_not_followed(tmp_path: Path) -> None:
    folder = written(tmp_path, everything(batches=10))
    (folder / "0002.mcap").symlink_to("/etc/passwd")
    (folder / "0003.mcap").mkdir()
    (folder / "..mcap").touch()
    recording = open_session(folder)
    assert not recording.problems
    assert {place.file.path.name for place in recording.places} == {"0001.mcap"}


def test_foreign_and_compressed_containers_are_refused_by_name(tmp_path: Path) -> None:
    header = struct.pack("<BQ", 1, 8) + struct.pack("<II", 0, 0)
    with pytest.raises(FormatError, match="no intact part of a qdmon recording"):
        open_recording(file_with(tmp_path, header, chunk(message(1, 0, photons()), compression=4)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="folder without a recording"):
        open_recording(tmp_path / "empty")


def test_two_photon_records_or_a_record_beyond_its_chunk_lose_that_chunk_only(tmp_path: Path) -> None:
    folder = written(tmp_path, everything(batches=30))
    [path] = folder.iterdir()
    good = path.read_bytes()
    where = scan(SegmentFile(path)).chunks[3]
    for forged in (
        chunk(message(1, 0, photons()), message(1, 0, photons())),
        chunk(message(1, 0, photons()), b"\x05" + struct.pack("<Q", 1 << 60)),
        chunk(message(1, 0, photons()), message(9, 1, b"{}")),
    ):
        path.write_bytes(good[: where.offset] + forged + good[where.stop :])
        found: list[Message] = read(folder)
        assert sum(isinstance(m, PhotonBatch) for m in found) >= 20
        assert not verify(folder).intact
        assert verify(recover(folder, tmp_path / "out").folder).intact


def test_batches_that_overlap_are_taken_once(tmp_path: Path) -> None:
    folder = written(tmp_path, everything(batches=30))
    [path] = folder.iterdir()
    good = path.read_bytes()
    where = scan(SegmentFile(path)).chunks[4]
    path.write_bytes(good[: where.stop] + good[where.offset : where.stop] + good[where.stop :])
    assert not assert_no_wrong_photon(read(folder), everything(batches=30))
    assert np.isfinite(open_session(folder).duration_s)
