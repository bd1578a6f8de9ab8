"""Full SMS files as we write them, read back: photons to the nanosecond, bins exactly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streams.formats import Choices, open_recording
from streams.formats.full_sms_writer import FullSmsWriter
from tests.streams.formats.files import all_photons
from tests.streams.formats.test_photon_hdf5_writer import END, ORIGIN, PHOTONS, T2, T3


def test_photons_come_back_to_the_nanosecond_with_their_bins(tmp_path: Path) -> None:
    with FullSmsWriter(tmp_path / "x.h5", T3, ORIGIN) as writer:
        writer.append(PHOTONS.between(0, 10**6), 10**6)
        writer.append(PHOTONS.between(10**6, 1 << 62), END)
    recording = open_recording(tmp_path / "x.h5", Choices(pulse_rate_hz=T3.pulse_rate_hz))
    photons = all_photons(recording)
    for channel in (0, 1):
        sent, came = PHOTONS.channel == channel, photons.channel == channel + 1  # it numbers them from 1
        assert np.array_equal(photons.pulse[came], PHOTONS.pulse[sent] * np.uint64(200))
        assert np.array_equal(photons.nanotime[came], PHOTONS.nanotime[sent])
    assert recording.acquisition.resolution_ps == pytest.approx(64.0)
    assert recording.session.title == "dot 7"


def test_what_does_not_fit_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    for acquisition, reason in ((T2, "need nanotimes"), (replace(T3, channels=(0, 1, 2)), "not 3")):
        with pytest.raises(ValueError, match=reason):
            FullSmsWriter(tmp_path / "x.h5", acquisition, ORIGIN)
    assert not list(tmp_path.iterdir())


def test_a_detector_that_was_not_announced_is_refused(tmp_path: Path) -> None:
    with (
        FullSmsWriter(tmp_path / "x.h5", replace(T3, channels=(0,)), ORIGIN) as writer,
        pytest.raises(ValueError, match="channel 1"),
    ):
        writer.append(PHOTONS, END)
