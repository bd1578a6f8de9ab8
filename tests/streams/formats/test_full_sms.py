"""Full SMS files of both layouts: nanoseconds whatever the name says, one particle at a time."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from streams.formats import Choices, FormatError, open_recording
from tests.streams.formats.files import all_photons
from tests.streams.formats.hdf5_files import full_sms_file

SAID = Choices(pulse_rate_hz=2e7)


@pytest.mark.parametrize("seconds", [False, True])
def test_micro_times_become_bins_of_their_common_step(tmp_path: Path, seconds: bool) -> None:
    recording = open_recording(full_sms_file(tmp_path / "x.h5", seconds=seconds), SAID)
    photons, acquisition = all_photons(recording), recording.acquisition
    assert acquisition.resolution_ps == pytest.approx(16.0)
    assert photons.nanotime.tolist() == list(range(100))
    assert photons.pulse.tolist() == [1000 * n for n in range(1, 101)]
    assert acquisition.pulse_rate_hz == pytest.approx(2e7)
    assert not acquisition.counts_pulses
    assert recording.session.started_unix_ns == 1_531_243_260 * 10**9


def test_two_detectors_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    photons = all_photons(open_recording(full_sms_file(tmp_path / "x.h5", second=True), SAID))
    assert photons.pulse.tolist() == [1000 + 500 * n for n in range(200)]
    assert photons.channel.tolist() == [1, 2] * 100


def test_of_several_particles_one_must_be_chosen(tmp_path: Path) -> None:
    path = full_sms_file(tmp_path / "x.h5", particles=3)
    with pytest.raises(FormatError, match=r"3 particles: choose one with --particle \(1, 2, 3\)"):
        open_recording(path)
    assert "dot 2" in open_recording(path, Choices(particle=2)).session.title
    with pytest.raises(FormatError, match="no particle 9; it has 1, 2, 3"):
        open_recording(path, Choices(particle=9))


def test_two_particles_are_two_sessions(tmp_path: Path) -> None:
    path = full_sms_file(tmp_path / "x.h5", particles=2)
    ids = {open_recording(path, Choices(particle=n)).session.session_id for n in (1, 2)}
    assert len(ids) == 2


def test_micro_times_without_a_common_step_are_refused(tmp_path: Path) -> None:
    path = full_sms_file(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        rng = np.random.default_rng(1)
        file["Particle 1/Micro Times (ns)"][:] = rng.random(100) * 50
    with pytest.raises(FormatError, match="without a common step"):
        open_recording(path, SAID)


def test_a_particle_without_photon_times_is_refused(tmp_path: Path) -> None:
    path = full_sms_file(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file["Particle 1/Micro Times (ns)"]
    with pytest.raises(FormatError, match="no photon times in Particle 1"):
        open_recording(path, SAID)


def test_times_out_of_order_are_sorted_and_negative_ones_refused(tmp_path: Path) -> None:
    path = full_sms_file(tmp_path / "x.h5", second=True)
    with h5py.File(path, "r+") as file:
        times = file["Particle 1/Absolute Times (ns)"]
        times[:] = times[:][::-1]
    photons = all_photons(open_recording(path, SAID))
    assert photons.pulse.tolist() == [1000 + 500 * n for n in range(200)]
    with h5py.File(path, "r+") as file:
        del file["Particle 1/Absolute Times (ns)"]
        file["Particle 1/Absolute Times (ns)"] = -np.arange(100)
    with pytest.raises(FormatError, match="negative times"):
        open_recording(path, SAID)
