"""Background foreseen at a new fluence: between what stays and what grows with the light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.floors import PHOTONS, carried_floor, floor_of
from tests.qdmon.analysis import builders as b

ROW_S = 0.001
LEVELS = st.floats(0.01, 3.0)


@given(cps=st.floats(0.0, 1e5), then=LEVELS, now=LEVELS)
def test_background_that_stays_and_background_that_follows_are_both_foreseen(
    cps: float, then: float, now: float
) -> None:
    floor = carried_floor(Floor(cps, 0.01, 0.0), then, now)
    for possible in (cps, cps * now / then):
        assert abs(possible - floor.background_cps) <= floor.error_cps * (1 + 1e-9) + 1e-6
    assert floor.delayed == 0.01


@pytest.mark.parametrize(("then", "now"), [(0.2, 0.2), (None, 0.2), (0.2, None)])
def test_at_the_same_or_an_unknown_fluence_it_is_what_it_was(then: float | None, now: float | None) -> None:
    assert carried_floor(Floor(400.0, 0.0, 30.0), then, now) == Floor(400.0, 0.0, 30.0)


def test_the_first_rows_tell_as_soon_as_they_hold_enough_photons() -> None:
    rng = np.random.default_rng(5)
    acq = b.acquisition()
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
    expected = axis.bins.share_of(np.array([24.7]))[0] * 76.0 + axis.bins.uniform_share * 2.0
    rows = rng.poisson(expected, (600, axis.bins.count))
    enough = int(np.searchsorted(np.cumsum(rows.sum(axis=1)), PHOTONS)) + 10
    assert floor_of(rows[: enough - 50], ROW_S, axis.bins) is None
    floor = floor_of(rows[:enough], ROW_S, axis.bins)
    assert floor is not None
    assert floor.background_cps == pytest.approx(2000.0, abs=3 * floor.error_cps)
