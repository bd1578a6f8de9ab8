"""A change in the sequence of blinks: where it is, and how rarely chance makes one."""

import numpy as np
import pytest

from qdmon.analysis.conversion import TimedBlink, find_split
from qdmon.analysis.watcher import LEAST_EVIDENCE


def blinks_of(shares: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> list[TimedBlink]:
    return [TimedBlink(i / 3, i / 3 + 0.1, float(s)) for i, s in enumerate(shares)]


@pytest.mark.parametrize(("before", "after"), [(0.98, 0.02), (0.02, 0.98)])
def test_a_change_of_type_is_placed_between_the_last_old_and_the_first_new_blink(
    before: float, after: float
) -> None:
    split = find_split(blinks_of(np.repeat([before, after], [30, 12])))
    assert split is not None
    assert split.index == 30
    assert split.log_evidence > LEAST_EVIDENCE
    assert split.earliest_s == pytest.approx(29 / 3 + 0.1)
    assert split.latest_s == pytest.approx(10.0)
    assert split.earliest_s < split.time_s < split.latest_s


def test_pure_to_mixed_needs_more_blinks_than_pure_to_pure() -> None:
    rng = np.random.default_rng(1)

    def blinks_needed(auger_share_after: float) -> int:
        """After how many new blinks the change stands out."""
        after = (rng.random(400) < auger_share_after).astype(np.float64)
        for n in range(3, 400):
            split = find_split(blinks_of(np.concatenate([np.zeros(30), after[:n]])))
            if split is not None and split.log_evidence > LEAST_EVIDENCE:
                return n
        return 400

    pure = float(np.median([blinks_needed(1.0) for _ in range(15)]))
    mixed = float(np.median([blinks_needed(0.5) for _ in range(15)]))
    assert pure < mixed < 40


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_a_dot_that_goes_on_as_before_rarely_looks_changed(share: float) -> None:
    rng = np.random.default_rng(int(100 * share))
    alarms = 0
    for _ in range(200):
        shares = (rng.random(80) < share).astype(np.float64)
        split = find_split(blinks_of(shares))
        alarms += split is not None and split.log_evidence > LEAST_EVIDENCE
    assert alarms <= 3


def test_a_short_sequence_can_hold_no_change() -> None:
    assert find_split([]) is None
    assert find_split(blinks_of(np.array([1.0, 1, 1, 0, 0, 0]))) is None


def test_a_change_may_be_asked_for_only_after_a_fluence_step() -> None:
    split = find_split(blinks_of(np.repeat([1.0, 0.0], [10, 20])), earliest=15)
    assert split is not None
    assert split.index >= 15
