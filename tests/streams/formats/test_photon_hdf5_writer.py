"""Photon-HDF5 as we write it: valid, read by others, and back to the last photon, gap and marker."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.types import Acquisition, Loss, LossCause, Markers, Photons, RecordLayout
from streams.formats import open_recording
from streams.formats.photon_hdf5_writer import PhotonHdf5Writer
from streams.formats.provenance import Provenance
from streams.messages import Gap, Marker
from tests.hardware.records.photon_strategies import photons_for, same_photons
from tests.peers import phconvert
from tests.streams.formats.files import all_photons, some_photons

T3 = Acquisition(
    "T3",
    200_000.0,
    64.0,
    3125,
    (0, 1),
    RecordLayout.GENERIC_T3,
    "a card",
    "007",
    simulated=True,
    settings={"a": "1"},
)
T2 = Acquisition("T2", 1.0, None, 0, (0, 1), RecordLayout.GENERIC_T2, "a card")
CLOCKED = replace(T3, laser_period_ps=50_000.0)
ORIGIN = Provenance("x.ptu", "ab" * 32, "qdmon 0.1.0", 1_700_000_000 * 10**9, "dot 7", "a program")
PHOTONS = some_photons(1000)
END = 20_000_000
LOSSES = (Loss(100, 900, LossCause.FIFO_OVERRUN, 12), Loss(5000, 5001, LossCause.SYNC_LOST))
MARKERS = Markers(np.array([7, 7, 9_000_000], np.uint64), np.array([1, 4, 3], np.uint8))


def written(path: Path, acquisition: Acquisition, photons: Photons = PHOTONS) -> Path:
    if acquisition.resolution_ps is None:
        photons = replace(photons, nanotime=np.zeros_like(photons.nanotime))
    with PhotonHdf5Writer(path, acquisition, ORIGIN) as writer:
        for loss in LOSSES:
            writer.lose(loss)
        writer.append(photons.between(0, 10**6), 10**6, MARKERS)
        writer.append(photons.between(10**6, 1 << 62), END)
    return path


@pytest.mark.filterwarnings("ignore:Photon-HDF5 WARNING")  # fields that nobody here knows
@pytest.mark.parametrize("acquisition", [T3, T2, CLOCKED])
def test_the_reference_library_finds_it_valid(tmp_path: Path, acquisition: Acquisition) -> None:
    tables = pytest.importorskip("tables")
    hdf5 = phconvert("hdf5")
    with tables.open_file(str(written(tmp_path / "x.h5", acquisition))) as file:
        hdf5.assert_valid_photon_hdf5(file, strict_description=True, require_rootformat=True)


@pytest.mark.parametrize("acquisition", [T3, T2, CLOCKED])
def test_we_read_back_what_we_wrote(tmp_path: Path, acquisition: Acquisition) -> None:
    recording = open_recording(written(tmp_path / "x.h5", acquisition))
    photons = all_photons(recording)
    assert np.array_equal(photons.pulse, PHOTONS.pulse)
    assert np.array_equal(photons.channel, PHOTONS.channel)
    assert np.array_equal(photons.nanotime, PHOTONS.nanotime) or acquisition is T2
    got = recording.acquisition
    assert got.macro_tick_ps == acquisition.macro_tick_ps
    assert got.resolution_ps == acquisition.resolution_ps
    assert got.laser_period_ps == acquisition.laser_period_ps
    assert (got.mode, got.channels, got.instrument, got.serial, got.simulated, got.settings) == (
        acquisition.mode,
        acquisition.channels,
        acquisition.instrument,
        acquisition.serial,
        acquisition.simulated,
        acquisition.settings,
    )
    assert recording.stop_pulse == END
    assert recording.session.title == "dot 7"
    assert recording.problems == ()


def test_gaps_and_markers_come_back(tmp_path: Path) -> None:
    messages = list(open_recording(written(tmp_path / "x.h5", T3)).messages())
    gaps = [m for m in messages if isinstance(m, Gap)]
    assert [(g.first_pulse, g.stop_pulse, g.cause, g.lost_photons) for g in gaps] == [
        (loss.first_pulse, loss.stop_pulse, loss.cause, loss.lost_photons) for loss in LOSSES
    ]
    markers = [(m.pulse, m.text) for m in messages if isinstance(m, Marker)]
    assert markers == [(7, "marker 1"), (7, "marker 3"), (9_000_000, "marker 1 + 2")]


@pytest.mark.parametrize("acquisition", [T3, T2])
def test_tttrlib_reads_the_same(tmp_path: Path, acquisition: Acquisition) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    read = tttrlib.TTTR(str(written(tmp_path / "x.h5", acquisition)), "PHOTON-HDF5")
    assert np.array_equal(read.macro_times, PHOTONS.pulse)
    assert np.array_equal(read.routing_channels, PHOTONS.channel)
    assert read.header.macro_time_resolution == pytest.approx(acquisition.macro_tick_ps * 1e-12)
    if acquisition is T3:
        assert np.array_equal(read.micro_times, PHOTONS.nanotime)


def test_where_it_comes_from_is_inside(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path / "x.h5", T3)) as file:
        assert file["provenance/filename"][()] == b"x.ptu"
        assert file["provenance/software"][()] == b"a program"
        assert file["identity/software"][()] == b"qdmon"
        assert ORIGIN.source_sha256.encode() in file["user/qdmon/about"][()]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(photons_for(RecordLayout.GENERIC_T3), st.lists(st.integers(0, 60), max_size=3))
def test_photons_in_blocks_of_any_size_come_back(
    tmp_path_factory: pytest.TempPathFactory, photons: Photons, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("h5") / "x.h5"
    edges = [0, *sorted(min(c, len(photons)) for c in cuts), len(photons)]
    with PhotonHdf5Writer(path, T3, ORIGIN) as writer:
        for a, b in pairwise(edges):
            part = Photons(photons.pulse[a:b], photons.nanotime[a:b], photons.channel[a:b])
            writer.append(part, 0)
    assert same_photons(all_photons(open_recording(path), batch_s=1e4), photons)


def test_settings_too_long_for_the_notes_are_left_out_and_the_rest_kept(tmp_path: Path) -> None:
    wordy = replace(T3, settings={str(i): "x" * 100 for i in range(1000)})
    got = open_recording(written(tmp_path / "x.h5", wordy)).acquisition
    assert (got.settings, got.simulated, got.serial) == ({}, True, "007")
