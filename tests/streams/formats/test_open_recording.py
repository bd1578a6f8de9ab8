"""Every record type opens, as the messages of a session."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hardware.records import WORD_FORMATS, encoder_for
from hardware.types import LossCause, Photons, RecordLayout
from streams.formats import open_recording
from streams.formats.ptu import RECORD_TYPES
from streams.messages import End, Gap, Marker, PhotonBatch, Segment
from tests.hardware.records.photon_strategies import same_photons
from tests.streams.formats.files import all_photons, pt3_bytes, ptu_bytes, some_photons, write

T3 = RecordLayout.GENERIC_T3


def words_of(
    layout: RecordLayout, photons: Photons | None = None
) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    largest = WORD_FORMATS[layout].largest_nanotime
    photons = some_photons(largest_nanotime=min(largest, 3000)) if photons is None else photons
    return encoder_for(layout).feed(photons, int(photons.pulse[-1]) + 5000)


@pytest.mark.parametrize("record_type", RECORD_TYPES, ids=hex)
def test_every_ptu_record_type_is_read(tmp_path: Path, record_type: int) -> None:
    layout = RECORD_TYPES[record_type]
    expected = some_photons(largest_nanotime=min(WORD_FORMATS[layout].largest_nanotime, 3000))
    path = write(tmp_path, "x.ptu", ptu_bytes(words_of(layout, expected), record_type))
    recording = open_recording(path)
    assert same_photons(all_photons(recording), expected)
    assert recording.problems == ()
    assert recording.photons == len(expected)
    assert recording.acquisition.channels == (0, 1)
    assert recording.acquisition.layout is layout
    assert recording.acquisition.mode == ("T3" if "t3" in layout else "T2")


def test_t3_has_the_pulse_period_of_the_header_and_t2_only_ticks(tmp_path: Path) -> None:
    t3 = open_recording(write(tmp_path, "3.ptu", ptu_bytes(words_of(T3)))).acquisition
    assert t3.pulse_rate_hz == pytest.approx(5e6)
    assert t3.resolution_ps == pytest.approx(64.0)
    assert t3.nanotime_bins == 3125
    t2 = open_recording(write(tmp_path, "2.ptu", ptu_bytes(words_of(RecordLayout.GENERIC_T2), 0x0101_0204)))
    assert t2.acquisition.macro_tick_ps == pytest.approx(1.0)
    assert t2.acquisition.pulse_rate_hz is None
    assert t2.acquisition.resolution_ps is None
    assert t2.acquisition.nanotime_bins == 0


def test_a_content_is_recognised_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = write(tmp_path, "run.timeres", ptu_bytes(words_of(T3)))
    assert open_recording(str(path)).photons == 200


@pytest.mark.parametrize("pad", [b"\0", b" "])
def test_a_pt3_is_read_whether_its_strings_end_in_nuls_or_blanks(tmp_path: Path, pad: bytes) -> None:
    expected = some_photons()
    path = write(tmp_path, "x.pt3", pt3_bytes(words_of(RecordLayout.PICOHARP_T3, expected), pad))
    recording = open_recording(path)
    assert same_photons(all_photons(recording), expected)
    assert recording.acquisition.pulse_rate_hz == pytest.approx(5e6)
    assert recording.acquisition.resolution_ps == pytest.approx(16.0, rel=1e-6)
    assert recording.acquisition.serial == "1234"
    assert recording.header["FormatVersion"] == "2.0"
    assert recording.session.started_unix_ns == 1_667_660_645 * 10**9


def test_a_pt3_image_header_is_skipped(tmp_path: Path) -> None:
    content = pt3_bytes(words_of(RecordLayout.PICOHARP_T3), offset_724=3)
    path = write(tmp_path, "x.pt3", content[:728] + b"\xff" * 12 + content[728:])
    assert open_recording(path).photons == 200
    assert open_recording(path).problems == ()


def test_batches_cover_every_pulse_once_at_any_batch_length(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.ptu", ptu_bytes(words_of(T3))))
    for batch_s in (0.001, 0.05, 100.0):
        messages = list(recording.messages(batch_s))
        batches = [m for m in messages if isinstance(m, PhotonBatch)]
        assert messages[0] == recording.session
        assert messages[1] == Segment(0, recording.acquisition)
        assert messages[-1] == End("end of file")
        assert batches[0].first_pulse == 0
        assert batches[-1].stop_pulse == recording.stop_pulse
        assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
        assert batches[-1].host_time_ns == pytest.approx(recording.duration_s * 1e9, abs=1)
        assert same_photons(all_photons(recording, batch_s), some_photons())


def test_card_markers_come_before_the_batch_that_holds_them(tmp_path: Path) -> None:
    words = np.array([1 << 31 | 63 << 25 | 500, 1 << 31 | 4 << 25 | 7, 1 << 25 | 9], np.uint32)
    recording = open_recording(write(tmp_path, "x.ptu", ptu_bytes(words)))
    marker, batch = (
        m for m in recording.messages(0.05) if isinstance(m, Marker | PhotonBatch) and m != _empty(m)
    )
    assert marker == Marker(0, 500 * 1024 + 7, "card", "marker 3")
    assert isinstance(batch, PhotonBatch)
    assert batch.first_pulse <= marker.pulse < batch.stop_pulse


def _empty(message: Marker | PhotonBatch) -> Marker | PhotonBatch | None:
    return message if isinstance(message, PhotonBatch) and not len(message.photons) else None


def test_one_session_id_per_content(tmp_path: Path) -> None:
    one = write(tmp_path, "a.ptu", ptu_bytes(words_of(T3)))
    copy = write(tmp_path, "b.ptu", one.read_bytes())
    other = write(tmp_path, "c.ptu", ptu_bytes(words_of(T3), TTResult_StopAfter=2001))
    ids = [open_recording(path).session.session_id for path in (one, copy, other)]
    assert ids[0] == ids[1] != ids[2]
    assert all(len(i) == 32 and int(i, 16) for i in ids)


def test_strings_of_a_header_are_cleaned(tmp_path: Path) -> None:
    path = write(
        tmp_path, "x.ptu", ptu_bytes(words_of(T3), File_Comment="a\x1b[2Jb\r\nc", HW_Type="\x9bcard")
    )
    recording = open_recording(path)
    assert recording.session.title == "a�[2Jb c"
    assert "\x9b" not in recording.acquisition.instrument
    assert recording.header["File_Comment"] == recording.session.title


def test_a_count_of_overflows_beyond_the_measurement_is_a_gap_and_not_years_of_darkness(
    tmp_path: Path,
) -> None:
    overflow = 1 << 31 | 63 << 25
    words = np.array([overflow | 2, 5, overflow | 0x1FF_FFFF, 6], np.uint32)
    path = write(tmp_path, "x.ptu", ptu_bytes(words, 0x0101_0204))
    recording = open_recording(path)
    wrap = 2**25
    assert all_photons(recording).pulse.tolist() == [2 * wrap + 5, 3 * wrap + 6]
    [gap] = (m for m in recording.messages() if isinstance(m, Gap))
    assert gap == Gap(0, 2 * wrap, 3 * wrap, LossCause.FILE_DAMAGED)
    [problem] = recording.problems
    assert "overflow records that claim more time" in problem


def test_reading_ends_where_no_card_has_ever_been(tmp_path: Path) -> None:
    overflow = 1 << 31 | 63 << 25
    claims = np.full(400, overflow | 0x1FF_FFFF, np.uint32)  # 1126 s each, 100 h are passed after 320
    words = np.concatenate([np.array([5], np.uint32), claims, np.array([6], np.uint32)])
    path = write(tmp_path, "x.ptu", ptu_bytes(words, 0x0101_0204, TTResult_StopAfter=0))
    recording = open_recording(path)
    assert all_photons(recording, batch_s=3600.0).pulse.tolist() == [5]
    assert recording.duration_s == pytest.approx(360_000.0)
    assert "100 h" in recording.problems[-1]
