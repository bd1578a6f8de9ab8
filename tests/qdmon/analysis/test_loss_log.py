from hypothesis import given
from hypothesis import strategies as st

from hardware.types import Loss, LossCause
from qdmon.analysis import losses
from qdmon.analysis.losses import LossLog


def test_losses_of_one_cause_that_touch_are_one() -> None:
    log = LossLog()
    log.add(Loss(10, 20, LossCause.FIFO_OVERRUN, 3))
    log.add(Loss(20, 30, LossCause.FIFO_OVERRUN, 4))
    log.add(Loss(30, 40, LossCause.SYNC_LOST))
    assert log.losses == [
        Loss(10, 30, LossCause.FIFO_OVERRUN, 7),
        Loss(30, 40, LossCause.SYNC_LOST),
    ]
    assert log.lost_pulses == 30


@given(gaps=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=30), most=st.integers(1, 8))
def test_however_many_losses_there_are_every_lost_pulse_stays_left_out(
    gaps: list[tuple[int, int]], most: int
) -> None:
    log = LossLog()
    lost: set[int] = set()
    at = 0
    before, losses.MOST = losses.MOST, most
    try:
        for gap, length in gaps:
            at += gap
            log.add(Loss(at, at + length, LossCause.DECODE_GAP))
            lost |= set(range(at, at + length))
            at += length
    finally:
        losses.MOST = before
    assert len(log.losses) <= most
    assert lost <= {p for a, b in log.spans for p in range(a, b)}
    assert log.lost_pulses == len(lost)
