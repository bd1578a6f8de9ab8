from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hardware.types import Photons
from streams.messages import Heartbeat, Marker, Message, PhotonBatch, Spectrum, Status
from streams.wire import TOPICS, Codec, Envelope, WireError, decode, encode, topic_of
from tests.streams import wire_samples as samples

HERE = Envelope("00" * 16, 1, 2, 3)


def as_bytes(message: Message, codec: Codec = "raw") -> list[bytes]:
    return [bytes(frame) for frame in encode(message, HERE, codec)]


def with_header(message: Message, **changes: Any) -> list[bytes]:
    frames = as_bytes(message)
    header = msgpack.unpackb(frames[1])
    body = {key: value for key, value in changes.items() if key in header["body"] or key == "extra"}
    header["body"] |= body
    header |= {key: value for key, value in changes.items() if key not in body}
    return [frames[0], msgpack.packb(header), *frames[2:]]


@pytest.mark.parametrize("kind", TOPICS)
def test_every_message_survives_the_wire(kind: type) -> None:
    @given(samples.by_kind[kind], samples.envelopes, st.sampled_from(["raw", "planes-zstd"]))
    def survives(message: Message, envelope: Envelope, codec: Codec) -> None:
        again, received = decode(encode(message, envelope, codec))
        assert again == envelope
        assert type(received) is kind
        assert samples.same(received, message)

    survives()


def test_topics_are_exact_prefixes() -> None:
    topics = list(TOPICS.values())
    assert all(topic.endswith("/") and topic.isascii() for topic in topics)
    assert not any(a != b and b.startswith(a) for a in topics for b in topics)
    assert bytes(encode(samples.batch(0), HERE)[0]) == b"photons/"


@given(samples.messages, st.sampled_from(["raw", "planes-zstd"]), st.data())
def test_damaged_frames_give_a_wire_error_or_a_valid_message(
    message: Message, codec: Codec, data: st.DataObject
) -> None:
    frames = as_bytes(message, codec)
    for _ in range(data.draw(st.integers(1, 3))):
        which = data.draw(st.integers(0, len(frames) - 1)) if frames else 0
        damage = data.draw(st.sampled_from(["cut", "flip", "drop", "double", "insert"]))
        if not frames:
            break
        frame = frames[which]
        at = data.draw(st.integers(0, max(len(frame) - 1, 0)))
        if damage == "cut":
            frames[which] = frame[:at]
        elif damage == "flip" and frame:
            frames[which] = frame[:at] + bytes([frame[at] ^ data.draw(st.integers(1, 255))]) + frame[at + 1 :]
        elif damage == "drop":
            del frames[which]
        elif damage == "double":
            frames.insert(which, frame)
        else:
            frames[which] = frame[:at] + data.draw(st.binary(min_size=1, max_size=9)) + frame[at:]
    try:
        envelope, received = decode(frames)
    except WireError:
        return
    assert samples.same(decode(encode(received, envelope))[1], received)


