"""Becker & Hickl files: what their words say, what the .set file beside them says, and what is guessed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hardware.records import encoder_for
from hardware.types import LossCause, RecordLayout
from streams.formats import Choices, FormatError, open_recording
from streams.formats.spc_kinds import SpcKind, kind_of
from streams.messages import Gap, Marker
from tests.hardware.records.photon_strategies import same_photons
from tests.streams.formats.files import all_photons, ptu_bytes, some_photons, write
from tests.streams.formats.old_files import set_bytes, spc_bytes, spc_header

PHOTONS = some_photons(n=2000, channels=9)
WORDS = encoder_for(RecordLayout.BECKER_HICKL_T3).feed(PHOTONS, int(PHOTONS.pulse[-1]) + 1)
GOOD = spc_bytes(WORDS)


def opened(folder: Path, spc: bytes = GOOD, beside: bytes | None = None, name: str = "a.spc") -> Path:
    if beside is not None:
        write(folder, "a.set", beside)
    return write(folder, name, spc)


def test_a_spc_file_gives_its_photons_back_whatever_it_is_called(tmp_path: Path) -> None:
    recording = open_recording(opened(tmp_path, name="run.dat"))
    assert same_photons(all_photons(recording), PHOTONS)
    assert recording.acquisition.channels == tuple(range(9))
    assert recording.acquisition.macro_tick_ps == 13_500
    assert recording.acquisition.nanotime_bins == 4096


def test_with_the_set_file_a_bin_is_tac_range_over_gain_over_4096_and_nothing_is_guessed(
    tmp_path: Path,
) -> None:
    recording = open_recording(opened(tmp_path, beside=set_bytes()))
    assert recording.acquisition.resolution_ps == pytest.approx(5e4 / 5 / 4096)
    assert recording.acquisition.instrument == "SPC-150"
    assert recording.acquisition.serial == "3F0022"
    assert recording.session.title == "a title"
    assert recording.acquisition.settings["SP_TAC_G"] == "5"
    assert recording.acquisition.counts_pulses
    assert recording.problems == ()


def test_without_a_set_file_a_bin_is_a_guess_and_said_to_be_one(tmp_path: Path) -> None:
    recording = open_recording(opened(tmp_path))
    assert recording.acquisition.resolution_ps == pytest.approx(13_500 / 4096)
    [problem] = recording.problems
    assert problem.startswith("no .set file beside it says how wide a TCSPC bin is")
    assert "3.296 ps, a guess" in problem


@pytest.mark.parametrize(
    "wrong",
    [
        {"SP_TAC_R": "nan", "SP_TAC_TC": "-1"},
        {"SP_TAC_TC": 1e-9, "SP_TAC_R": 5e-8},
        {"SP_TAC_R": 1e3, "SP_TAC_TC": ""},
        {"SP_TAC_G": 0, "SP_ADC_RE": "none"},
    ],
    ids=["no numbers", "range and channel disagree", "too wide", "no gain, no channels"],
)
def test_a_set_file_that_makes_no_sense_is_not_believed(
    tmp_path: Path, wrong: dict[str, float | str]
) -> None:
    recording = open_recording(opened(tmp_path, beside=set_bytes(0x28, **wrong)))
    assert recording.acquisition.resolution_ps == pytest.approx(13_500 / 4096)
    assert recording.problems[0].startswith("the .set file beside it does not say legibly")


def test_a_coarser_histogram_does_not_change_the_bins_of_the_records(tmp_path: Path) -> None:
    told = set_bytes(SP_ADC_RE=256, SP_TAC_TC=5e-8 / 5 / 256)
    assert open_recording(opened(tmp_path, beside=told)).acquisition.resolution_ps == pytest.approx(
        1e4 / 4096
    )


@pytest.mark.parametrize(
    ("clock", "period_ps"),
    [("1", None), ("2", 6750), ("4", 1687.5), ("0", 1e4)],
    ids=["laser", "half the laser", "an eighth", "own clock: its window"],
)
def test_what_the_macro_clock_counts_is_told_by_the_set_file(
    tmp_path: Path, clock: str, period_ps: float | None
) -> None:
    recording = open_recording(opened(tmp_path, beside=set_bytes(SP_MTCLK=clock)))
    assert recording.acquisition.laser_period_ps == (None if period_ps is None else pytest.approx(period_ps))
    guessed = [p for p in recording.problems if "the card's own, not the laser" in p]
    assert bool(guessed) == (clock == "0")


def test_a_clock_of_25_ns_without_a_set_file_is_taken_for_the_cards_own(tmp_path: Path) -> None:
    recording = open_recording(opened(tmp_path, spc_bytes(WORDS, clock_ps=25_000)))
    assert not recording.acquisition.counts_pulses
    assert "a clock of 25 ns that is probably the card's own" in recording.problems[1]


def test_what_the_user_says_goes_before_the_set_file_and_every_guess(tmp_path: Path) -> None:
    said = Choices(resolution_ps=3.0, pulse_rate_hz=20e6)
    recording = open_recording(opened(tmp_path, spc_bytes(WORDS, clock_ps=25_000), set_bytes()), said)
    assert recording.acquisition.resolution_ps == 3.0
    assert recording.acquisition.laser_period_ps == pytest.approx(50_000)
    assert recording.problems == ()
    same = open_recording(opened(tmp_path), Choices(pulse_rate_hz=1e12 / 13_450))
    assert same.acquisition.counts_pulses


def test_a_gap_of_the_card_is_a_gap_of_the_session_and_a_marker_a_marker(tmp_path: Path) -> None:
    gap, marker = np.uint32(1 << 29), np.uint32(0x9000_0000 | 0b0100 << 12 | 4000)
    words = np.concatenate([WORDS, np.array([0xC000_0001, marker, 0xC000_0001, gap | 77], np.uint32)])
    recording = open_recording(opened(tmp_path, spc_bytes(words), set_bytes()))
    base = int(PHOTONS.pulse[-1]) // 4096 * 4096
    messages = list(recording.messages())
    assert [m for m in messages if isinstance(m, Gap)] == [
        Gap(0, base + 8193, base + 8192 + 77, LossCause.FIFO_OVERRUN)
    ]
    [found] = (m for m in messages if isinstance(m, Marker))
    assert found == Marker(0, base + 4096 + 4000, "card", "marker 3")
    assert recording.photons == len(PHOTONS) + 1
    assert recording.problems == ("photons were lost because the card's memory was full: 1 gaps",)


def records_48() -> bytes:
    """60 photons of an SPC-600 in its long format, 1000 ticks apart."""
    rows = [(500 + i, (1000 * i >> 16) & 0xFF, 1000 * i & 0xFFFF) for i in range(60)]
    return b"".join(np.array(row, "<u2").tobytes() for row in rows)


def records_256() -> NDArray[np.uint32]:
    """200 photons of an SPC-600 in its short format: 3 routing, 17 macro, 8 micro."""
    rng = np.random.default_rng(1)
    macro = np.sort(rng.integers(0, 1 << 17, 200))
    return (rng.integers(0, 8, 200) << 25 | macro << 8 | rng.integers(0, 256, 200)).astype(np.uint32)


def records_qc() -> NDArray[np.uint32]:
    """200 photons of an SPC-QC, an overflow before every second one."""
    rng = np.random.default_rng(1)
    photon = (rng.integers(0, 4, 200) << 28 | rng.integers(0, 1 << 16, 200) << 12 | 1000).astype(np.uint32)
    return np.column_stack([np.full(200, 0x8000_0000, np.uint32), photon]).ravel()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (np.array([2, 500, 0], "<u2").tobytes() + records_48(), "SPC-600 or 630, records of 48 bits"),
        (spc_header(50_000) + records_256().tobytes(), "SPC-600 or 630, 256 channels"),
        (spc_header(50_000, 0x81) + records_qc().tobytes(), "SPC-QC"),
    ],
    ids=["48 bits", "256 channels", "QC"],
)
def test_records_of_other_becker_hickl_cards_are_known_and_refused_in_one_line(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(FormatError, match=says) as refused:
        open_recording(opened(tmp_path, content))
    assert "\n" not in str(refused.value)


def test_a_set_file_of_a_card_with_other_records_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"of another card \(DPC-230\); qdmon reads those of the SPC-130 to 180"
    ):
        open_recording(opened(tmp_path, beside=set_bytes(card=0x29)))


@given(st.binary(max_size=600))
def test_a_set_file_can_hold_anything(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        recording = open_recording(opened(folder, GOOD[:400], content))
    except FormatError:  # it says that the card is another one
        return
    assert recording.acquisition.resolution_ps == pytest.approx(13_500 / 4096)


def test_other_files_are_not_taken_for_becker_hickl_ones() -> None:
    rng = np.random.default_rng(7)
    noise = [spc_header(13_500) + rng.bytes(1020) for _ in range(200)]
    others = [
        spc_header(13_500) + bytes(1020),
        spc_header(100),
        b"\x89PNG\r\n\x1a\n" + rng.bytes(1016),
        ("time_ns,counts\n" + "1.0,5\n" * 200).encode(),
        b"\x80\x04\x95" + rng.bytes(1021),
        ptu_bytes(WORDS),
        b"MZ\x90\0",
        b"\x80",
    ]
    assert [kind_of(content[:1024]) for content in noise + others] == [None] * 208


def test_a_damaged_bit_in_its_beginning_does_not_hide_what_a_file_is() -> None:
    damaged = [bytearray(GOOD[:1024]) for _ in range(40)]
    for i, head in enumerate(damaged):
        head[40 + 24 * i] ^= 1 << i % 8
    assert {kind_of(bytes(head)) for head in damaged} == {SpcKind.FIFO_32}


def test_a_file_of_its_first_word_alone_holds_no_photons(tmp_path: Path) -> None:
    recording = open_recording(opened(tmp_path, spc_header(13_500), set_bytes()))
    assert recording.problems == ("there are no photons in it",)
