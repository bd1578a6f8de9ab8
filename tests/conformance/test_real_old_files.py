"""Older instruments' files against what was published with them, and against other readers."""

from pathlib import Path

import numpy as np
import pytest

from hardware.records import encoder_for
from hardware.types import Photons, RecordLayout
from qdmon.analysis.calibration.timing import LEFT_OUT, TimeAxis
from qdmon.analysis.settings import AnalysisSettings
from qdmon.offline import analyze_recording
from streams.formats import open_recording
from tests.peers import phconvert
from tests.realdata import REAL, real_file, truth
from tests.streams.formats.files import all_photons, ptu_bytes, write
from tests.streams.formats.old_files import ht_bytes, pt2_bytes

SAMPLES = "libpicoquant_samples"
HBT = "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres"
NOISE = "phconvert_bh_spc150/test_noise"
SPC = [f"{NOISE}.spc", "tttrlib_bh_spc132/m000.spc", "pytcspc_bh_fcs/point_001.spc"]


def published(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    table = np.loadtxt(real_file(f"{SAMPLES}/published/{name}.data"), np.int64, delimiter=",", ndmin=2)
    return np.asarray(table)


@pytest.mark.parametrize("name", ["v10.ht3", "v20.ht3"])
def test_channel_pulse_and_nanotime_of_a_ht3_are_those_published(name: str) -> None:
    expected = published(name)
    recording = open_recording(real_file(f"{SAMPLES}/{name}"))
    photons = all_photons(recording).between(0, int(expected[-1, 1]) + 1)
    assert photons.channel.tolist() == expected[:, 0].tolist()
    assert photons.pulse.tolist() == expected[:, 1].tolist()
    times_ps = photons.nanotime * (recording.acquisition.resolution_ps or 0.0)
    assert times_ps.tolist() == expected[:, 2].tolist()


def test_the_sync_words_of_a_ht2_are_published_as_a_channel_and_are_no_photons() -> None:
    recording = open_recording(real_file(f"{SAMPLES}/v20.ht2"))
    sync_channel = recording.header["InputChannelsPresent"]
    assert set(published("v20.ht2")[:, 0].tolist()) == {sync_channel}
    assert recording.photons == 0
    assert "there are no photons in it" in recording.problems


@pytest.mark.parametrize("name", ["v10.ht2", "v20.ht2", "v10.ht3", "v20.ht3", "v50.t3r"])
def test_the_header_is_the_one_published(name: str) -> None:
    lines = real_file(f"{SAMPLES}/published/{name}.header").read_text().splitlines()
    told = dict(line.split(" = ", 1) for line in lines if " = " in line)
    header = open_recording(real_file(f"{SAMPLES}/{name}")).header
    other_names = {
        "NumberOfRecords": "NumRecords",
        "SpecHeaderLength": "ImgHdrSize",
        "BitsPerChannel": "BitsPerRecord",
        "TTTRGlobCLock": "TTTRGlobClock",
        "Brd[0].BoardSerial": "BoardSerial",
        "Brd[0].SYNCLevel": "SYNCLevel",
        "Brd[0].CFDDiscriminatorMin": "CFDDiscriminatorMin",
    }
    shared = {ours: told[theirs] for theirs in told if (ours := other_names.get(theirs, theirs)) in header}
    assert len(shared) > 20
    for field, value in shared.items():
        found = header[field]
        assert float(value) == found if isinstance(found, float) else str(found) == value.strip(), field


def test_every_photon_of_the_vendors_own_text_export_of_a_spc_file_is_ours() -> None:
    exported = np.loadtxt(real_file(f"{NOISE}.asc"), np.int64)
    photons = all_photons(open_recording(real_file(f"{NOISE}.spc")))
    assert np.array_equal(photons.pulse, exported[:, 0].astype(np.uint64))
    assert np.array_equal(photons.nanotime, exported[:, 1].astype(np.uint16))


@pytest.mark.parametrize("name", SPC)
def test_tttrlib_reads_the_same_photons_of_spc_files(name: str) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    photons = all_photons(open_recording(real_file(name)))
    peer = tttrlib.TTTR(str(real_file(name)), "SPC-130")
    assert np.array_equal(np.asarray(peer.macro_times), photons.pulse)
    assert np.array_equal(np.asarray(peer.micro_times), photons.nanotime)
    assert np.array_equal(np.asarray(peer.routing_channels), photons.channel)


def test_phconvert_reads_the_same_photons_and_bins_where_a_set_file_is() -> None:
    bhreader = phconvert("bhreader")
    recording = open_recording(real_file(f"{NOISE}.spc"))
    photons, peer = all_photons(recording), bhreader.load_spc(str(real_file(f"{NOISE}.spc")))
    data, setup = peer["photon_data"], peer["meta"]["setup"]
    assert np.array_equal(data["timestamps"], photons.pulse)
    assert np.array_equal(data["nanotimes"], photons.nanotime)
    assert recording.acquisition.resolution_ps == pytest.approx(setup["SP_TAC_TC"] * 1e12)
    assert recording.acquisition.macro_tick_ps == pytest.approx(data["timestamps_unit"] * 1e12)


@pytest.mark.parametrize("name", ["v10.ht3", "v20.ht3"])
def test_tttrlib_reads_the_same_photons_of_ht3_files(name: str) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    path = real_file(f"{SAMPLES}/{name}")
    recording = open_recording(path)
    photons = all_photons(recording)
    peer = tttrlib.TTTR(str(path), "HT3")
    assert np.array_equal(np.asarray(peer.macro_times), photons.pulse)
    assert np.array_equal(np.asarray(peer.micro_times), photons.nanotime)
    assert recording.acquisition.macro_tick_ps == pytest.approx(peer.header.macro_time_resolution * 1e12)
    assert recording.acquisition.resolution_ps == pytest.approx(peer.header.micro_time_resolution * 1e12)


def test_ptufile_and_tttrlib_read_the_same_photons_from_the_words_of_a_ht2(tmp_path: Path) -> None:
    """They know the words, not the file: the words go into a container they know."""
    name = "dotd_hydraharp_ht2/DotD_run_one0.stream"
    ptufile, tttrlib = pytest.importorskip("ptufile"), pytest.importorskip("tttrlib")
    content = real_file(name).read_bytes()
    words = np.frombuffer(content[-4 * truth(name)["records_in_file"] :], "<u4").astype(np.uint32)
    wrapped = write(tmp_path, "x.ptu", ptu_bytes(words, 0x0101_0204, Measurement_Mode=2))
    photons = all_photons(open_recording(real_file(name)))
    with ptufile.PtuFile(wrapped) as peer:
        records = peer.decode_records()
    seen = records[records["channel"] >= 0]
    assert np.array_equal(seen["time"], photons.pulse)
    assert np.array_equal(seen["channel"], photons.channel)
    other = tttrlib.TTTR(str(wrapped), "PTU")
    is_photon = np.asarray(other.event_types) == 0
    assert np.array_equal(np.asarray(other.macro_times)[is_photon], photons.pulse)


def hbt_as(kind: str) -> bytes:
    """The photons of a single emitter, rewritten as an older T2 file."""
    photons = all_photons(open_recording(real_file(HBT)))
    per_tick = {"ht2 1.0": 2.0, "ht2 2.0": 1.0, "pt2": 0.25}[kind]
    pulse = (photons.pulse.astype(np.float64) * per_tick).astype(np.uint64)
    layout = {
        "ht2 1.0": RecordLayout.HYDRAHARP_V1_T2,
        "ht2 2.0": RecordLayout.GENERIC_T2,
        "pt2": RecordLayout.PICOHARP_T2,
    }[kind]
    words = encoder_for(layout).feed(Photons(pulse, photons.nanotime, photons.channel), 0)
    return pt2_bytes(words) if kind == "pt2" else ht_bytes(words, kind[-3:].encode(), mode=2)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real recordings are not beside this checkout")
@pytest.mark.parametrize("kind", ["ht2 1.0", "ht2 2.0", "pt2"])
def test_a_single_emitter_is_seen_in_every_older_t2_file_as_in_its_ptu(tmp_path: Path, kind: str) -> None:
    expected = truth(HBT)["g2"]
    recording = open_recording(write(tmp_path, "hbt", hbt_as(kind)))
    assert recording.photons == truth(HBT)["n_photons"]
    snapshot, _ = analyze_recording(recording, (), AnalysisSettings())
    assert snapshot is not None
    g2 = snapshot.g2
    assert g2.zero.value is not None
    assert g2.detector_delay_ns == pytest.approx(expected["zero_delay_peak_ns"], abs=0.1)
    assert g2.zero.value < 0.05
    assert g2.single_emitter


def test_a_t3r_is_analysed_at_the_period_of_its_laser_and_its_clock_shows_no_g2() -> None:
    recording = open_recording(real_file(f"{SAMPLES}/v50.t3r"))
    photons = all_photons(recording)
    period_ns = 1e9 / truth(f"{SAMPLES}/v50.t3r")["sync_hz"]
    axis = TimeAxis.build(recording.acquisition, {0: 80_150.0})
    assert axis.bins.period_ns == pytest.approx(period_ns, rel=1e-9)
    assert np.mean(axis.micro_bin[0, photons.nanotime] != LEFT_OUT) > 0.99
    snapshot, _ = analyze_recording(recording, (), AnalysisSettings())
    assert snapshot is not None
    assert snapshot.g2.zero.value is None
    assert "card's own clock" in (snapshot.window.reason or "")
