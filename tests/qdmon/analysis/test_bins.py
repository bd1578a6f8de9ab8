"""Time bins are the same however the photons came in, and memory stays bounded."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import Photons
from qdmon.analysis.bins import BinTable, count_nanotimes, lost_bins
from qdmon.analysis.calibration.timing import TimeAxis
from tests.qdmon.analysis import builders as b

WIDTH = 100


def some_photons(seed: int, n: int, stop_pulse: int) -> Photons:
    rng = np.random.default_rng(seed)
    return Photons(
        np.sort(rng.integers(0, stop_pulse, n)).astype(np.uint64),
        rng.integers(0, 3125, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
    )


def pieces(photons: Photons, edges: list[int]) -> list[tuple[Photons, int]]:
    return [(photons.between(first, stop), stop) for first, stop in itertools.pairwise(edges)]


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 9_999), max_size=12, unique=True), seed=st.integers(0, 100))
def test_bins_do_not_depend_on_how_the_photons_came_in(cuts: list[int], seed: int) -> None:
    photons = some_photons(seed, 3000, 10_000)
    axis = TimeAxis.build(b.acquisition(), {0: 4000.0, 1: 4640.0})
    tables = []
    for edges in ([0, 10_000], [0, *sorted(cuts), 10_000]):
        counts = BinTable(0, WIDTH, 1, 1000)
        decays = BinTable(0, WIDTH, axis.bins.count, 1000)
        for part, stop in pieces(photons, edges):
            counts.add_counts(part, stop)
            decays.add_decays(part, stop, axis.micro_bin, axis.arrival_ns)
        tables.append((counts.rows.copy(), decays.rows.copy(), decays.sums.copy()))
    (counts_1, decays_1, sums_1), (counts_2, decays_2, sums_2) = tables
    assert np.array_equal(counts_1[:, 0], np.bincount(photons.pulse.astype(np.int64) // WIDTH, minlength=100))
    assert np.array_equal(counts_1, counts_2)
    assert np.array_equal(decays_1, decays_2)
    assert np.array_equal(sums_1, sums_2)


def test_darkness_makes_rows_too() -> None:
    table = BinTable(0, WIDTH, 1, 1000)
    table.add_counts(Photons.empty(), 1050)
    assert table.rows[:, 0].tolist() == [0] * 10


def test_a_row_is_closed_only_once_its_last_pulse_has_passed() -> None:
    table = BinTable(0, WIDTH, 1, 1000)
    table.add_counts(some_photons(1, 50, 99), 99)
    assert table.closed == 0
    table.add_counts(Photons.empty(), 100)
    assert table.rows[:, 0].tolist() == [50]


def test_the_oldest_rows_are_let_go_and_the_rest_keep_their_pulses() -> None:
    table = BinTable(0, WIDTH, 1, 500)
    photons = some_photons(2, 60_000, 2_000_000)
    for part, stop in pieces(photons, list(range(0, 2_000_001, 5_000))):
        table.add_counts(part, stop)
    assert table.closed == 500
    first = table.first_pulse // WIDTH
    expected = np.bincount(photons.pulse.astype(np.int64) // WIDTH, minlength=20_000)
    assert first > 0
    assert np.array_equal(table.rows[:, 0], expected[first:])


def test_a_view_taken_earlier_stays_as_it_was() -> None:
    table = BinTable(0, WIDTH, 1, 300)
    photons = some_photons(3, 60_000, 1_000_000)
    views: list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.generic]], list[int]]] = []
    for part, stop in pieces(photons, [*list(range(0, 1000001, 7777)), 1000000]):
        table.add_counts(part, stop)
        views.append((table.rows, table.rows[:, 0].tolist()))
    for view, contents in views:
        assert view[:, 0].tolist() == contents


def test_rows_cannot_be_written_by_a_reader() -> None:
    table = BinTable(0, WIDTH, 1, 300)
    table.add_counts(some_photons(4, 100, 1000), 1000)
    with pytest.raises(ValueError, match="read-only"):
        table.rows[0, 0] = 7


def test_nanotimes_beyond_the_histogram_and_foreign_channels_do_no_harm() -> None:
    histogram = np.zeros((2, 10), np.int64)
    count_nanotimes(histogram, np.array([3, 9, 900, 4], np.uint16), np.array([0, 1, 1, 7], np.uint8))
    assert histogram[0, 3] == 1
    assert histogram[1, 9] == 2
    assert histogram.sum() == 3


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300))),
    st.integers(0, 400),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_a_bin_with_a_pulse_of_a_loss_is_lost_and_no_other(
    spans: list[tuple[int, int]], first_pulse: int, width: int, n: int
) -> None:
    losses = [(first, first + long) for first, long in spans if long]
    pulses = {pulse for first, stop in losses for pulse in range(first, stop)}
    bins = [range(first_pulse + i * width, first_pulse + (i + 1) * width) for i in range(n)]
    found = lost_bins(losses, first_pulse, width, n)
    assert found.tolist() == [not pulses.isdisjoint(one) for one in bins]
