from hypothesis import given
from hypothesis import strategies as st

from qdmon.daemon.pretrigger import PreTrigger
from streams.messages import Fluence, Gap, Message, PhotonBatch, Segment
from tests.streams import wire_samples as samples

BATCH_S = 1000 * 200e-9


def filled(batches: int, keep_s: float, keep_bytes: int = 1 << 30) -> tuple[PreTrigger, list[Message]]:
    kept = PreTrigger(keep_s, keep_bytes)
    told: list[Message] = [samples.segment(), Fluence(0, 0, 0.2)]
    told += [samples.batch(number) for number in range(batches)]
    for message in told:
        kept.add(message)
    return kept, told


def batches_of(messages: list[Message]) -> list[PhotonBatch]:
    return [m for m in messages if isinstance(m, PhotonBatch)]


def test_a_young_session_is_kept_whole() -> None:
    kept, told = filled(5, keep_s=1.0)
    assert kept.messages() == told


@given(batches=st.integers(0, 60), keep=st.integers(0, 30))
def test_the_last_seconds_are_kept_with_the_segment_and_the_fluence_in_force(batches: int, keep: int) -> None:
    kept, told = filled(batches, keep_s=(keep + 0.5) * BATCH_S if keep else 0.0)
    messages = kept.messages()
    assert messages[:2] == told[:2]
    expected = batches_of(told)[max(0, batches - keep - (keep > 0)) :] if keep else []
    assert [b.first_pulse for b in batches_of(messages)] == [b.first_pulse for b in expected]
    covered = sum(m.stop_pulse - m.first_pulse for m in messages if isinstance(m, Gap | PhotonBatch))
    assert covered == 1000 * batches


def test_memory_is_bounded_at_any_rate() -> None:
    kept, _ = filled(500, keep_s=3600.0, keep_bytes=50_000)
    assert 0 < kept.bytes <= 50_000
    assert batches_of(kept.messages())[-1].stop_pulse == 500_000


def test_the_rate_is_that_of_what_is_kept() -> None:
    kept, _ = filled(0, keep_s=10.0)
    young, _ = filled(10, keep_s=10.0)
    assert young.rate_cps is None
    for number in range(10_000):
        kept.add(samples.batch(number, photons=20))
    rate = kept.rate_cps
    assert rate is not None
    assert abs(rate - 20 / BATCH_S) < 0.01 * rate


def test_a_new_segment_replaces_the_old_one_once_nothing_of_that_is_kept() -> None:
    kept = PreTrigger(3.5 * BATCH_S)
    told: list[Message] = [samples.segment(0), *(samples.batch(i) for i in range(9))]
    told += [samples.segment(1), *(samples.batch(i, segment=1) for i in range(2))]
    for message in told:
        kept.add(message)
    segments = [m.index for m in kept.messages() if isinstance(m, Segment)]
    assert segments == [0, 1]
    for number in range(2, 9):
        kept.add(samples.batch(number, segment=1))
    assert [m.index for m in kept.messages() if isinstance(m, Segment)] == [1]
