"""What traps leave of the light of biexcitons, against the rates it follows from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.biexciton import left_by_traps


@given(yield_ratio=st.floats(0.02, 0.5), trapping=st.floats(0.0, 50.0))
def test_a_biexciton_emits_against_its_own_recombination_and_two_chances_of_a_trap(
    yield_ratio: float, trapping: float
) -> None:
    """Rates in units of the exciton's emission: four channels to emit, and a yield without traps."""
    alone = 4.0 / yield_ratio
    left = left_by_traps(np.array([1 / (1 + trapping)]), yield_ratio)
    assert left[0] == pytest.approx(alone / (alone + 2 * trapping))


def test_darkness_leaves_hardly_anything() -> None:
    assert left_by_traps(np.array([0.0]), 0.15)[0] < 0.02
