"""Which background is believed when several speak."""

from functools import cache

import numpy as np
import pytest

from qdmon.analysis.calibration.background import intensity_groups
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.calibration.trust import (
    ASSUMED_ZERO,
    DECAY_TAIL,
    GIVEN,
    STATES,
    KnownBackground,
    Settled,
    settle_background,
)
from qdmon.analysis.results.estimate import Estimate
from tests.qdmon.analysis import builders as b

TRUTH_CPS = 2400.0


@cache
def decays() -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.float64]]", ...]:
    rng = np.random.default_rng(5)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 8.0), acq=acq, background_cps=TRUTH_CPS / 2)
    data = b.binned(found, stop, acq)
    return (*intensity_groups(data.counts, data.bin_s), data.bins.edges_ns)


def settled(cps: float | None, origin: str = GIVEN, error: float | None = None) -> Settled:
    groups, seconds, edges = decays()
    known = None if cps is None else (Estimate(cps, error), origin)
    return settle_background(groups, seconds, MicroBins(edges, 200.0), known)


def test_without_anything_known_the_decay_tail_is_used_with_its_error() -> None:
    found = settled(None)
    assert found.origin == DECAY_TAIL
    assert found.background == found.tail
    assert found.background.value == pytest.approx(TRUTH_CPS, rel=0.1)
    assert found.known_to_cps is None
    assert found.note is found.doubt is None


def test_where_the_photons_cannot_tell_and_nobody_does_zero_is_assumed() -> None:
    groups, seconds, edges = decays()
    found = settle_background(groups / 1e4, seconds / 1e4, MicroBins(edges, 200.0), None)
    assert found.origin == ASSUMED_ZERO
    assert found.background.value == 0
    assert found.tail.value is None
    assert found.doubt is not None
    assert "not known" in found.doubt


@pytest.mark.parametrize("origin", [GIVEN, "dark stretch", "bleached tail"])
def test_a_known_background_that_fits_the_decays_is_used_without_a_word(origin: str) -> None:
    found = settled(TRUTH_CPS, origin, 15.0)
    assert found.origin == origin
    assert found.background == Estimate(TRUTH_CPS, 15.0)
    assert found.note is found.doubt is None
    assert found.known_to_cps is not None
    assert 15 < found.known_to_cps < 0.15 * TRUTH_CPS


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_a_given_background_off_by_two_is_doubted_with_both_numbers(factor: float) -> None:
    found = settled(factor * TRUTH_CPS)
    assert found.background.value == factor * TRUTH_CPS
    assert found.doubt is not None
    assert f"the given background of {factor * TRUTH_CPS:.0f} cps does not fit the decay tail" in found.doubt
    assert f"{found.tail.value:.0f} ±" in found.doubt
    assert found.note == found.doubt


def test_light_that_only_the_laser_brings_is_taken_from_the_decay_tail_and_said() -> None:
    found = settled(TRUTH_CPS / 3, "dark stretch", 10.0)
    assert found.origin == DECAY_TAIL
    assert found.background.value == pytest.approx(TRUTH_CPS, rel=0.1)
    assert found.doubt is None
    assert found.note is not None
    assert "with the laser on" in found.note
    assert f"{TRUTH_CPS / 3:.0f} ± 10" in found.note


def test_a_dark_stretch_brighter_than_the_decays_allow_is_doubted() -> None:
    found = settled(2 * TRUTH_CPS, "dark stretch", 10.0)
    assert found.doubt is not None
    assert found.doubt.startswith("the background of the dark stretch of")


def test_nothing_contradicts_where_the_decays_say_nothing() -> None:
    groups, seconds, edges = decays()
    known = Estimate(500.0, 5.0), GIVEN
    found = settle_background(groups / 1e4, seconds / 1e4, MicroBins(edges, 200.0), known)
    assert found.background.value == 500
    assert found.doubt is None


def test_the_total_of_detectors_adds_rates_and_errors_in_quadrature() -> None:
    known = KnownBackground(
        {0: Estimate(100.0, 3.0), 1: Estimate(50.0, 4.0), 2: Estimate(9.0)}, "dark stretch"
    )
    assert known.total([0, 1]) == Estimate(150.0, 5.0)
    assert known.total([2, 7]) == Estimate(9.0, 0.0)


def test_states_that_tell_the_background_are_believed_where_nothing_else_can() -> None:
    groups, seconds, edges = decays()
    assumed = settle_background(groups / 1e4, seconds / 1e4, MicroBins(edges, 200.0), None)
    told = assumed.by_states(Estimate(700.0, 100.0), 60e3)
    assert told.origin == STATES
    assert told.background == Estimate(700.0, 100.0)
    assert told.doubt is None
    # Known to a thirtieth of the bright level only: still nobody knows.
    vague = assumed.by_states(Estimate(700.0, 2000.0), 60e3)
    assert vague == assumed
    by_tail = settled(None)
    assert by_tail.by_states(Estimate(700.0, 100.0), 60e3) == by_tail