@given(st.lists(st.binary(max_size=60), max_size=6))
@example([])
@example([b"photons/", b"\xc1"])
@example([b"status/", b"\x91" * 3000])
@example([b"status/", b"\xdf\xff\xff\xff\xff"])
@example([b"status/", msgpack.packb({"v": 1})])
@example([b"status/", msgpack.packb({"v": True})])
def test_noise_is_never_more_than_a_wire_error(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        decode([*frames])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"n": 1 << 40}, "at most"),
        ({"n": 4}, "length"),
        ({"first_pulse": 1 << 63}, "first_pulse"),
        ({"first_pulse": -1}, "first_pulse"),
        ({"first_pulse": 5000}, "after stop_pulse"),
        ({"first_pulse": 999}, "outside"),
        ({"stop_pulse": 500}, "outside"),
        ({"segment": True}, "segment"),
        ({"segment": 1.0}, "segment"),
        ({"codec": "gzip"}, "codec"),
        ({"extra": 1}, "extra"),
        ({"more": 1}, "more"),
        ({"sid": bytes(16)}, "sid"),
        ({"sid": "0G" * 16}, "sid"),
        ({"seq": 1 << 63}, "seq"),
        ({"v": 2}, "wire format 2"),
    ],
)
def test_a_header_that_lies_is_refused_with_the_reason(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        decode(with_header(samples.batch(0), **changes))


def test_a_field_given_twice_is_refused() -> None:
    doubled = b"\x82" + 2 * (msgpack.packb("v") + msgpack.packb(1))
    with pytest.raises(WireError, match="twice"):
        decode([b"status/", doubled])


def test_a_compressed_plane_cannot_blow_up() -> None:
    import zstandard

    frames = as_bytes(samples.batch(0), "planes-zstd")
    frames[-1] = zstandard.ZstdCompressor().compress(bytes(1 << 24))
    with pytest.raises(WireError, match="length"):
        decode(frames)


def test_photons_out_of_order_are_neither_sent_nor_believed() -> None:
    batch = samples.batch(0)
    shuffled = Photons(batch.photons.pulse[::-1], batch.photons.nanotime, batch.photons.channel)
    backwards = PhotonBatch(0, 0, 1000, 0, shuffled)
    with pytest.raises(WireError, match="out of order"):
        encode(backwards, HERE)
    frames = as_bytes(batch)
    frames[2] = shuffled.pulse.tobytes()
    with pytest.raises(WireError, match="out of order"):
        decode(frames)


def test_text_from_the_wire_cannot_steer_a_terminal() -> None:
    _, received = decode(with_header(Status("running", ""), text="\x1b]0;owned\x07 ok\u202e" + 5000 * "x"))
    assert isinstance(received, Status)
    assert received.text.isprintable()
    assert len(received.text) <= 4000


def test_unknown_numbers_stay_unknown_and_nan_is_refused() -> None:
    spectrum = Spectrum(0, 0, 1, np.array([500.0, 501.0]), np.array([1.0, np.nan]))
    with pytest.raises(WireError, match="not finite"):
        encode(spectrum, HERE)
    with pytest.raises(WireError, match="uptime_s"):
        encode(Heartbeat({}, float("nan"), 0, 0, 0, 0), HERE)


def test_received_arrays_cannot_be_written_to() -> None:
    codecs: tuple[Codec, ...] = ("raw", "planes-zstd")
    for codec in codecs:
        _, received = decode(as_bytes(samples.batch(3), codec))
        assert isinstance(received, PhotonBatch)
        photons = received.photons
        assert not any(c.flags.writeable for c in (photons.pulse, photons.nanotime, photons.channel))


def test_what_was_received_does_not_change_when_the_buffer_is_used_again() -> None:
    buffers = [bytearray(frame) for frame in as_bytes(samples.batch(3))]
    _, received = decode([memoryview(b) for b in buffers])
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))
    assert samples.same(received, samples.batch(3))


def test_ten_minutes_of_a_100_kcps_dot_fit_in_200_mb() -> None:
    rng = np.random.default_rng(7)
    n = 5000  # 50 ms
    pulse = np.cumsum(rng.geometric(1 / 50, n)).astype(np.uint64)
    nanotime = np.minimum(rng.exponential(25_000 / 16, n) + 30, 12_499).astype(np.uint16)
    photons = Photons(pulse, nanotime, rng.integers(0, 2, n).astype(np.uint8))
    message = PhotonBatch(0, 0, int(pulse[-1]) + 1, 0, photons)
    size = sum(map(len, as_bytes(message, "planes-zstd")))
    assert size / n * 1e5 * 600 < 200e6
    assert topic_of(message) == "photons/"


def test_a_header_too_large_to_be_believed_is_not_sent() -> None:
    note = Marker(0, 0, "operator", "x" * (1 << 21))
    with pytest.raises(WireError, match="at most"):
        encode(note, HERE)
