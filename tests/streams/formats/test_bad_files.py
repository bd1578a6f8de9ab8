"""Foreign, cut and damaged files end in one line that says what to do, or in what can still be read."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.records import encoder_for
from hardware.types import RecordLayout
from streams.formats import FormatError, open_recording
from streams.formats.ptu_tags import MAGIC
from streams.formats.registry import FORMATS
from streams.messages import End, PhotonBatch
from tests.hardware.records.photon_strategies import same_photons
from tests.streams.formats.files import all_photons, pt3_bytes, ptu_bytes, some_photons, write
from tests.streams.formats.old_files import FILES, spc_bytes

WORDS = encoder_for(RecordLayout.GENERIC_T3).feed(some_photons(), 700_000)
GOOD = ptu_bytes(WORDS)
HEADER_BYTES = len(GOOD) - 4 * len(WORDS)
GOOD_T2 = ptu_bytes(
    encoder_for(RecordLayout.GENERIC_T2).feed(some_photons(gap=10**9, largest_nanotime=0), 0), 0x0101_0204
)
GOOD_PT3 = pt3_bytes(encoder_for(RecordLayout.PICOHARP_T3).feed(some_photons(), 700_000))
GOOD_SPC = spc_bytes(encoder_for(RecordLayout.BECKER_HICKL_T3).feed(some_photons(), 700_000))
ENDINGS = ", ".join(known.ending for known in FORMATS if known.ending)

BAD_FILES = {
    "is empty": b"",
    f"is not a photon recording qdmon can read ({ENDINGS})": b"MZ\x90\0 and so on",
    "ends inside its header, after 0 tags": MAGIC + b"1.0.00\0\0",
    "after 8 tags": GOOD[: HEADER_BYTES - 10],
    "record type is missing": ptu_bytes(WORDS, TTResultFormat_TTTRRecType=KeyError),
    "records of type 00099999": ptu_bytes(WORDS, 0x0009_9999),
    "not 32 bits long": ptu_bytes(WORDS, TTResultFormat_BitsPerRecord=64),
    "lacks the pulse rate": ptu_bytes(WORDS, MeasDesc_GlobalResolution=KeyError),
    "tag MeasDesc_Resolution is missing": ptu_bytes(WORDS, MeasDesc_Resolution=KeyError),
    "MeasDesc_GlobalResolution is nan": ptu_bytes(WORDS, MeasDesc_GlobalResolution=float("nan")),
    "MeasDesc_GlobalResolution is 0 s": ptu_bytes(WORDS, MeasDesc_GlobalResolution=0.0),
    "unknown type 77777777": GOOD.replace(b"\x08\0\0\x10", b"wwww", 1),
    "ends inside its header (300 of 728 bytes)": GOOD_PT3[:300],
    "of format '1.1'": GOOD_PT3[:16] + b"1.1\0\0\0" + GOOD_PT3[22:],
    "measurement mode 5": pt3_bytes(WORDS, offset_348=5),
    "lacks the pulse rate, which cannot be guessed (InpRate0": pt3_bytes(WORDS, offset_704=0),
    "impossible TCSPC resolution": pt3_bytes(WORDS, offset_584=-1),
    "impossible image header": pt3_bytes(WORDS, offset_724=-5),
    "16 bits": pt3_bytes(WORDS, offset_332=16),
    "ends inside its header: copy": pt3_bytes(WORDS[:2], offset_724=1000),
}


@pytest.mark.parametrize("reason", BAD_FILES)
def test_a_file_that_cannot_be_read_says_why_in_one_line(tmp_path: Path, reason: str) -> None:
    path = write(tmp_path, "x.bin", BAD_FILES[reason])
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    message = str(refused.value)
    assert reason in message.replace("tag TTResultFormat_TTTRRecType", "record type")
    assert message.startswith(str(path))
    assert "\n" not in message


def test_the_formats_a_refusal_lists_are_those_with_photons() -> None:
    listed = set(ENDINGS.split(", "))
    assert {".ptu", ".pt2", ".pt3", ".ht2", ".ht3", ".t3r", ".spc"} <= listed
    assert not listed & {".phu", ""}


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is not there"):
        open_recording(tmp_path / "no.ptu")
    with pytest.raises(FormatError, match="is a folder"):
        open_recording(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="not a regular file"):
        open_recording(tmp_path / "pipe")


def test_the_pulse_rate_is_taken_from_the_sync_rate_if_only_that_is_told(tmp_path: Path) -> None:
    content = ptu_bytes(WORDS, MeasDesc_GlobalResolution=KeyError, TTResult_SyncRate=4_000_000)
    assert open_recording(write(tmp_path, "x.ptu", content)).acquisition.pulse_rate_hz == pytest.approx(4e6)


def test_a_tag_that_claims_more_bytes_than_the_file_has_is_refused_before_any_is_read(tmp_path: Path) -> None:
    claim = b"Huge".ljust(32, b"\0") + b"\xff" * 4 + b"\xff\xff\x01\x40" + (1 << 62).to_bytes(8, "little")
    with pytest.raises(FormatError, match="'Huge', which claims 4611686018427387904 bytes"):
        open_recording(write(tmp_path, "x.ptu", GOOD[:16] + claim + GOOD[16:]))


def test_an_endless_list_of_tags_is_refused(tmp_path: Path) -> None:
    tag = b"T".ljust(32, b"\0") + b"\xff" * 4 + b"\x08\0\0\x10" + bytes(8)
    with pytest.raises(FormatError, match="more than 20000 tags"):
        open_recording(write(tmp_path, "x.ptu", GOOD[:16] + tag * 20_001 + GOOD[16:]))


def test_a_cut_file_gives_what_is_there_and_says_what_is_not(tmp_path: Path) -> None:
    path = write(tmp_path, "x.ptu", GOOD[: HEADER_BYTES + 4 * 100 + 3])
    recording = open_recording(path)
    whole = all_photons(open_recording(write(tmp_path, "whole.ptu", GOOD)))
    some = all_photons(recording)
    assert 0 < len(some) < len(whole)
    assert same_photons(some, whole.between(0, int(some.pulse[-1]) + 1))
    assert recording.problems == (
        f"the header promises {len(WORDS)} records, the file holds 100: reading what is there",
        "the last record is cut after 3 of 4 bytes: it is left out",
    )


def test_a_recording_whose_writer_died_is_read_to_its_end(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.ptu", ptu_bytes(WORDS, TTResult_NumberOfRecords=0)))
    assert len(all_photons(recording)) == 200
    assert "promises 0 records" in recording.problems[0]


def test_a_file_without_photons_opens_and_says_so(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.ptu", ptu_bytes(np.empty(0, np.uint32))))
    assert recording.problems == ("there are no photons in it",)
    assert recording.acquisition.channels == ()
    assert recording.stop_pulse == 0
    assert [type(m).__name__ for m in recording.messages()] == ["Session", "Segment", "End"]


def test_records_beyond_the_time_in_the_header_are_read_and_said(tmp_path: Path) -> None:
    words = encoder_for(RecordLayout.GENERIC_T3).feed(some_photons(), 25_000_000)
    recording = open_recording(write(tmp_path, "x.ptu", ptu_bytes(words)))
    assert recording.duration_s == pytest.approx(5.0, rel=1e-3)
    assert recording.problems == ("the records run to 5 s, the header says 2 s: using the records",)


def with_flipped_bits(words: np.ndarray[tuple[int], np.dtype[np.uint32]], n: int, lowest_bit: int) -> bytes:
    """A PTU file in which one bit of each of n words is not what was written."""
    rng = np.random.default_rng(8)
    flipped = words.copy()
    at = rng.choice(len(words), n, replace=False)
    flipped[at] ^= np.uint32(1) << rng.integers(lowest_bit, 31, n).astype(np.uint32)
    return ptu_bytes(flipped)


@pytest.mark.parametrize("lowest_bit", [25, 0])
def test_detectors_that_only_damaged_records_name_are_told_and_their_photons_kept(
    tmp_path: Path, lowest_bit: int
) -> None:
    words = encoder_for(RecordLayout.GENERIC_T3).feed(some_photons(20_000, gap=500), 10_000_000)
    recording = open_recording(write(tmp_path, "x.ptu", with_flipped_bits(words, 30, lowest_bit)))
    odd = [c for c in recording.acquisition.channels if c > 1]
    assert odd
    (told,) = [problem for problem in recording.problems if "detector" in problem]
    assert told.startswith(f"detectors {', '.join(map(str, odd))} saw ")
    assert "damaged" in told
    assert len(all_photons(recording)) == recording.photons
    # It is a suspicion, not damage that was found.
    assert told in recording.assumed


@pytest.mark.parametrize("clicks", [0, 60])
def test_a_detector_in_the_dark_is_nothing_odd(tmp_path: Path, clicks: int) -> None:
    """In two seconds it clicks some dozens of times."""
    photons = some_photons(200_000, gap=50)
    photons.channel[:] = 0
    photons.channel[:: len(photons) // max(clicks, 1)][:clicks] = 1
    words = encoder_for(RecordLayout.GENERIC_T3).feed(photons, 10_000_000)
    assert open_recording(write(tmp_path, "x.ptu", ptu_bytes(words))).problems == ()


def test_a_file_that_shrinks_while_it_is_read_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "x.ptu", GOOD)
    recording = open_recording(path)
    path.write_bytes(GOOD[:HEADER_BYTES])
    with pytest.raises(FormatError, match="became shorter"):
        all_photons(recording)


flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=6)


@given(
    st.sampled_from([GOOD, GOOD_T2, GOOD_PT3, GOOD_SPC, *(c for _, c in FILES.values())]),
    flips,
    st.floats(0, 1),
    st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    flipped: list[tuple[float, int]],
    kept: float,
    cut: bool,
) -> None:
    damaged = bytearray(content)
    for where, bit in flipped:
        damaged[int(where * len(damaged))] ^= 1 << bit
    path = write(
        tmp_path_factory.getbasetemp(),
        "damaged",
        bytes(damaged[: int(kept * len(damaged))] if cut else damaged),
    )
    try:
        recording = open_recording(path)
    except FormatError:
        return
    photons, position = 0, 0
    for message in recording.messages(batch_s=max(0.05, recording.duration_s / 1000)):
        if isinstance(message, PhotonBatch):
            assert message.first_pulse == position
            position = message.stop_pulse
            photons += len(message.photons)
    assert isinstance(message, End)
    assert position == recording.stop_pulse
    assert photons == recording.photons
    assert recording.duration_s <= 360_000.1
