"""Opening what is there: whole sessions, running ones, single files, and several acquisitions."""

from dataclasses import replace
from pathlib import Path

import pytest

from hardware.types import LossCause, Photons
from streams.formats import FormatError, open_recording
from streams.messages import End, Gap, Marker, Message, PhotonBatch
from streams.recording import (
    RecordingError,
    SessionWriter,
    archive,
    create_session,
    list_sessions,
    open_session,
    verify,
)
from streams.recording.codecs import codecs
from streams.recording.payload import PCODEC
from streams.recording.scan import SegmentFile, scan
from streams.wire import topic_of
from tests.streams.recording.sessions import QUICK, all_same, everything, read, written
from tests.streams.wire_samples import batch, same, segment, session


def test_a_recording_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    messages = everything()
    folder = create_session(tmp_path, "x", 0)
    writer = SessionWriter(folder, QUICK)
    for message in messages[:50]:
        writer.add(message, 0)
    writer.flush()
    recording = open_session(folder)
    assert all_same(list(recording.messages())[:-1], messages[:50])
    assert "not closed" in recording.problems[0]
    for message in messages[50:]:
        writer.add(message, 0)
    writer.close()
    assert all_same(list(recording.messages())[:-1], messages[:50])  # the file has its final name now
    assert all_same(read(folder), messages)


def test_an_unfinished_recording_verifies_and_ends_with_a_word_that_it_ends(tmp_path: Path) -> None:
    folder = written(tmp_path, everything()[:-3], close=False)
    report = verify(folder)
    assert report.intact
    assert not report.closed
    assert read(folder)[-1] == End("end of recording")


def test_a_block_made_unrecognisable_in_an_unfinished_recording_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path, everything(batches=20)[:-3], close=False)
    [path] = folder.iterdir()
    whole = path.read_bytes()
    for chunk in scan(SegmentFile(path)).chunks:
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[chunk.offset] ^= 1 << bit  # what says that it is a block: another kind is passed over
            path.write_bytes(flipped)
            assert not verify(folder).intact


def test_several_acquisitions_follow_each_other_in_time(tmp_path: Path) -> None:
    messages: list[Message] = [session()]
    for index in range(3):
        messages.append(segment(index))
        messages += [batch(i, 20, index) for i in range(10)]
    recording = open_session(written(tmp_path, [*messages, End("x")]))
    assert [part.index for part in recording.stretches] == [0, 1, 2]
    assert recording.duration_s == pytest.approx(3 * 10 * 1000 * 200e-9)
    assert all_same(list(recording.messages()), [*messages, End("x")])
    late = [m for m in recording.messages_from(2.5 * 10 * 1000 * 200e-9) if isinstance(m, PhotonBatch)]
    assert {m.segment for m in late} == {2}
    assert sum(len(block.photons) for block in recording.blocks()) == 200


def test_a_missing_file_is_said_and_is_a_gap(tmp_path: Path) -> None:
    messages = everything()
    folder = written(tmp_path, messages, replace(QUICK, segment_s=3e-3))
    (folder / "0002.mcap").unlink()
    recording = open_session(folder)
    assert "segment file 0002 is missing" in recording.problems
    gaps = [m for m in recording.messages() if isinstance(m, Gap) and m.cause is LossCause.FILE_DAMAGED]
    assert len(gaps) == 1
    assert not verify(folder).intact


def test_a_gap_in_the_card_that_reaches_beyond_a_lost_block_stays_known(tmp_path: Path) -> None:
    messages: list[Message] = [session(), segment(), *(batch(i, 40) for i in range(40))]
    wide = Gap(0, 11_000, 33_500, LossCause.FIFO_OVERRUN, 7)
    messages.insert(2 + 11, wide)
    folder = written(tmp_path, messages)
    recording = open_session(folder)
    place = next(p for p in recording.places if p.chunk.photons and p.chunk.photons.stop_pulse > 11_000)
    data = bytearray(place.file.path.read_bytes())
    data[place.chunk.stop - 1] ^= 1
    place.file.path.write_bytes(data)
    found = read(folder)
    assert any(m == wide for m in found)
    damaged = next(m for m in found if isinstance(m, Gap) and m.cause is LossCause.FILE_DAMAGED)
    assert found.index(damaged) < found.index(wide)


def test_damage_found_while_reading_is_told_afterwards(tmp_path: Path) -> None:
    folder = written(tmp_path, everything())
    recording = open_recording(folder)
    [path] = folder.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert not recording.problems
    assert any(isinstance(m, Gap) and m.cause is LossCause.FILE_DAMAGED for m in recording.messages())
    assert "is lost" in recording.problems[0]


def test_fields_a_newer_or_an_older_version_writes_do_not_stop_a_reader(tmp_path: Path) -> None:
    from streams.recording.events import decode_event

    newer = b'{"segment":0,"pulse":5,"origin":"card","text":"x","colour":"red"}'
    assert decode_event(9, memoryview(newer)) == Marker(0, 5, "card", "x")
    older = b'{"segment":0,"pulse":5,"mean_excitation":0.1}'
    assert topic_of(decode_event(6, memoryview(older))) == "fluence/"


def test_the_sessions_of_a_folder_are_listed_with_what_is_wrong(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "nowhere") == ()
    good = written(tmp_path, everything())
    create_session(tmp_path, "empty", 10**18)
    (tmp_path / "something else").mkdir()
    infos = {info.path.name: info for info in list_sessions(tmp_path)}
    assert len(infos) == 2
    assert infos[good.name].photons == 60 * 40
    assert infos[good.name].problems == ()
    [empty] = [info for info in infos.values() if info.empty]
    assert empty.problems == ("nothing was recorded yet",)


@pytest.mark.skipif(PCODEC not in codecs(), reason="the optional package pcodec is not installed")
def test_an_archive_is_smaller_and_holds_the_same_messages(tmp_path: Path) -> None:
    messages: list[Message] = [session(), segment(), *(dense(i) for i in range(20)), End("x")]
    folder = written(tmp_path, messages)
    copied = archive(folder, tmp_path / "archive")
    found = read(copied.folder)
    assert all(same(a, b) for a, b in zip(found, messages, strict=True))
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert copied.size_bytes < size
    assert copied.photons == 20 * 2000


def test_an_archive_without_its_codec_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.recording import codecs as module

    monkeypatch.setattr(module, "codecs", dict)
    with pytest.raises(RecordingError, match="pip install"):
        archive(written(tmp_path, everything(batches=5)))


def test_nothing_to_open_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not there"):
        open_session(tmp_path / "no")


def dense(number: int) -> PhotonBatch:
    many = batch(number, 2000)
    return replace(
        many, photons=Photons(many.photons.pulse, many.photons.nanotime % 500, many.photons.channel)
    )
