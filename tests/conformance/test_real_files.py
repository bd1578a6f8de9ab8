"""Published instrument recordings, read exactly as TRUTH.json says, and as other readers read them."""

from pathlib import Path

import numpy as np
import pytest

from hardware.types import Photons
from streams.formats import open_recording
from streams.messages import Marker
from tests.peers import phconvert
from tests.realdata import real_file, truth
from tests.streams.formats.files import all_photons

HBT = "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres"
TH260 = "eventdetector_th260_t2/default_000.ptu"
FLIM = "napari_picoharp_flim/ptu_stack_FLIM_z1.ptu"
BEADS = "tttrlib_symphotime_beads/beads.ptu"
PT3 = [f"fullsms_picoharp_pt3/trace{i}.pt3" for i in (1, 3, 7)]
HT2 = ["libpicoquant_samples/v10.ht2", "dotd_hydraharp_ht2/DotD_run_one0.stream"]
HT3 = ["libpicoquant_samples/v10.ht3", "libpicoquant_samples/v20.ht3"]
T3R = "libpicoquant_samples/v50.t3r"
SPC = [
    "phconvert_bh_spc150/test_noise.spc",
    "tttrlib_bh_spc132/m000.spc",
    "pytcspc_bh_fcs/point_001.spc",
]
T3_FILES = [BEADS, FLIM, *PT3, *HT3, T3R, *SPC]
FILES = [HBT, TH260, *HT2, *T3_FILES]
# What is wrong with the files that something is wrong with, by the beginnings of what is said of it.
CUT = ("the header promises",)
PROBLEMS = {
    **dict.fromkeys([*HT2, HT3[0]], CUT),
    SPC[1]: ("no .set file beside it says",),
    SPC[2]: ("no .set file beside it says", "its times count a clock of 25 ns"),
}


@pytest.mark.parametrize("name", FILES)
def test_photons_are_those_of_the_truth(name: str) -> None:
    expected, recording = truth(name), open_recording(real_file(name))
    photons = all_photons(recording)
    said = PROBLEMS.get(name, ())
    assert len(recording.problems) == len(said)
    assert all(p.startswith(start) for p, start in zip(recording.problems, said, strict=True))
    assert recording.photons == len(photons) == expected["n_photons"]
    counts = {str(c): int(np.sum(photons.channel == c)) for c in recording.acquisition.channels}
    assert counts == expected["per_channel"]
    assert int(photons.pulse[0]) == expected["first_macro_tick"]
    assert int(photons.pulse[-1]) == expected["last_macro_tick"]
    assert int(np.sum(photons.pulse)) % 2**61 == expected["macro_checksum_sum_mod_2e61"]


@pytest.mark.parametrize("name", FILES)
def test_the_time_base_is_that_of_the_truth(name: str) -> None:
    expected, recording = truth(name), open_recording(real_file(name))
    acquisition = recording.acquisition
    assert acquisition.macro_tick_ps == pytest.approx(expected["macro_unit_s"] * 1e12, rel=1e-14)
    assert acquisition.mode == ("T3" if name in T3_FILES else "T2")
    photons = all_photons(recording)
    ms = photons.pulse.astype(np.float64) * acquisition.macro_tick_ps / 1e9
    first_second = np.histogram(ms, np.arange(11) * 100.0)[0].tolist()
    told = expected["first_10_bins_100ms"]  # ends with the file
    assert first_second == told + [0] * (10 - len(told))


@pytest.mark.parametrize("name", T3_FILES)
def test_the_tcspc_histogram_is_that_of_the_truth(name: str) -> None:
    expected, recording = truth(name), open_recording(real_file(name))
    photons = all_photons(recording)
    assert recording.acquisition.resolution_ps == pytest.approx(expected["micro_unit_s"] * 1e12, rel=1e-14)
    assert [int(photons.nanotime.min()), int(photons.nanotime.max())] == expected["micro_min_max"]
    assert recording.acquisition.nanotime_bins > expected["micro_min_max"][1]
    for channel, peak in expected["tcspc_peak"].items():
        nanotimes = photons.nanotime[photons.channel == int(channel)]
        histogram = np.bincount(nanotimes)
        assert [int(histogram.argmax()), int(histogram.max())] == peak
        assert int(nanotimes.sum(dtype=np.int64)) == expected["micro_sum"][channel]


@pytest.mark.parametrize("name", FILES)
def test_card_markers_are_those_of_the_truth(name: str) -> None:
    expected, recording = truth(name), open_recording(real_file(name))
    markers = [m for m in recording.messages() if isinstance(m, Marker)]
    assert len(markers) == expected["n_markers"]
    by_input = {str(1 << i): sum(m.text == f"marker {i + 1}" for m in markers) for i in range(4)}
    assert {bits: n for bits, n in by_input.items() if n} == expected.get("markers", {})


@pytest.mark.parametrize("name", [HBT, TH260, FLIM, BEADS])
def test_ptufile_reads_the_same_photons(name: str) -> None:
    ptufile = pytest.importorskip("ptufile")
    photons = all_photons(open_recording(real_file(name)))
    with ptufile.PtuFile(real_file(name)) as peer:
        records = peer.decode_records()
    seen = records[records["channel"] >= 0]
    one_lower = 1 if name == FLIM else 0  # it numbers PicoHarp channels from 0, the record from 1
    assert np.array_equal(seen["time"], photons.pulse)
    assert np.array_equal(seen["channel"] + one_lower, photons.channel)
    if name in T3_FILES:
        assert np.array_equal(seen["dtime"], photons.nanotime)


@pytest.mark.parametrize("name", [HBT, TH260, BEADS])  # it takes PicoHarp markers for photons
def test_tttrlib_reads_the_same_photons(name: str) -> None:
    tttrlib = pytest.importorskip("tttrlib")
    photons = all_photons(open_recording(real_file(name)))
    peer = tttrlib.TTTR(str(real_file(name)), "PTU")
    is_photon = np.asarray(peer.event_types) == 0
    assert np.array_equal(np.asarray(peer.macro_times)[is_photon], photons.pulse)
    assert np.array_equal(np.asarray(peer.routing_channels)[is_photon], photons.channel)
    assert np.array_equal(np.asarray(peer.micro_times)[is_photon], photons.nanotime)


@pytest.mark.filterwarnings("ignore:Expected year field")  # the files have four digits
@pytest.mark.parametrize("name", PT3)
def test_phconvert_reads_the_same_photons_once_blanks_are_nuls(tmp_path: Path, name: str) -> None:
    pqreader = phconvert("pqreader")
    photons = all_photons(open_recording(real_file(name)))
    padded = tmp_path / "nul_padded.pt3"
    padded.write_bytes(_with_nul_padding(real_file(name).read_bytes()))
    timestamps, detectors, nanotimes, *_ = pqreader.load_pt3(str(padded))
    is_photon = detectors != 15
    peer = Photons(
        timestamps[is_photon].astype(np.uint64),
        nanotimes[is_photon].astype(np.uint16),
        detectors[is_photon].astype(np.uint8),
    )
    for column in ("pulse", "nanotime", "channel"):
        assert np.array_equal(getattr(photons, column), getattr(peer, column))


def _with_nul_padding(content: bytes) -> bytes:
    fields = ((0, 16), (16, 22), (22, 40), (40, 52), (52, 70))
    head = b"".join(content[a:b].rstrip(b" ").ljust(b - a, b"\0") for a, b in fields)
    return head + content[70:]
