"""SIMINICS files, made from the vendor's guide: both byte orders, both modes, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

from streams.formats import Choices, FormatError, open_recording
from streams.messages import Gap
from tests.hardware.siminics.test_words import WRAP, encoded
from tests.streams.formats.files import all_photons, write

SAID = Choices(pulse_rate_hz=5e6, resolution_ps=64.0)
PULSES = [3, 3, 1500, 20_000, 40_959]
END = 0xEEEE_DDDD


def siminics(pulses: list[int] = PULSES, order: str = ">u4", *, t2: bool = False, end: bool = True) -> bytes:
    words = encoded(pulses, 40)
    marked = [0xEB90_B712 if t2 else 0xEB90_B713, *words.tolist(), *([END] if end else [])]
    return np.array(marked, order).tobytes()


@pytest.mark.parametrize("order", [">u4", "<u4"])
def test_a_t3_file_is_read_in_either_byte_order(tmp_path: Path, order: str) -> None:
    recording = open_recording(write(tmp_path, "x.bin", siminics(order=order)), SAID)
    assert recording.problems == ()
    assert all_photons(recording).pulse.tolist() == PULSES
    acquisition = recording.acquisition
    assert (acquisition.mode, acquisition.pulse_rate_hz, acquisition.resolution_ps) == ("T3", 5e6, 64.0)
    assert recording.stop_pulse == 40 * WRAP


def test_without_a_time_base_a_t3_file_is_refused_and_says_what_it_needs(tmp_path: Path) -> None:
    path = write(tmp_path, "x.bin", siminics())
    with pytest.raises(FormatError, match="give --pulse-rate-hz and --resolution-ps"):
        open_recording(path)


def test_a_t2_file_needs_nothing_said(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.bin", siminics([5], t2=True)))
    assert (recording.acquisition.mode, recording.acquisition.macro_tick_ps) == ("T2", 64.0)
    assert recording.acquisition.resolution_ps is None


def test_a_file_that_ends_early_is_read_and_says_so(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, "x.bin", siminics(end=False) + b"\0\0"), SAID)
    assert all_photons(recording).pulse.tolist() == PULSES
    assert any("end mark is missing" in p for p in recording.problems)
    assert any("cut after 2 of 4 bytes" in p for p in recording.problems)


def test_missing_overflows_show_as_a_gap(tmp_path: Path) -> None:
    content = siminics()
    words = np.frombuffer(content, ">u4")
    damaged = np.delete(words, slice(20, 24)).tobytes()
    recording = open_recording(write(tmp_path, "x.bin", damaged), SAID)
    gaps = [m for m in recording.messages() if isinstance(m, Gap)]
    assert len(gaps) == 1
    assert any("missing at 1 places" in p for p in recording.problems)
    assert recording.stop_pulse == 40 * WRAP


def test_what_a_file_says_itself_needs_no_choice(tmp_path: Path) -> None:
    from streams.formats import write_ptu
    from tests.streams.formats.test_ptu_writer import ACQUISITION

    write_ptu(tmp_path / "x.ptu", ACQUISITION, [])
    with pytest.raises(FormatError, match="leave out --pulse-rate-hz, --resolution-ps"):
        open_recording(tmp_path / "x.ptu", SAID)
