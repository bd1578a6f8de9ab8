"""PicoQuant's older files, photon by photon, and what is refused of them."""

from pathlib import Path

import pytest

from hardware.types import RecordLayout
from streams.formats import FormatError, open_recording
from tests.hardware.records.photon_strategies import same_photons
from tests.streams.formats.files import all_photons, pt3_bytes, write
from tests.streams.formats.old_files import FILES, ht_bytes, photons_of, pt2_bytes, t3r_bytes, words_of

T3, PH_T2, TH = RecordLayout.GENERIC_T3, RecordLayout.PICOHARP_T2, RecordLayout.TIMEHARP_200_T3


@pytest.mark.parametrize("kind", FILES)
def test_every_older_file_gives_its_photons_back_whatever_its_name(tmp_path: Path, kind: str) -> None:
    layout, content = FILES[kind]
    recording = open_recording(write(tmp_path, "run.stream", content))
    assert same_photons(all_photons(recording, 10.0), photons_of(layout))
    assert recording.problems == ()
    assert recording.acquisition.layout is layout
    assert recording.acquisition.channels == (0, 1, 2)
    assert recording.acquisition.mode == ("T3" if "t3" in layout else "T2")


@pytest.mark.parametrize(
    ("kind", "tick_ps"),
    [("a.ht2, 1.0", 0.5), ("a.ht2, 2.0", 1.0), ("a.pt2", 4.0), ("a.ht3, 1.0", 2e5), ("a.t3r, 5.0", 1e5)],
)
def test_a_step_is_a_tick_of_the_card_in_t2_a_pulse_in_t3_and_a_clock_of_its_own_in_a_t3r(
    tmp_path: Path, kind: str, tick_ps: float
) -> None:
    acquisition = open_recording(write(tmp_path, "x", FILES[kind][1])).acquisition
    assert acquisition.macro_tick_ps == pytest.approx(tick_ps, rel=1e-12)
    assert acquisition.counts_pulses == ("ht3" in kind)


@pytest.mark.parametrize("kind", ["a.t3r, 5.0", "a.t3r, 6.0"])
def test_the_laser_of_a_t3r_is_the_measured_rate_and_its_window_all_tac_channels(
    tmp_path: Path, kind: str
) -> None:
    recording = open_recording(write(tmp_path, "x", FILES[kind][1]))
    acquisition = recording.acquisition
    assert acquisition.pulse_rate_hz == pytest.approx(5e6)
    assert acquisition.resolution_ps == pytest.approx(70.0, rel=1e-6)
    assert acquisition.nanotime_bins == 4096
    assert acquisition.serial == "76"
    assert recording.session.title == "a title"
    assert recording.session.started_unix_ns == 1_063_025_503 * 10**9


def test_a_recording_says_who_made_it(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.ht3", FILES["a.ht3, 2.0"][1]))
    assert recording.acquisition.instrument == "HydraHarp 400"
    assert recording.acquisition.serial == "77"
    assert recording.session.software == "AcqUI"
    assert recording.header["NumRecords"] == len(words_of(T3))
    assert recording.session.started_unix_ns == 1_518_046_664 * 10**9


@pytest.mark.parametrize(
    ("content", "header_bytes"),
    [
        (ht_bytes(words_of(T3), tail_12=3), 800),
        (pt2_bytes(words_of(PH_T2), offset_724=3), 728),
        (t3r_bytes(words_of(TH), offset_588=3), 592),
    ],
    ids=["ht3", "pt2", "t3r"],
)
def test_an_image_header_is_skipped(tmp_path: Path, content: bytes, header_bytes: int) -> None:
    inserted = content[:header_bytes] + b"\xff" * 12 + content[header_bytes:]
    recording = open_recording(write(tmp_path, "x", inserted))
    assert recording.photons == 200
    assert recording.problems == ()


def test_a_byte_behind_all_promised_records_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert open_recording(write(tmp_path, "x", FILES["a.t3r, 5.0"][1] + b"\0")).problems == ()


def test_a_count_of_records_that_lies_is_said_and_not_believed(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x", ht_bytes(words_of(T3), tail_16=-1, tail_20=0x7FFF_FFFF)))
    assert recording.photons == 200
    assert recording.problems[0].startswith("the header promises 9223372036854775807 records, the file holds")


WORDS = words_of(T3)
BAD_FILES = {
    "ends inside its header (300 of 696 bytes)": ht_bytes(WORDS)[:300],
    "ends inside its header (790 of 800 bytes)": ht_bytes(WORDS)[:790],
    "is a HydraHarp file of format '3.0'; qdmon reads 1.0 and 2.0": ht_bytes(WORDS, b"3.0"),
    "is a HydraHarp histogram (.hhd), not photons": ht_bytes(WORDS, mode=0),
    "is a HydraHarp file of measurement mode 9": ht_bytes(WORDS, mode=9),
    "impossible number of inputs in its header (-1)": ht_bytes(WORDS, offset_664=-1),
    "impossible number of inputs in its header (65)": ht_bytes(WORDS, offset_664=65),
    "lacks the pulse rate, which cannot be guessed (SyncRate": ht_bytes(WORDS, tail_0=0),
    "impossible TCSPC resolution in its header (nan ps)": ht_bytes(WORDS, resolution_ps=float("nan")),
    "impossible TCSPC resolution in its header (0 ps)": ht_bytes(WORDS, resolution_ps=0.0),
    "impossible image header (-7 words)": ht_bytes(WORDS, tail_12=-7),
    "records of 64 bits": ht_bytes(WORDS, offset_332=64),
    "is a PicoHarp 300 histogram (.phd), not photons": pt3_bytes(WORDS, offset_348=0),
    "is a PicoHarp 300 file of measurement mode 4": pt3_bytes(WORDS, offset_348=4),
    "ends inside its header (20 of 22 bytes)": t3r_bytes(WORDS)[:20],
    "ends inside its header (600 of 640 bytes)": t3r_bytes(WORDS, b"6.0")[:600],
    "is a TimeHarp 200 file of format '3.0'; qdmon reads 5.0 and 6.0": t3r_bytes(WORDS, b"3.0"),
    "is a TimeHarp 200 histogram (.thd), not photons": t3r_bytes(WORDS, offset_328=0),
    "lacks the pulse rate": t3r_bytes(WORDS, offset_568=-3),
    "impossible clock in its header (0 ns)": t3r_bytes(WORDS, offset_540=0),
    "impossible TCSPC resolution in its header (inf ns)": t3r_bytes(WORDS, resolution_ns=float("inf")),
    "holds records of 16 bits": t3r_bytes(WORDS, offset_312=16),
}


@pytest.mark.parametrize("reason", BAD_FILES)
def test_an_older_file_that_cannot_be_read_says_why_in_one_line(tmp_path: Path, reason: str) -> None:
    path = write(tmp_path, "x", BAD_FILES[reason])
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    assert reason in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)
