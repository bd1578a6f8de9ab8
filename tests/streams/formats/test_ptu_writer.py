"""What we write, everybody reads: ourselves and three independent readers get the same photons back."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.types import Acquisition, Markers, Photons, RecordLayout
from streams.formats import PtuWriter, open_recording, write_ptu
from streams.messages import Marker
from tests.hardware.records.photon_strategies import photons_for, same_photons
from tests.peers import phconvert
from tests.streams.formats.files import all_photons, some_photons

ACQUISITION = Acquisition(
    "T3", 200_000.0, 64.0, 3125, (0, 1), RecordLayout.GENERIC_T3, "a card", "007", simulated=True
)
T2 = Acquisition("T2", 1.0, None, 0, (0, 1), RecordLayout.GENERIC_T2, "a card")
PHOTONS = some_photons(1000)
CREATED_NS = 1_700_000_000 * 10**9


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "x.ptu"
    blocks = [(PHOTONS.between(0, 10**6), 10**6), (PHOTONS.between(10**6, 10**9), 20_000_000)]
    write_ptu(path, ACQUISITION, blocks, comment="dot 7\nafter lunch", created_unix_ns=CREATED_NS)
    return path


def test_we_read_back_what_we_wrote(written: Path) -> None:
    recording = open_recording(written)
    assert same_photons(all_photons(recording), PHOTONS)
    assert recording.problems == ()
    got = recording.acquisition
    assert got.macro_tick_ps == pytest.approx(200_000.0)
    assert got.resolution_ps == pytest.approx(64.0)
    assert (got.nanotime_bins, got.channels, got.instrument, got.serial) == (3125, (0, 1), "a card", "007")
    assert got.simulated
    assert recording.session.title == "dot 7 after lunch"
    assert recording.session.started_unix_ns == CREATED_NS
    assert recording.duration_s == pytest.approx(4.0, abs=1024 * 2e-7)


def test_tttrlib_reads_the_same(written: Path) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    read = tttrlib.TTTR(str(written), "PTU")
    assert np.array_equal(read.macro_times, PHOTONS.pulse)
    assert np.array_equal(read.micro_times, PHOTONS.nanotime)
    assert np.array_equal(read.routing_channels, PHOTONS.channel)
    assert read.header.macro_time_resolution == pytest.approx(2e-7)
    assert read.header.micro_time_resolution == pytest.approx(64e-12)


def test_ptufile_reads_the_same(written: Path) -> None:
    ptufile = pytest.importorskip("ptufile")
    with ptufile.PtuFile(written) as read:
        records = read.decode_records()
        photons = records[records["channel"] >= 0]
        assert read.number_records == len(records)
        assert read.global_resolution == pytest.approx(2e-7)
        assert read.tags["TTResult_StopAfter"] == 4000
    assert np.array_equal(photons["time"], PHOTONS.pulse)
    assert np.array_equal(photons["dtime"], PHOTONS.nanotime)
    assert np.array_equal(photons["channel"], PHOTONS.channel)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the file open
def test_phconvert_reads_the_same(written: Path) -> None:
    pqreader = phconvert("pqreader")
    timestamps, detectors, nanotimes, about, *_ = pqreader.load_ptu(str(written))
    assert np.array_equal(timestamps, PHOTONS.pulse)
    assert np.array_equal(detectors, PHOTONS.channel)
    assert np.array_equal(nanotimes, PHOTONS.nanotime)
    assert about["laser_repetition_rate"] == pytest.approx(5e6)
    assert about["acquisition_duration"] == pytest.approx(4.0)


@given(photons_for(RecordLayout.GENERIC_T3), st.integers(0, 40))
def test_blocks_of_any_size_make_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, photons: Photons, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    head, tail = (
        Photons(photons.pulse[part], photons.nanotime[part], photons.channel[part])
        for part in (slice(cut), slice(cut, None))
    )
    end = int(photons.pulse[-1]) if len(photons) else 0
    for name, blocks in (("cut", [(head, 0), (tail, end)]), ("whole", [(photons, end)])):
        with PtuWriter(folder / name, ACQUISITION) as writer:
            for block, position in blocks:
                writer.append(block, position)
    assert _records(folder / "cut") == _records(folder / "whole")
    assert same_photons(all_photons(open_recording(folder / "cut"), batch_s=1000.0), photons)


def _records(path: Path) -> bytes:
    return path.read_bytes().partition(b"Header_End")[2]


def test_until_it_is_closed_the_header_promises_no_records(tmp_path: Path) -> None:
    writer = PtuWriter(tmp_path / "x.ptu", ACQUISITION)
    writer.append(PHOTONS, 20_000_000)
    before = (tmp_path / "x.ptu").read_bytes()
    writer.close()
    writer.close()
    after = (tmp_path / "x.ptu").read_bytes()
    at = after.index(b"TTResult_NumberOfRecords") + 40
    assert struct.unpack_from("<q", before.ljust(at + 8, b"\0"), at) == (0,)
    assert struct.unpack_from("<q", after, at)[0] * 4 == len(_records(tmp_path / "x.ptu")) - (48 - 10)


def test_a_file_that_exists_is_never_overwritten(written: Path) -> None:
    content = written.read_bytes()
    with pytest.raises(FileExistsError):
        write_ptu(written, ACQUISITION, [])
    assert written.read_bytes() == content


def test_what_does_not_fit_a_t3_record_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    clocked = replace(ACQUISITION, laser_period_ps=50_000.0)
    fine = Acquisition("T3", 200_000.0, 4.0, 50_000, (0, 1), RecordLayout.GENERIC_T3, "a card")
    for acquisition, reason in (
        (clocked, "clock of the card"),
        (fine, "50000 TCSPC bins do not fit the 32768"),
    ):
        with pytest.raises(ValueError, match=reason):
            PtuWriter(tmp_path / "x.ptu", acquisition)
    assert not list(tmp_path.iterdir())


MARKERS = Markers(np.array([0, 5000, 5000, 9_000_000], np.uint64), np.array([1, 2, 8, 5], np.uint8))


@pytest.mark.parametrize("mode", ["T3", "T2"])
def test_markers_come_back_among_the_photons(tmp_path: Path, mode: Literal["T3", "T2"]) -> None:
    acquisition = ACQUISITION if mode == "T3" else T2
    photons = PHOTONS if mode == "T3" else replace(PHOTONS, nanotime=np.zeros_like(PHOTONS.nanotime))
    with PtuWriter(tmp_path / "x.ptu", acquisition) as writer:
        writer.append(photons, 20_000_000, MARKERS)
    recording = open_recording(tmp_path / "x.ptu")
    assert same_photons(all_photons(recording), photons)
    found = [(m.pulse, m.text) for m in recording.messages() if isinstance(m, Marker)]
    assert found == [(0, "marker 1"), (5000, "marker 2"), (5000, "marker 4"), (9_000_000, "marker 1 + 3")]


def test_a_marker_that_no_record_holds_is_refused(tmp_path: Path) -> None:
    late = Markers(np.array([5000], np.uint64), np.array([16], np.uint8))
    with PtuWriter(tmp_path / "x.ptu", ACQUISITION) as writer, pytest.raises(ValueError, match="four inputs"):
        writer.append(PHOTONS, 20_000_000, late)


def test_t2_recordings_are_read_back_by_us_and_by_tttrlib(tmp_path: Path) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    ticks = Photons(PHOTONS.pulse * np.uint64(10**7), np.zeros_like(PHOTONS.nanotime), PHOTONS.channel)
    write_ptu(tmp_path / "x.ptu", T2, [(ticks, int(ticks.pulse[-1]) + 1)])
    recording = open_recording(tmp_path / "x.ptu")
    assert same_photons(all_photons(recording), ticks)
    assert recording.acquisition.mode == "T2"
    assert recording.acquisition.macro_tick_ps == pytest.approx(1.0)
    read = tttrlib.TTTR(str(tmp_path / "x.ptu"), "PTU")
    assert np.array_equal(read.macro_times, ticks.pulse)
    assert np.array_equal(read.routing_channels, ticks.channel)
