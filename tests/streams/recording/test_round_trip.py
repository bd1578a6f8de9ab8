"""What is recorded comes back: every message, in order, bit for bit."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import LossCause, Photons
from streams.formats import open_recording
from streams.messages import (
    End,
    Fluence,
    Gap,
    Heartbeat,
    LaserState,
    Message,
    PhotonBatch,
    RecordingState,
    Segment,
    Session,
)
from streams.recording import RecordingPolicy, SessionWriter, create_session, open_session
from streams.recording.codecs import codecs
from streams.recording.payload import pack_photons, unpack_photons
from streams.recording.scan import SegmentFile, scan
from streams.wire import Envelope, decode, encode
from tests.streams.recording.sessions import QUICK, all_same, everything, read, written
from tests.streams.wire_samples import batch, by_kind, same, segment, session

HERE = Envelope("00" * 16, 0, 0, 0)
EVENTS = st.one_of(
    *(
        strategy
        for kind, strategy in by_kind.items()
        if not issubclass(kind, PhotonBatch | Session | Segment | Heartbeat | End)
        and kind.__name__ not in ("RecordingState", "ReplayState")
    )
)


def as_seen_live(message: Message) -> Message:
    """What a viewer gets of it: texts cleaned."""
    return decode(encode(message, HERE))[1]


def without_not_covered(messages: Iterable[Message]) -> list[Message]:
    """Without gaps where nothing was recorded, which reading adds."""
    return [m for m in messages if not (isinstance(m, Gap) and m.cause is LossCause.NOT_COVERED)]


@st.composite
def sessions(draw: st.DrawFn) -> list[Message]:
    """A session with photons of several acquisitions and other messages anywhere."""
    found: list[Message] = [session()]
    for index in range(draw(st.integers(1, 3))):
        found.append(segment(index))
        first = draw(st.sampled_from([0, 1000, 1 << 40]))
        for photons in draw(st.lists(st.integers(0, 30), max_size=8)):
            found += draw(st.lists(EVENTS, max_size=2))
            columns = batch(0, photons, index).photons
            columns = replace(columns, pulse=columns.pulse + np.uint64(first))
            found.append(PhotonBatch(index, first, first + 1000, photons, columns))
            first += 1000
    return [*found, End("over")]


@settings(max_examples=60, deadline=None)
@given(sessions(), st.sampled_from([1e-4, 1e-3, 1.0]), st.sampled_from([4e-3, 600.0]))
def test_every_message_of_any_session_comes_back_in_order(
    messages: list[Message], flush_s: float, segment_s: float
) -> None:
    with TemporaryDirectory() as parent:
        policy = replace(QUICK, flush_s=flush_s, segment_s=segment_s)
        folder = written(Path(parent), messages, policy)
        assert all_same(without_not_covered(read(folder)), without_not_covered(map(as_seen_live, messages)))


def test_a_session_with_everything_in_it_is_replayed_message_for_message(tmp_path: Path) -> None:
    messages = everything()
    folder = written(tmp_path, messages)
    recording = open_recording(folder)
    assert all_same(list(recording.messages()), messages)
    assert not recording.problems
    assert recording.photons == sum(len(m.photons) for m in messages if isinstance(m, PhotonBatch))


def test_segment_files_join_and_each_reads_on_its_own(tmp_path: Path) -> None:
    messages = everything()
    folder = written(tmp_path, messages, replace(QUICK, segment_s=3e-3))
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) > 3
    assert names[0] == "0001.mcap"
    assert all_same(read(folder), messages)
    alone = read(folder / names[2])
    assert same(alone[0], messages[0])
    assert isinstance(alone[1], Segment | LaserState)
    assert any(isinstance(m, Fluence) for m in alone)
    batches = [m for m in alone if isinstance(m, PhotonBatch)]
    assert all(any(same(b, m) for m in messages) for b in batches)
    assert batches


def test_a_message_that_only_says_how_the_daemon_is_is_not_recorded(tmp_path: Path) -> None:
    passing: list[Message] = [Heartbeat({}, 1.0, 0, 0, 0, 0), RecordingState("on")]
    folder = written(tmp_path, [session(), segment(), *passing, batch(0), End("x")])
    assert [type(m) for m in read(folder)] == [Session, Segment, PhotonBatch, End]


def test_a_message_nobody_could_read_is_refused_and_the_others_are_kept(tmp_path: Path) -> None:
    folder = create_session(tmp_path, "x", 0)
    writer = SessionWriter(folder, QUICK)
    writer.add(session(), 0)
    writer.add(segment(), 0)
    photons = Photons(np.array([5, 4], np.uint64), np.zeros(2, np.uint16), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="out of order"):
        writer.add(PhotonBatch(0, 0, 10, 0, photons), 0)
    with pytest.raises(ValueError, match="mean_excitation"):
        writer.add(Fluence(0, 0, float("nan")), 0)
    writer.add(batch(0), 0)
    writer.close()
    assert [type(m) for m in read(folder)] == [Session, Segment, PhotonBatch, End]


def test_a_recording_that_begins_late_says_what_it_does_not_cover(tmp_path: Path) -> None:
    folder = written(tmp_path, [session(), segment(), batch(7), batch(8)])
    found = read(folder)
    assert [type(m).__name__ for m in found] == [
        "Session",
        "Segment",
        "Gap",
        "PhotonBatch",
        "PhotonBatch",
        "End",
    ]
    assert found[2] == Gap(0, 0, 7000, LossCause.NOT_COVERED)


def test_reading_can_begin_anywhere_with_what_holds_there(tmp_path: Path) -> None:
    messages = everything()
    recording = open_session(written(tmp_path, messages))
    start_s = 41 * 0.2e-3
    found = list(recording.messages_from(start_s))
    first = next(m for m in found if isinstance(m, PhotonBatch))
    assert first.first_pulse <= 41_000 < first.first_pulse + 6000
    at = next(i for i, m in enumerate(messages) if same(m, first))
    for kind in (Session, Segment, Fluence, LaserState):
        in_force = [m for m in messages[:at] if isinstance(m, kind)][-1]
        assert [m for m in found[: len(found) - len(messages) + at] if isinstance(m, kind)][-1] == in_force
    assert all_same(found[len(found) - len(messages) + at :], messages[at:])


def test_the_container_is_read_by_the_public_library_with_all_its_checksums(tmp_path: Path) -> None:
    from mcap.reader import make_reader

    folder = written(tmp_path, everything())
    with (folder / "0001.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        topics = {channel.topic for _, channel, _ in reader.iter_messages()}
        summary = reader.get_summary()
    assert {"/photons", "/session", "/segment", "/fluence", "/laser", "/spectrum", "/alert"} <= topics
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.chunk_count == len(scan(SegmentFile(folder / "0001.mcap")).chunks)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 1 << 62), max_size=50),
    st.integers(0, 1 << 16 - 1),
    st.sampled_from(sorted(codecs())),
)
def test_photon_records_hold_any_photons(pulses: list[int], seed: int, number: int) -> None:
    pulse = np.sort(np.array(pulses, np.uint64))
    rng = np.random.default_rng(seed)
    n = len(pulse)
    photons = Photons(
        pulse, rng.integers(0, 1 << 16, n).astype(np.uint16), rng.integers(0, 256, n).astype(np.uint8)
    )
    first = int(pulse[0]) if n else 0
    made = PhotonBatch(3, first, (1 << 62) + 1, 9, photons)
    data = pack_photons([(17, made)], pos=17, session_ns=5, here=(0, 0), codec=codecs()[number])
    head, [(pos, found)] = unpack_photons(memoryview(data), codecs())
    assert (head.photons, head.segment, pos) == (n, 3, 17)
    assert same(found, made)


def test_names_are_made_from_an_allow_list(tmp_path: Path) -> None:
    folder = create_session(tmp_path, "../../etc/\x1b[31mpasswd ☃ Ünïcode " + "x" * 300, 0)
    assert folder.parent == tmp_path
    assert folder.name[15:].startswith("-etc-31mpasswd-unicode-xxx")
    assert len(folder.name) <= 16 + 40 + 9
    again = create_session(tmp_path, "", 0)
    assert "-session-" in again.name
    assert RecordingPolicy().sync == "second"
