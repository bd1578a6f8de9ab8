from dataclasses import replace

import numpy as np
import pytest

from hardware.types import Acquisition, Photons, RecordLayout


def acquisition(macro_tick_ps: float = 200_000.0) -> Acquisition:
    return Acquisition("T3", macro_tick_ps, 16.0, 12_500, (0, 1), RecordLayout.GENERIC_T3, "test card")


def test_a_period_of_200_ns_is_a_pulse_rate_of_5_mhz() -> None:
    assert acquisition().pulse_rate_hz == pytest.approx(5e6)
    assert acquisition().seconds(5_000_000) == pytest.approx(1.0)
    assert acquisition().pulses(0.01) == 50_000


def test_where_steps_are_a_clock_of_the_cards_own_the_laser_has_a_period_of_its_own() -> None:
    own = replace(acquisition(100_000.0), laser_period_ps=200_000.0, layout=RecordLayout.TIMEHARP_200_T3)
    assert own.seconds(10_000_000) == pytest.approx(1.0)
    assert own.pulse_rate_hz == pytest.approx(5e6)
    assert own.pulse_period_ps == 200_000.0
    assert not own.counts_pulses
    assert own.started_by_photons
    assert acquisition().counts_pulses
    assert not acquisition().started_by_photons


def test_a_t2_recording_has_no_pulses_to_count() -> None:
    t2 = replace(acquisition(1.0), mode="T2", resolution_ps=None)
    assert t2.pulse_rate_hz is None
    assert t2.pulse_period_ps is None
    assert not t2.counts_pulses


def test_photons_between_two_pulses_leave_out_the_upper_one() -> None:
    photons = Photons(np.array([1, 5, 5, 9], np.uint64), np.arange(4, dtype=np.uint16), np.zeros(4, np.uint8))
    assert photons.between(5, 9).nanotime.tolist() == [1, 2]
    assert len(photons.between(2, 5)) == 0


def test_joined_photons_are_the_same_as_uncut_ones() -> None:
    photons = Photons(np.array([1, 5, 5, 9], np.uint64), np.arange(4, dtype=np.uint16), np.zeros(4, np.uint8))
    again = Photons.join([photons.between(0, 5), photons.between(5, 9), photons.between(9, 10)])
    assert np.array_equal(again.pulse, photons.pulse)
    assert np.array_equal(again.nanotime, photons.nanotime)
    assert len(Photons.join([])) == 0
