"""Time zero is refined by photons to come, and its drift is told and followed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.calibration.edges import BLOCK_PHOTONS, SHARP_LOOKS, EdgeWatch, Moved
from qdmon.analysis.calibration.timing import Edge, TimeAxis, rising_edge
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition(200.0, 16.0)
SIGNAL = {0: 0.8, 1: 0.8}


def histogram(
    rng: np.random.Generator, t0_ns: tuple[float, float], photons: int = 50_000
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    """A decay of 20 ns seen by either detector, with a tenth of background."""
    rows = []
    for t0 in t0_ns:
        decay = t0 + rng.exponential(20.0, photons) + rng.normal(0, 0.15, photons)
        time_ns = np.concatenate([decay, rng.uniform(0, 200.0, photons // 10)]) % 200.0
        bins = np.minimum((time_ns / 0.016).astype(np.int64), ACQ.nanotime_bins - 1)
        rows.append(np.bincount(bins, minlength=ACQ.nanotime_bins))
    return np.stack(rows)


def behind_a_pause(
    edges: EdgeWatch, counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"
) -> list[Moved]:
    """What is told of photons behind looks without any, for which a sharp edge waits."""
    for _ in range(SHARP_LOOKS - 1):
        assert edges.look(np.zeros_like(counts), SIGNAL) == []
    return edges.look(counts, SIGNAL)


def watch(
    at_ns: tuple[float, float] = (4.0, 4.64),
    given_ns: tuple[float, float] | None = None,
    error_ps: float = 50.0,
) -> EdgeWatch:
    edges = {c: Edge(1e3 * t, error_ps) for c, t in enumerate(at_ns)}
    given_ps = {c: 1e3 * t for c, t in enumerate(given_ns or ())}
    return EdgeWatch(ACQ, {} if given_ns else edges, given_ps, ACQ.pulse_period_ps)


@pytest.mark.parametrize(("photons", "least", "most"), [(3_000, 25, 70), (20_000, 10, 30), (100_000, 4, 14)])
def test_the_error_of_an_edge_is_its_scatter(photons: int, least: float, most: float) -> None:
    rng = np.random.default_rng(2)
    edges = [rising_edge(histogram(rng, (4.0, 4.0), photons)[0], 16.0) for _ in range(60)]
    found = [e for e in edges if e is not None]
    # Few photons sometimes show no clear edge at all.
    assert len(found) > 40
    scatter = float(np.std([e.at_ps for e in found]))
    assert least < scatter < most
    assert 0.6 < scatter / np.median([e.error_ps for e in found]) < 1.6


def test_a_steady_edge_is_refined_and_nothing_is_told() -> None:
    rng = np.random.default_rng(1)
    edges = watch((4.06, 4.58))
    told = [m for _ in range(8) for m in edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)]
    assert told == []
    assert edges.t0_ps[0] == pytest.approx(4000, abs=30)
    assert edges.t0_ps[1] == pytest.approx(4640, abs=30)
    error = edges.placed[0].error_ps
    assert error is not None
    assert 45 < error < 55


@pytest.mark.parametrize("step_ns", [0.2, -0.2, 0.3, 1.0])
def test_a_step_is_told_once_and_followed(step_ns: float) -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)
    told = [m for _ in range(5) for m in edges.look(histogram(rng, (4.0 + step_ns, 4.64)), SIGNAL)]
    (moved,) = told
    assert (moved.channel, moved.given) == (0, False)
    assert moved.by_ps == pytest.approx(1e3 * step_ns, abs=60)
    assert edges.t0_ps[0] == pytest.approx(4000 + 1e3 * step_ns, abs=30)
    assert edges.t0_ps[1] == pytest.approx(4640, abs=30)


def test_a_slow_drift_is_followed_all_the_way_and_told_on_the_way() -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    told = []
    for drift_ns in np.linspace(0, 0.3, 31):
        told += behind_a_pause(edges, histogram(rng, (4.0 + drift_ns, 4.64)))
        assert edges.t0_ps[0] == pytest.approx(4000 + 1e3 * drift_ns, abs=80)
    assert {m.channel for m in told} == {0}
    # What is left since it was last told is not worth telling yet.
    assert sum(m.by_ps for m in told) == pytest.approx(300, abs=160)


def test_a_drift_across_the_end_of_the_period_is_a_small_one() -> None:
    rng = np.random.default_rng(1)
    edges = watch((199.9, 4.64), error_ps=30.0)
    told = [m for _ in range(3) for m in edges.look(histogram(rng, (0.2, 4.64)), SIGNAL)]
    assert [(m.channel, round(m.by_ps, -2)) for m in told] == [(0, 300)]


def test_a_given_time_zero_stays_what_it_is_while_the_edge_agrees() -> None:
    rng = np.random.default_rng(1)
    edges = watch(given_ns=(4.03, 4.60))
    for _ in range(6):
        assert edges.look(histogram(rng, (4.0, 4.64)), SIGNAL) == []
    assert edges.t0_ps == {0: pytest.approx(4030.0), 1: pytest.approx(4600.0)}
    assert edges.placed[0].error_ps is None


def test_a_given_time_zero_that_the_edge_contradicts_is_told_and_replaced() -> None:
    rng = np.random.default_rng(1)
    edges = watch(given_ns=(4.3, 4.64))
    told = [m for _ in range(4) for m in edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)]
    (moved,) = told
    assert (moved.channel, moved.given) == (0, True)
    assert moved.by_ps == pytest.approx(-300, abs=60)
    assert edges.t0_ps[0] == pytest.approx(4000, abs=40)
    assert edges.t0_ps[1] == 4640.0


def test_a_given_time_zero_moves_with_the_edge_by_as_much() -> None:
    rng = np.random.default_rng(1)
    edges = watch(given_ns=(4.05, 4.64))
    edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)
    for _ in range(2):
        edges.look(histogram(rng, (4.4, 4.64)), SIGNAL)
    assert edges.t0_ps[0] == pytest.approx(4450, abs=50)


def test_a_bleached_dots_scattered_light_is_no_edge_to_follow() -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    assert edges.look(histogram(rng, (3.5, 4.1)), {0: 0.1, 1: 0.1}) == []
    assert edges.t0_ps == {0: 4000.0, 1: 4640.0}


def test_photons_are_gathered_until_they_place_an_edge_and_a_second_block_says_that_it_moved() -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    few = BLOCK_PHOTONS // 5
    told = [edges.look(histogram(rng, (5.0, 4.64), few), SIGNAL) for _ in range(12)]
    assert [len(t) for t in told] == [0] * 9 + [1, 0, 0]


@pytest.mark.parametrize("off_ns", [-0.2, 0.2])
def test_a_rough_first_edge_that_more_photons_say_better_is_no_drift(off_ns: float) -> None:
    rng = np.random.default_rng(1)
    edges = watch((4.0 + off_ns, 4.64), error_ps=80.0)
    assert [m for _ in range(8) for m in edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)] == []
    assert edges.t0_ps[0] == pytest.approx(4000, abs=30)


def test_a_first_edge_too_sharp_for_where_it_is_found_later_has_drifted() -> None:
    rng = np.random.default_rng(1)
    edges = watch((3.8, 4.64), error_ps=15.0)
    told = [m for _ in range(8) for m in edges.look(histogram(rng, (4.0, 4.64)), SIGNAL)]
    assert [m.channel for m in told] == [0]


def test_a_step_within_a_block_is_told_once_and_in_full() -> None:
    rng = np.random.default_rng(3)
    edges = watch()
    half = BLOCK_PHOTONS // 2
    for _ in range(3):
        behind_a_pause(edges, histogram(rng, (4.0, 4.64)))
    edges.look(histogram(rng, (4.0, 4.64), half), SIGNAL)
    told = [m for _ in range(8) for m in edges.look(histogram(rng, (4.4, 4.64), half), SIGNAL)]
    assert [m.channel for m in told] == [0]
    assert told[0].by_ps == pytest.approx(400, abs=60)


def test_one_block_that_errs_is_not_told() -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    found = [4.0, 4.0, 4.3, 4.0, 4.0, 4.0]
    assert [m for t0 in found for m in behind_a_pause(edges, histogram(rng, (t0, 4.64)))] == []
    assert edges.t0_ps[0] == pytest.approx(4000, abs=30)


def test_a_sharp_edge_is_placed_anew_every_two_seconds_and_one_that_moves_at_once() -> None:
    rng = np.random.default_rng(1)
    edges = watch(error_ps=10.0)
    placed = []
    for t0_ns in [4.0] * 2 * SHARP_LOOKS + [4.3] * (SHARP_LOOKS + 1):
        edges.look(histogram(rng, (t0_ns, 4.64)), SIGNAL)
        placed.append(edges.placed[0].edge)
    changes = [i for i, (one, other) in enumerate(pairwise(placed), 1) if one != other]
    assert changes == [SHARP_LOOKS - 1, 2 * SHARP_LOOKS - 1, 3 * SHARP_LOOKS - 1, 3 * SHARP_LOOKS]
    assert edges.t0_ps[0] == pytest.approx(4300, abs=30)


def test_light_of_the_pulse_that_comes_with_another_fluence_is_no_drift() -> None:
    rng = np.random.default_rng(1)
    edges = watch()
    told = []
    for prompt in (0, 0, 6000, 6000, 6000, 6000, 0, 0):
        counts = histogram(rng, (4.0, 4.64))
        early = rng.exponential(0.3, prompt) + rng.normal(0, 0.15, prompt)
        for row, t0 in zip(counts, (4.0, 4.64), strict=True):
            row += np.bincount(((t0 + early) / 0.016).astype(np.int64), minlength=len(row))
        told += edges.look(counts, SIGNAL)
    assert told == []


@given(steps=st.integers(-40, 40), at_ps=st.floats(1000, 190_000))
def test_micro_bins_stay_what_they_are_when_the_axis_moves_by_whole_bins(steps: int, at_ps: float) -> None:
    coarse = b.acquisition(200.0, 64.0)
    here, there = (TimeAxis.build(coarse, {0: at_ps + k * 64.0, 1: 4640.0}) for k in (0, steps))
    assert here.bins.edges_ns == pytest.approx(there.bins.edges_ns, abs=1e-6)
