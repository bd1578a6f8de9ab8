"""Photon-HDF5 of other programs: what the photons mean depends on units that files state, or do not."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hardware.types import Photons
from streams.formats import Choices, FormatError, open_recording
from streams.messages import Marker
from tests.hardware.records.photon_strategies import same_photons
from tests.streams.formats.files import all_photons, some_photons
from tests.streams.formats.hdf5_files import LASER_HZ, UNIT_S, photon_hdf5_file

PHOTONS = some_photons()
UNIT = "photon_data__timestamps_specs__timestamps_unit"
RATE = "photon_data__measurement_specs__laser_repetition_rate"


def test_timestamps_that_count_pulses_are_pulses(tmp_path: Path) -> None:
    recording = open_recording(photon_hdf5_file(tmp_path / "x.h5", PHOTONS))
    acquisition = recording.acquisition
    assert same_photons(all_photons(recording), PHOTONS)
    assert (acquisition.mode, acquisition.counts_pulses) == ("T3", True)
    assert acquisition.macro_tick_ps == pytest.approx(UNIT_S * 1e12)
    assert acquisition.resolution_ps == pytest.approx(64.0)
    assert recording.session.title == "a dot"
    assert recording.problems == ()


def test_a_nominal_laser_rate_within_a_percent_is_the_pulse_rate(tmp_path: Path) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, **{UNIT: UNIT_S * 1.002})
    acquisition = open_recording(path).acquisition
    assert acquisition.counts_pulses
    assert acquisition.macro_tick_ps == pytest.approx(UNIT_S * 1.002e12)  # what was measured, not the nominal


def test_timestamps_of_a_clock_keep_their_nanotimes_and_the_laser_period(tmp_path: Path) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, **{UNIT: 5e-8})
    acquisition = open_recording(path).acquisition
    assert (acquisition.mode, acquisition.counts_pulses) == ("T3", False)
    assert acquisition.macro_tick_ps == pytest.approx(50_000.0)
    assert acquisition.pulse_rate_hz == pytest.approx(LASER_HZ)


def test_without_a_laser_rate_nanotimes_are_left_out_with_a_reason_until_it_is_said(tmp_path: Path) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, **{RATE: None})
    unsaid = open_recording(path)
    assert unsaid.acquisition.mode == "T2"
    assert "--pulse-rate-hz" in unsaid.problems[0]
    assert not all_photons(unsaid).nanotime.any()
    said = open_recording(path, Choices(pulse_rate_hz=LASER_HZ))
    assert same_photons(all_photons(said), PHOTONS)


def test_the_laser_rate_of_the_setup_counts_where_the_measurement_has_none(tmp_path: Path) -> None:
    path = photon_hdf5_file(
        tmp_path / "x.h5", PHOTONS, setup__laser_repetition_rates=np.array([LASER_HZ]), **{RATE: None}
    )
    assert open_recording(path).acquisition.counts_pulses


def test_without_nanotimes_it_is_a_t2_recording_and_nothing_is_wrong(tmp_path: Path) -> None:
    recording = open_recording(photon_hdf5_file(tmp_path / "x.h5", PHOTONS, photon_data__nanotimes=None))
    assert (recording.acquisition.mode, recording.problems) == ("T2", ())
    assert np.array_equal(all_photons(recording).pulse, PHOTONS.pulse)


def test_without_a_detector_column_there_is_one_detector(tmp_path: Path) -> None:
    recording = open_recording(photon_hdf5_file(tmp_path / "x.h5", PHOTONS, photon_data__detectors=None))
    assert recording.acquisition.channels == (0,)


def test_detector_numbers_that_are_no_photons_are_markers(tmp_path: Path) -> None:
    specs = "photon_data__measurement_specs__detectors_specs__non_photon_id2"
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, **{specs: np.array([1], np.uint8)})
    recording = open_recording(path)
    markers = [m for m in recording.messages() if isinstance(m, Marker)]
    assert [m.pulse for m in markers] == PHOTONS.pulse[PHOTONS.channel == 1].tolist()
    assert {m.text for m in markers} == {"marker 2"}
    assert recording.acquisition.channels == (0,)


def test_photons_a_little_out_of_order_are_sorted(tmp_path: Path) -> None:
    mixed = np.arange(len(PHOTONS)).reshape(-1, 4)[:, ::-1].ravel()
    shuffled = Photons(PHOTONS.pulse[mixed], PHOTONS.nanotime[mixed], PHOTONS.channel[mixed])
    recording = open_recording(photon_hdf5_file(tmp_path / "x.h5", shuffled))
    assert np.array_equal(all_photons(recording).pulse, np.sort(PHOTONS.pulse))


def test_a_multispot_file_asks_which_spot(tmp_path: Path) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS)
    with h5py.File(path, "r+") as file:
        file.move("photon_data", "photon_data0")
        file.copy("photon_data0", "photon_data1")
    with pytest.raises(FormatError, match=r"choose one with --particle \(0, 1\)"):
        open_recording(path)
    assert open_recording(path, Choices(particle=1)).photons == len(PHOTONS)
    with pytest.raises(FormatError, match="no spot 7"):
        open_recording(path, Choices(particle=7))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({UNIT: None}, "lacks a possible unit"),
        ({UNIT: float("nan")}, "lacks a possible unit"),
        ({UNIT: -1e-9}, "lacks a possible unit"),
        ({"photon_data__timestamps": None}, "no timestamps"),
        ({"photon_data__timestamps": np.arange(7)}, "different length"),
        ({"photon_data__timestamps": np.linspace(0, 1, len(PHOTONS))}, "not whole numbers"),
        ({"photon_data__timestamps": -PHOTONS.pulse.astype(np.int64)}, "timestamps outside"),
        ({"photon_data__timestamps": np.zeros((len(PHOTONS), 2), np.int64)}, "no plain list"),
        ({"photon_data__timestamps": PHOTONS.pulse.astype(np.int64) << 40}, "no card records"),
        ({"photon_data__timestamps": (PHOTONS.pulse.astype(np.int64) << 7)[::-1]}, "go back by"),
        ({"photon_data__detectors": np.full(len(PHOTONS), 300)}, "detector numbers outside"),
        ({"photon_data__nanotimes": np.full(len(PHOTONS), 70_000)}, "nanotimes outside"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, **changed)
    with pytest.raises(FormatError, match=reason) as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)
