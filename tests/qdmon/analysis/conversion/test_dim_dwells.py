"""Dim dwells whose rows are known: what their photons say of what dims the dot."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.dim_dwells import DimBlink, Light, dim_dwells
from qdmon.analysis.conversion.row_states import row_states
from tests.qdmon.analysis import builders as b

BRIGHT, TRION, TRAP = (150.0, 24.7), (42.0, 3.5), (75.0, 12.35)
DARK = 0.2
BINS = TimeAxis.build(b.acquisition(), {0: 4000.0, 1: 4640.0}).bins
STATES = row_states(BRIGHT[1], BINS)


def light(*levels: float) -> Light:
    """What is expected of a row, with the bright level in photons of a row, likeliest first."""
    expected = [STATES.signal * level + DARK * BINS.uniform_share for level in levels]
    dark = DARK * float(BINS.uniform_share[1:].sum())
    return Light(STATES, expected, dark, float(expected[0][0, 1:].sum()) - dark)


def rows_of(rng: np.random.Generator, *runs: tuple[int, tuple[float, float]]) -> NDArray[np.int64]:
    """(n, m) counts of runs of (rows, (photons of a row, lifetime in ns)), between bright ones."""
    means = []
    for n, (photons, lifetime_ns) in [(60, BRIGHT), *runs, (60, BRIGHT)]:
        share = BINS.share_of(np.array([lifetime_ns]))[0]
        means += n * [photons * share + DARK * BINS.uniform_share]
    return rng.poisson(np.array(means)).astype(np.int64)


def blinks_of(rows: NDArray[np.int64], seen_with: Light) -> list[DimBlink]:
    whole = np.ones(len(rows), bool)
    return [blink for dwell in dim_dwells(rows, whole, seen_with) for blink in dwell]


@pytest.mark.parametrize(("state", "sign"), [(TRION, 1), (TRAP, -1)])
def test_a_dwell_in_one_state_is_one_blink_of_one_kind(state: tuple[float, float], sign: int) -> None:
    for seed in range(20):
        (blink,) = blinks_of(rows_of(np.random.default_rng(seed), (40, state)), light(150.0, 153.0, 147.0))
        assert len(blink.odds) == 1
        assert sign * blink.odds[0] > 8
        assert (blink.begin, blink.end) == pytest.approx((60, 100), abs=2)
        assert blink.lost_rows == pytest.approx(40 * (1 - state[0] / 150), rel=0.2)


def test_a_dwell_in_two_long_parts_is_two_blinks() -> None:
    blinks = blinks_of(rows_of(np.random.default_rng(1), (40, TRION), (40, TRAP)), light(150.0))
    assert [np.sign(blink.odds).tolist() for blink in blinks] == [[1.0], [-1.0]]
    assert blinks[0].end == blinks[1].begin == pytest.approx(100, abs=2)


@pytest.mark.parametrize("first", [TRION, TRAP])
def test_turns_too_short_to_be_told_apart_are_one_blink_of_either_kind(first: tuple[float, float]) -> None:
    other = TRAP if first is TRION else TRION
    runs = [(4, state) for _ in range(10) for state in (first, other)]
    (blink,) = blinks_of(rows_of(np.random.default_rng(2), *runs), light(150.0, 153.0))
    auger, trap = blink.odds if first is TRION else blink.odds[::-1]
    assert auger > 5
    assert trap < -5
    assert blink.begin < blink.turn < blink.end


def test_a_charged_dwell_with_a_doubtful_row_or_two_is_charged_all_the_same() -> None:
    for seed in range(10):
        runs = (60, TRION), (2, TRAP), (60, TRION)
        (blink,) = blinks_of(rows_of(np.random.default_rng(seed), *runs), light(150.0))
        assert max(blink.odds) > 50
        assert min(blink.odds) > -5


def test_what_holds_only_for_one_bright_level_is_no_evidence() -> None:
    # With a bright level of twice the light what is dim here is charged; with this one it is hardly dim.
    rows = rows_of(np.random.default_rng(3), (60, (75.0, 12.3)))
    (sure,) = blinks_of(rows, light(150.0))
    (unsure,) = blinks_of(rows, light(150.0, 80.0))
    assert sure.odds[0] < -20
    assert unsure.odds[0] > sure.odds[0] / 2


def test_rows_with_lost_photons_say_nothing() -> None:
    rows = rows_of(np.random.default_rng(4), (40, TRAP))
    whole = np.ones(len(rows), bool)
    whole[60:100] = False
    assert dim_dwells(rows, whole, light(150.0)) == []
