"""When blinks are read: soon behind a step of the fluence, seldom where nothing happens, in any batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.cadence import Cadence
from tests.qdmon.analysis.builders import acquisition

ACQUISITION = acquisition()


def reads_s(cadence: Cadence, start_s: float, stop_s: float) -> np.ndarray:
    """Times at which blinks are read between two others."""
    times = [cadence.next_read(ACQUISITION.pulses(start_s))]
    while times[-1] < ACQUISITION.pulses(stop_s):
        times.append(cadence.next_read(times[-1]))
    return np.array([ACQUISITION.seconds(t) for t in times[:-1]])


def test_blinks_are_read_most_often_behind_a_rise_and_seldom_where_nothing_has_happened_for_long() -> None:
    cadence = Cadence(ACQUISITION)
    assert np.diff(reads_s(cadence, 0.0, 25.0)) == pytest.approx(0.25)
    cadence.step(ACQUISITION.pulses(25.0), rise=True)
    times = reads_s(cadence, 25.0, 60.0)
    assert np.diff(times[times < 32.9]) == pytest.approx(0.05)
    assert np.diff(times[(times > 33.1) & (times < 44.9)]) == pytest.approx(0.1)
    assert np.diff(times[times > 45.1]) == pytest.approx(0.25)


def test_behind_a_fall_of_the_fluence_blinks_are_read_as_behind_any_step() -> None:
    cadence = Cadence(ACQUISITION)
    cadence.step(ACQUISITION.pulses(25.0), rise=False)
    assert np.diff(reads_s(cadence, 25.0, 44.9)) == pytest.approx(0.1)


@given(
    step_s=st.floats(0.0, 3.0),
    rise=st.booleans(),
    cuts_s=st.lists(st.floats(0.0, 30.0), max_size=30),
)
def test_the_edges_of_batches_move_no_read(step_s: float, rise: bool, cuts_s: list[float]) -> None:
    """A batch ends anywhere; the next one asks again from there."""
    cadence = Cadence(ACQUISITION)
    cadence.step(ACQUISITION.pulses(step_s), rise=rise)
    start, stop = ACQUISITION.pulses(step_s), ACQUISITION.pulses(31.0)

    def reads(edges: list[int]) -> list[int]:
        found, position = [], start
        while position < stop:
            due = cadence.next_read(position)
            position = min([due, *(edge for edge in edges if edge > position)])
            if position == due:
                found.append(due)
        return found

    assert reads([ACQUISITION.pulses(cut) for cut in cuts_s]) == reads([])


def test_every_look_is_a_read() -> None:
    cadence = Cadence(ACQUISITION)
    cadence.step(0, rise=True)
    times = [cadence.next_read(0)]
    while times[-1] < ACQUISITION.pulses(30.0):
        times.append(cadence.next_read(times[-1]))
    looks = [t for t in times if cadence.looks_at(t)]
    assert np.diff([0, *looks]).tolist() == [cadence.look_pulses] * len(looks)
    assert ACQUISITION.seconds(cadence.look_pulses) == pytest.approx(0.5)
