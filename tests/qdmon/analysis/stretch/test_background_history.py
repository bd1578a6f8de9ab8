"""The background from stretch to stretch: what one knew serves until the next knows its own."""

from types import SimpleNamespace
from typing import cast

import pytest

from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, DECAY_TAIL, GIVEN, Settled
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.background_history import BackgroundHistory
from qdmon.analysis.stretch.own_background import OwnBackground
from qdmon.analysis.stretch.stretch import Stretch
from tests.qdmon.analysis import builders as b


def settled(cps: float, error: float | None, origin: str) -> Settled:
    return Settled(Estimate(cps, error), origin, 0.0, UNKNOWN)


def stretch(cps: float, found: Settled | None = None) -> Stretch:
    background = OwnBackground()
    background.cps, background.settled = cps, found
    return cast(Stretch, SimpleNamespace(background=background, photons=SimpleNamespace(histogram=None)))


def history(given_cps: float | None = None) -> BackgroundHistory:
    settings = AnalysisSettings(background_cps={} if given_cps is None else {None: given_cps})
    calibrator = Calibrator(b.acquisition(), settings)
    calibrator.axis = TimeAxis.build(b.acquisition(), {0: 4000.0, 1: 4640.0})
    return BackgroundHistory(calibrator)


TAIL, ZERO = settled(600.0, 40.0, DECAY_TAIL), settled(0.0, None, ASSUMED_ZERO)


def test_between_two_stretches_it_is_that_of_the_last() -> None:
    found = history()
    assert (found.cps(None), found.settled(None)) == (0.0, None)
    found.keep(stretch(600.0, TAIL))
    assert (found.cps(None), found.settled(None)) == (600.0, TAIL)
    assert found.before_cps == 600.0


def test_a_stretch_that_was_too_short_to_know_leaves_what_was_known_before() -> None:
    found = history()
    found.keep(stretch(600.0, TAIL))
    found.keep(stretch(610.0))
    assert (found.cps(None), found.settled(None)) == (610.0, TAIL)


def test_a_stretch_that_goes_on_speaks_for_itself() -> None:
    found = history()
    found.keep(stretch(600.0, TAIL))
    here = stretch(50.0)
    assert (found.cps(here), found.settled(here)) == (50.0, None)


@pytest.mark.parametrize("here", [stretch(0.0), stretch(200.0, settled(200.0, None, GIVEN))])
def test_what_was_given_is_that_of_each_detector_as_long_as_it_is_used(here: Stretch) -> None:
    assert history(given_cps=100.0).of_detectors(here) == {0: Estimate(100.0), 1: Estimate(100.0)}


def test_what_the_decays_say_together_is_shared_out_with_its_error() -> None:
    for found in (history(), history(given_cps=100.0)):
        assert found.of_detectors(stretch(600.0, TAIL)) == dict.fromkeys((0, 1), Estimate(300.0, 20.0))


def test_what_nobody_settled_has_no_error() -> None:
    assert history().of_detectors(stretch(600.0)) == {0: Estimate(300.0), 1: Estimate(300.0)}


@pytest.mark.parametrize(
    ("given_cps", "found", "from_decays", "known"),
    [
        (None, None, False, False),
        (None, ZERO, False, False),
        (None, TAIL, True, True),
        (100.0, None, False, True),
        (100.0, settled(200.0, None, GIVEN), False, True),
        (100.0, TAIL, True, True),
    ],
)
def test_pairs_are_told_whether_it_was_measured_and_where(
    given_cps: float | None, found: Settled | None, from_decays: bool, known: bool
) -> None:
    light = history(given_cps).steady_light(stretch(600.0, found))
    assert (light.from_decays, light.known) == (from_decays, known)
    assert light.cps.keys() == {0, 1}
