"""Published recordings in formats of other makers and programs, read exactly as TRUTH.json says."""

from pathlib import Path

import numpy as np
import pytest

from streams.formats import Choices, FormatError, open_recording
from streams.formats.ttbin import FALLING
from tests.realdata import real_file, truth
from tests.streams.formats.files import all_photons

DERIVED = ["derived_photon_hdf5/trace3.photon.hdf5", "derived_photon_hdf5/m000.photon.hdf5"]
TTBIN = ["pylabnet_ttbin/20230515-201056.ttbin", "pylabnet_ttbin/20230515-204112.ttbin"]
FULL_SMS = "fullsms_h5/IRF_680nm.h5"
LASER_HZ = 2e7  # its micro times end before 50 ns


@pytest.mark.parametrize("name", DERIVED)
def test_photon_hdf5_holds_the_photons_of_its_origin(name: str) -> None:
    expected, recording = truth(truth(name)["same_photons_as"]), open_recording(real_file(name))
    photons = all_photons(recording)
    acquisition = recording.acquisition
    assert recording.problems == ()
    assert acquisition.mode == "T3"
    assert acquisition.counts_pulses
    assert recording.photons == len(photons) == expected["n_photons"]
    assert {str(c): int(np.sum(photons.channel == c)) for c in acquisition.channels} == expected[
        "per_channel"
    ]
    assert [int(photons.pulse[0]), int(photons.pulse[-1])] == [
        expected["first_macro_tick"],
        expected["last_macro_tick"],
    ]
    assert int(np.sum(photons.pulse)) % 2**61 == expected["macro_checksum_sum_mod_2e61"]
    assert acquisition.macro_tick_ps == pytest.approx(expected["macro_unit_s"] * 1e12, rel=1e-12)
    assert acquisition.resolution_ps == pytest.approx(expected["micro_unit_s"] * 1e12, rel=1e-12)
    for channel, peak in expected["tcspc_peak"].items():
        nanotimes = photons.nanotime[photons.channel == int(channel)]
        histogram = np.bincount(nanotimes)
        assert [int(histogram.argmax()), int(histogram.max())] == peak
        assert int(nanotimes.sum(dtype=np.int64)) == expected["micro_sum"][channel]


def test_photon_hdf5_is_the_same_recording_as_its_origin_photon_by_photon() -> None:
    ours = all_photons(open_recording(real_file(DERIVED[0])))
    origin = all_photons(open_recording(real_file("fullsms_picoharp_pt3/trace3.pt3")))
    for column in ("pulse", "nanotime", "channel"):
        assert np.array_equal(getattr(ours, column), getattr(origin, column))


def test_full_sms_times_are_those_of_the_truth_and_its_micro_times_nanoseconds() -> None:
    expected = truth(FULL_SMS)
    recording = open_recording(real_file(FULL_SMS), Choices(pulse_rate_hz=LASER_HZ))
    photons, acquisition = all_photons(recording), recording.acquisition
    assert recording.problems == ()
    assert acquisition.resolution_ps == pytest.approx(expected["micro_step"] * 1000, rel=1e-9)
    assert acquisition.pulse_rate_hz == pytest.approx(LASER_HZ)
    assert len(photons) == expected["n_photons"]
    assert [int(photons.pulse[0]), int(photons.pulse[-1])] == [expected["first_ns"], expected["last_ns"]]
    micro_ns = photons.nanotime * (acquisition.resolution_ps or 0.0) / 1000
    found = [float(f(micro_ns)) for f in (np.min, np.max, np.median)]
    assert found == pytest.approx([expected[f"micro_{n}"] for n in ("min", "max", "median")], rel=1e-9)
    assert len(photons) / recording.duration_s == pytest.approx(expected["mean_rate_cps"], rel=1e-5)


def test_full_sms_without_a_pulse_rate_keeps_the_photons_and_says_what_is_missing() -> None:
    recording = open_recording(real_file(FULL_SMS))
    assert recording.acquisition.mode == "T2"
    assert recording.photons == truth(FULL_SMS)["n_photons"]
    assert "--pulse-rate-hz" in recording.problems[0]


@pytest.mark.parametrize("name", TTBIN)
def test_time_tagger_files_hold_the_tags_of_the_truth(name: str) -> None:
    pytest.importorskip("Swabian", reason="the maker's package Swabian-TimeTagger is not installed")
    expected, recording = truth(name), open_recording(real_file(name))
    photons = all_photons(recording, batch_s=10.0)
    origin_ps = int(str(recording.header["origin_ps"]))
    signed = {c: c if c < FALLING else FALLING - c for c in recording.acquisition.channels}
    counts = {str(signed[c]): int(np.sum(photons.channel == c)) for c in signed}
    assert counts == expected["per_channel"]
    assert recording.photons == expected["events"]
    assert [origin_ps + int(photons.pulse[i]) for i in (0, -1)] == [expected["first_ps"], expected["last_ps"]]
    dumped = real_file(name).parent / "expected" / f"{real_file(name).stem}.events.csv"
    rows = np.loadtxt(dumped, np.int64, delimiter=",", skiprows=1)
    seen = np.column_stack([[signed[c] for c in photons.channel.tolist()], photons.pulse.astype(np.int64)])
    seen[:, 1] += origin_ps
    assert np.array_equal(np.array(sorted(seen.tolist())), np.array(sorted(rows.tolist())))


def test_a_time_tagger_index_without_its_data_is_refused(tmp_path: Path) -> None:
    lonely = tmp_path / "x.ttbin"
    lonely.write_bytes(real_file(TTBIN[0]).read_bytes())
    with pytest.raises(FormatError, match=r"put its data file x\.1\.ttbin beside it"):
        open_recording(lonely)
