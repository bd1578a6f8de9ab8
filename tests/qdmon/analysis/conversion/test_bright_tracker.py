"""The bright level of a stretch: seen by its decay, held when another is foreseen, given up when outshone."""

import numpy as np
import pytest

from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.bright_tracker import BrightTracker
from qdmon.analysis.conversion.row_states import BrightLevel, row_states
from tests.qdmon.analysis import builders as b

TRUE_CPS, LIFETIME_NS, ROW_S = 76e3, 24.7, 0.001
BACKGROUND_CPS = 400.0


class Watching:
    """A tracker beside a table that fills."""

    def __init__(self, foreseen_cps: float) -> None:
        self.bright = BrightLevel(foreseen_cps, LIFETIME_NS)
        acq = b.acquisition()
        self._axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
        self._table = BinTable(0, acq.pulses(ROW_S), self._axis.bins.count, 100_000)
        self._dwells: list[b.Dwell] = []
        self.tracker = BrightTracker(0)

    @property
    def cps(self) -> float:
        return self.bright.cps * self.tracker.scale

    def see(self, *dwells: b.Dwell) -> None:
        acq, bins = b.acquisition(), self._axis.bins
        self._dwells += dwells
        found, stop = b.photons(np.random.default_rng(5), self._dwells, acq=acq)
        self._table = BinTable(0, acq.pulses(ROW_S), bins.count, 100_000)
        self._table.add_decays(found, stop, self._axis.micro_bin, self._axis.arrival_ns)
        states = row_states(LIFETIME_NS, bins)
        background = BACKGROUND_CPS * bins.uniform_share
        self.tracker.foresee(self.bright.cps)
        self.tracker.update(self._table, states, self.bright, background, ROW_S)


def bright(seconds: float) -> b.Dwell:
    return b.Dwell(seconds, TRUE_CPS, LIFETIME_NS)


def trapped(seconds: float, q: float) -> b.Dwell:
    return b.Dwell(seconds, TRUE_CPS * q, LIFETIME_NS * q)


@pytest.mark.parametrize("wrong", [0.85, 1.0, 1.15])
def test_the_bright_level_is_found_once_it_is_there(wrong: float) -> None:
    watching = Watching(wrong * TRUE_CPS)
    watching.see(bright(0.8))
    assert watching.tracker.seen
    assert watching.cps == pytest.approx(TRUE_CPS, rel=0.05)


def test_a_level_that_was_seen_stays_where_it_is_when_another_is_foreseen() -> None:
    watching = Watching(TRUE_CPS)
    watching.see(bright(0.8))
    before = watching.cps
    watching.bright = BrightLevel(1.3 * TRUE_CPS, LIFETIME_NS)
    watching.tracker.foresee(watching.bright.cps)
    assert watching.cps == pytest.approx(before)


@pytest.mark.parametrize("q", [0.55, 0.7])
def test_trapped_light_is_not_taken_for_the_bright_level(q: float) -> None:
    watching = Watching(1.08 * TRUE_CPS)
    watching.see(trapped(1.0, q))
    assert not watching.tracker.seen


def test_brighter_light_that_comes_later_is_the_bright_level() -> None:
    watching = Watching(0.75 * TRUE_CPS)
    watching.tracker.foresee(0.75 * TRUE_CPS)
    watching.see(b.Dwell(0.6, 0.75 * TRUE_CPS, LIFETIME_NS))
    assert watching.cps == pytest.approx(0.75 * TRUE_CPS, rel=0.05)
    watching.see(bright(1.4))
    assert watching.cps == pytest.approx(TRUE_CPS, rel=0.05)
