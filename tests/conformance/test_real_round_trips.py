"""Every real recording, written again and read by programs that are not ours: the same photons."""

from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hardware.types import Photons
from qdmon.export.convert import NATIVE, Conversion
from streams.formats import Choices, Recording, open_recording
from streams.messages import Marker
from tests.hardware.records.photon_strategies import same_photons
from tests.peers import phconvert
from tests.realdata import real_file, truth
from tests.streams.formats.files import all_photons

NOW_NS = 1_700_000_000 * 10**9
SAID = {
    "fullsms_h5/IRF_680nm.h5": Choices(pulse_rate_hz=2e7),
}
T2_FILES = (
    "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres",
    "eventdetector_th260_t2/default_000.ptu",
    "libpicoquant_samples/v10.ht2",
    "dotd_hydraharp_ht2/DotD_run_one0.stream",
)
T3_FILES = (
    "fullsms_picoharp_pt3/trace1.pt3",
    "fullsms_picoharp_pt3/trace3.pt3",
    "fullsms_picoharp_pt3/trace7.pt3",
    "libpicoquant_samples/v10.ht3",
    "libpicoquant_samples/v20.ht3",
    "tttrlib_symphotime_beads/beads.ptu",
    "napari_picoharp_flim/ptu_stack_FLIM_z1.ptu",
    "derived_photon_hdf5/m000.photon.hdf5",
    "derived_photon_hdf5/trace3.photon.hdf5",
)
CLOCKED_FILES = ("libpicoquant_samples/v50.t3r", "fullsms_h5/IRF_680nm.h5")  # no pulses are counted
SPC_FILES = (
    "phconvert_bh_spc150/test_noise.spc",
    "tttrlib_bh_spc132/m000.spc",
    "pytcspc_bh_fcs/point_001.spc",
)
FILES = (*T2_FILES, *T3_FILES, *CLOCKED_FILES, *SPC_FILES)


@cache
def opened(name: str) -> tuple[Recording, Photons]:
    recording = open_recording(real_file(name), SAID.get(name, Choices()))
    return recording, all_photons(recording)


def converted(name: str, out: Path, kind: str) -> Path:
    Conversion(opened(name)[0], NOW_NS).write(out, kind)
    return out


def checksums(pulse: Any, nanotime: Any, channel: Any) -> tuple[int, int, int, int]:
    """Number, and sums as TRUTH.json has them."""
    sums = [int(np.sum(np.asarray(column).astype(np.uint64))) for column in (pulse, nanotime, channel)]
    return len(pulse), sums[0] % 2**61, sums[1], sums[2]


def our_checksums(name: str) -> tuple[int, int, int, int]:
    photons = opened(name)[1]
    return checksums(photons.pulse, photons.nanotime, photons.channel)


@pytest.mark.parametrize("name", FILES)
def test_import_native_photon_hdf5_and_a_plain_hdf5_library_agree(name: str, tmp_path: Path) -> None:
    native = converted(name, tmp_path / "session", NATIVE)
    kept = open_recording(native)
    assert same_photons(all_photons(kept), opened(name)[1])
    Conversion(kept, NOW_NS).write(tmp_path / "x.h5", "photon-hdf5")
    with h5py.File(tmp_path / "x.h5") as file:
        data = file["photon_data"]
        timestamps, detectors = data["timestamps"][:], data["detectors"][:]
        nanotimes = data["nanotimes"][:] if "nanotimes" in data else np.zeros(len(timestamps), np.uint16)
    assert checksums(timestamps, nanotimes, detectors) == our_checksums(name)
    expected = truth(name).get("macro_checksum_sum_mod_2e61")
    if expected is not None:
        assert our_checksums(name)[1] == expected


@pytest.mark.parametrize("name", [*T2_FILES, *T3_FILES])
def test_tttrlib_reads_an_exported_ptu_as_the_origin(name: str, tmp_path: Path) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    path = converted(name, tmp_path / "x.ptu", "ptu")
    read = tttrlib.TTTR(str(path), "PTU")
    is_photon = np.asarray(read.event_types) == 0
    found = (np.asarray(c)[is_photon] for c in (read.macro_times, read.micro_times, read.routing_channels))
    assert checksums(*found) == our_checksums(name)


@pytest.mark.parametrize("name", T3_FILES)
def test_ptufile_reads_an_exported_ptu_as_the_origin(name: str, tmp_path: Path) -> None:
    ptufile = pytest.importorskip("ptufile")
    with ptufile.PtuFile(converted(name, tmp_path / "x.ptu", "ptu")) as read:
        records = read.decode_records()
    seen = records[records["channel"] >= 0]
    assert checksums(seen["time"], seen["dtime"], seen["channel"]) == our_checksums(name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves files open
@pytest.mark.parametrize("name", ["fullsms_picoharp_pt3/trace3.pt3", "tttrlib_symphotime_beads/beads.ptu"])
def test_phconvert_reads_an_exported_ptu_as_the_origin(name: str, tmp_path: Path) -> None:
    pqreader = phconvert("pqreader")
    path = converted(name, tmp_path / "x.ptu", "ptu")
    timestamps, detectors, nanotimes, *_ = pqreader.load_ptu(str(path))
    seen = np.asarray(detectors) < 64  # it numbers markers from 65
    found = (np.asarray(c)[seen] for c in (timestamps, nanotimes, detectors))
    assert checksums(*found) == our_checksums(name)


@pytest.mark.filterwarnings("ignore:Photon-HDF5 WARNING")  # fields that nobody here knows
@pytest.mark.parametrize("name", FILES)
def test_every_exported_photon_hdf5_is_valid_and_read_back_with_its_time_base(
    name: str, tmp_path: Path
) -> None:
    tables = pytest.importorskip("tables")
    hdf5 = phconvert("hdf5")
    path = converted(name, tmp_path / "x.h5", "photon-hdf5")
    with tables.open_file(str(path)) as file:
        hdf5.assert_valid_photon_hdf5(file, strict_description=True, require_rootformat=True)
    origin, back = opened(name)[0], open_recording(path)
    for field in ("mode", "channels", "instrument", "serial"):
        assert getattr(back.acquisition, field) == getattr(origin.acquisition, field)
    for field in ("macro_tick_ps", "resolution_ps", "laser_period_ps"):
        want = getattr(origin.acquisition, field)
        assert getattr(back.acquisition, field) == (None if want is None else pytest.approx(want, rel=1e-12))
    assert back.stop_pulse == origin.stop_pulse
    assert same_photons(all_photons(back), opened(name)[1])


@pytest.mark.parametrize("kind", ["ptu", "photon-hdf5", NATIVE])
@pytest.mark.parametrize(
    "name", ["tttrlib_symphotime_beads/beads.ptu", "napari_picoharp_flim/ptu_stack_FLIM_z1.ptu"]
)
def test_card_markers_survive(name: str, kind: str, tmp_path: Path) -> None:
    def markers(recording: Recording) -> list[tuple[int, str]]:
        return [(m.pulse, m.text) for m in recording.messages() if isinstance(m, Marker)]

    path = converted(name, tmp_path / ("x" if kind == NATIVE else "x.h5"), kind)
    expected = markers(opened(name)[0])
    assert len(expected) == truth(name)["n_markers"]
    assert markers(open_recording(path)) == expected
