"""What readers of photon files have got wrong, each found on a published file: what ours says, and theirs.

Where another reader is asserted, the right answer is allowed beside its present one: it may be mended.
"""

from pathlib import Path

import numpy as np
import pytest

from streams.formats import open_recording
from streams.messages import Marker
from tests.peers import phconvert
from tests.realdata import real_file, truth
from tests.streams.formats.files import all_photons, ptu_bytes, write

HBT = "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres"
BEADS = "tttrlib_symphotime_beads/beads.ptu"
FLIM = "napari_picoharp_flim/ptu_stack_FLIM_z1.ptu"
T3R = "libpicoquant_samples/v50.t3r"
NOISE = "phconvert_bh_spc150/test_noise.spc"


@pytest.mark.parametrize("count", [127, 128, 129, 300, 100_000])
def test_trap_1_coalesced_t2_overflows_of_128_and_more_all_count(tmp_path: Path, count: int) -> None:
    words = np.array([5, 0xFE00_0000 | count, 1 << 25 | 7], np.uint32)
    content = ptu_bytes(words, 0x0101_0204, TTResult_StopAfter=10_000_000, Measurement_Mode=2)
    path = write(tmp_path, "x.ptu", content)
    right = count << 25 | 7
    assert all_photons(open_recording(path), 1.0).pulse.tolist() == [5, right]
    ptufile, tttrlib = pytest.importorskip("ptufile"), pytest.importorskip("tttrlib")
    tttr = tttrlib.TTTR(str(path), "PTU")
    assert int(np.asarray(tttr.macro_times)[np.asarray(tttr.event_types) == 0][-1]) == right
    with ptufile.PtuFile(path) as peer:
        records = peer.decode_records()
    assert int(records[records["channel"] >= 0]["time"][-1]) in (right, count % 128 << 25 | 7)


def test_trap_2_picoharp_t3_markers_are_no_photons_and_photons_in_bin_0_no_markers() -> None:
    recording, expected = open_recording(real_file(FLIM)), truth(FLIM)
    photons = all_photons(recording)
    in_bin_0 = int(np.sum(photons.nanotime == 0))
    assert recording.acquisition.channels == (1,)
    assert len(photons) == expected["n_photons"]
    assert in_bin_0 == 32
    assert sum(isinstance(m, Marker) for m in recording.messages()) == expected["n_markers"]
    tttr = pytest.importorskip("tttrlib").TTTR(str(real_file(FLIM)), "PTU")
    channel = np.asarray(tttr.routing_channels)[np.asarray(tttr.event_types) == 0]
    theirs = int(np.sum(channel == 1)), int(np.sum(channel == 15))
    assert theirs in (
        (len(photons), 0),
        (len(photons) - in_bin_0, expected["n_markers"]),
    )


def test_trap_3_channels_are_numbered_as_in_the_record_and_not_from_the_sync_or_from_1() -> None:
    assert open_recording(real_file(FLIM)).acquisition.channels == (1,)
    assert open_recording(real_file(HBT)).acquisition.channels == (0, 1)
    ptufile = pytest.importorskip("ptufile")
    with ptufile.PtuFile(real_file(FLIM)) as peer:
        records = peer.decode_records()
    assert set(np.unique(records[records["channel"] >= 0]["channel"]).tolist()) in ({0}, {1})


@pytest.mark.filterwarnings("ignore:Expected year field")
def test_trap_4_a_pt3_padded_with_blanks_is_a_pt3() -> None:
    name = "fullsms_picoharp_pt3/trace1.pt3"
    recording = open_recording(real_file(name))
    assert recording.header["FormatVersion"] == "2.0"
    assert recording.photons == truth(name)["n_photons"]
    pqreader = phconvert("pqreader")
    try:
        timestamps = pqreader.load_pt3(str(real_file(name)))[0]
    except OSError as refused:
        timestamps, why = None, str(refused)
    assert timestamps is not None or "b'2.0   '" in why


def test_trap_5_a_t3r_runs_forwards_and_begins_at_zero() -> None:
    photons = all_photons(open_recording(real_file(T3R)))
    published = np.loadtxt(real_file("libpicoquant_samples/published/v50.t3r.data"), np.int64, delimiter=",")
    assert photons.pulse[: len(published)].tolist() == published[:, 1].tolist()
    assert (4095 - photons.nanotime[: len(published)].astype(int)).tolist() == published[:, 2].tolist()
    decay = np.bincount(photons.nanotime, minlength=4096)
    peak = int(decay.argmax())
    assert decay[peak + 100 : peak + 400].sum() > 3 * decay[peak - 400 : peak - 100].sum()


def test_trap_5_phconvert_reads_the_same_t3r_backwards_and_one_overflow_late() -> None:
    pqreader = phconvert("pqreader")
    photons = all_photons(open_recording(real_file(T3R)))
    timestamps, valid, raw, *_ = pqreader.load_t3r(str(real_file(T3R)))
    is_photon = valid == 1
    late = int(timestamps[is_photon][0]) - int(photons.pulse[0])
    assert late in (0, 65_536)
    assert np.array_equal(timestamps[is_photon] - late, photons.pulse.astype(np.int64))
    assert np.array_equal(raw[is_photon], 4095 - photons.nanotime)


def test_trap_6_the_duration_is_that_of_the_photons_and_not_the_one_asked_for() -> None:
    recording = open_recording(real_file(BEADS))
    assert recording.duration_s == pytest.approx(truth(BEADS)["last_s"], abs=0.01)
    pqreader = phconvert("pqreader")
    asked_s = pqreader.load_ptu(str(real_file(BEADS)))[3]["acquisition_duration"]
    assert asked_s == pytest.approx(21.0) or asked_s < 10.6


def test_trap_7_ticks_of_ht2_1_0_are_half_picoseconds() -> None:
    recording = open_recording(real_file("libpicoquant_samples/v10.ht2"))
    published = np.loadtxt(real_file("libpicoquant_samples/published/v10.ht2.data"), np.int64, delimiter=",")
    photons = all_photons(recording)
    assert recording.acquisition.macro_tick_ps == 0.5
    assert (photons.pulse // 2).tolist() == published[:, 1].tolist()  # in whole ps
    assert photons.channel.tolist() == published[:, 0].tolist()


def test_trap_8_without_its_set_file_the_bins_of_a_spc_file_are_a_guess_that_is_5_percent_off(
    tmp_path: Path,
) -> None:
    alone = write(tmp_path, "alone.spc", real_file(NOISE).read_bytes())
    told, guessed = open_recording(real_file(NOISE)), open_recording(alone)
    assert told.acquisition.resolution_ps == pytest.approx(2.4430455, rel=1e-12)
    assert told.problems == ()
    assert guessed.acquisition.resolution_ps == pytest.approx(2.3193359375, rel=1e-12)
    assert "a guess" in guessed.problems[0]
    peer = pytest.importorskip("tttrlib").TTTR(str(alone), "SPC-130")
    assert peer.header.micro_time_resolution == pytest.approx(2.3193359375e-12)
