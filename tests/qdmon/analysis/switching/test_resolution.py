"""Sequences of two states at an imposed resolution: nothing shorter is told, no time is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.switching.resolution import LEAST_BINS, resolved_spells

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=30)


def runs_of(lengths: list[int], *, begins_dim: bool) -> tuple[list[tuple[int, int]], int]:
    edges = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    first = 0 if begins_dim else 1
    return [(edges[i], edges[i + 1]) for i in range(first, len(lengths), 2)], edges[-1]


@given(LENGTHS, st.booleans())
def test_dwells_take_turns_fill_the_time_and_are_as_long_as_can_be_seen(
    lengths: list[int], begins_dim: bool
) -> None:
    runs, bins = runs_of(lengths, begins_dim=begins_dim)

    spells = resolved_spells(runs, bins)

    assert spells.bins.sum() == bins
    assert (spells.dim[1:] != spells.dim[:-1]).all()
    assert (spells.bins[1:] >= LEAST_BINS).all()


@given(st.lists(st.integers(LEAST_BINS, 9), min_size=1, max_size=30), st.booleans())
def test_dwells_that_are_all_long_enough_stay_as_they_are(lengths: list[int], begins_dim: bool) -> None:
    spells = resolved_spells(*runs_of(lengths, begins_dim=begins_dim))

    assert spells.bins.tolist() == lengths
    assert bool(spells.dim[0]) == begins_dim


def test_a_short_dwell_becomes_part_of_the_one_it_interrupts() -> None:
    #          bright 4 | dim 1 | bright 3 | dim 3 | bright 1 | dim 2 | bright 5
    spells = resolved_spells([(4, 5), (8, 11), (12, 14)], 19)

    assert spells.bins.tolist() == [8, 6, 5]
    assert spells.complete(dim=True).tolist() == [6]
    assert spells.cut(dim=False).tolist() == [5]
    assert len(spells.cut(dim=True)) == 0


def test_a_single_dwell_is_neither_complete_nor_cut_for_its_beginning_is_unknown() -> None:
    spells = resolved_spells([], 7)

    assert spells.bins.tolist() == [7]
    assert len(spells.complete(dim=False)) == len(spells.cut(dim=False)) == 0
