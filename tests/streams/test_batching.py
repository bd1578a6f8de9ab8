import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardware.types import DecodedBlock, Loss, LossCause, Markers, Photons
from streams.batching import BatchCutter
from streams.messages import Gap, Marker, Message, PhotonBatch


def photons(*pulses: int) -> Photons:
    n = len(pulses)
    return Photons(np.array(pulses, np.uint64), np.arange(n, dtype=np.uint16), np.zeros(n, np.uint8))


def block(some: Photons, position: int, markers: tuple[int, ...] = (), *losses: Loss) -> DecodedBlock:
    seen = Markers(np.array(markers, np.uint64), np.full(len(markers), 0b101, np.uint8))
    return DecodedBlock(some, seen, losses, position)


def spans(messages: list[Message]) -> list[tuple[int, int, list[int]]]:
    return [
        (m.first_pulse, m.stop_pulse, m.photons.pulse.tolist())
        for m in messages
        if isinstance(m, PhotonBatch)
    ]


def test_batches_end_on_multiples_of_their_length_and_darkness_makes_empty_ones() -> None:
    cutter = BatchCutter(0, 100)
    assert spans(cutter.feed(block(photons(5, 250), 260), 1)) == [(0, 100, [5]), (100, 200, [])]
    assert spans(cutter.feed(block(photons(), 299), 2)) == []
    assert spans(cutter.feed(block(photons(), 300), 3)) == [(200, 300, [250])]


def test_a_photon_on_the_edge_belongs_to_the_later_batch() -> None:
    cutter = BatchCutter(0, 100)
    assert spans(cutter.feed(block(photons(99, 100), 200), 0)) == [(0, 100, [99]), (100, 200, [100])]


def test_a_batch_carries_the_time_of_the_block_that_completed_it() -> None:
    cutter = BatchCutter(3, 10)
    cutter.feed(block(photons(1), 5), 111)
    [batch] = cutter.feed(block(photons(), 10), 222)
    assert isinstance(batch, PhotonBatch)
    assert (batch.segment, batch.host_time_ns) == (3, 222)


def test_an_edge_can_be_forced_and_the_regular_ones_stay() -> None:
    cutter = BatchCutter(0, 100)
    cutter.split_at(130)
    cutter.split_at(130)
    assert spans(cutter.feed(block(photons(129, 130), 200), 0)) == [
        (0, 100, []),
        (100, 130, [129]),
        (130, 200, [130]),
    ]
    cutter.split_at(150)
    assert spans(cutter.feed(block(photons(), 300), 0)) == [(200, 300, [])]


def test_gaps_and_markers_come_before_the_batch_they_begin_in() -> None:
    loss = Loss(150, 420, LossCause.FIFO_OVERRUN, 7)
    messages = BatchCutter(0, 100).feed(block(photons(10, 180), 300, (160, 20), loss), 0)
    assert [type(m) for m in messages] == [Marker, PhotonBatch, Gap, Marker, PhotonBatch, PhotonBatch]
    assert messages[0] == Marker(0, 20, "card", "marker 1 + 3")
    assert messages[2] == Gap(0, 150, 420, LossCause.FIFO_OVERRUN, 7)


def test_flushing_sends_everything_up_to_the_last_photon() -> None:
    cutter = BatchCutter(0, 100)
    cutter.feed(block(photons(5, 130), 90), 0)
    assert spans(cutter.flush(90, 0)) == [(0, 100, [5]), (100, 131, [130])]
    assert cutter.stop_pulse == 131
    assert cutter.flush(131, 0) == []


def test_flushing_sends_darkness_up_to_the_position_too() -> None:
    cutter = BatchCutter(0, 100)
    cutter.feed(block(photons(5), 90), 0)
    assert spans(cutter.flush(120, 0)) == [(0, 100, [5]), (100, 120, [])]


def test_a_photon_that_arrives_late_but_in_its_batch_is_put_in_order() -> None:
    cutter = BatchCutter(0, 100)
    cutter.feed(block(photons(10, 60), 50), 0)
    assert spans(cutter.feed(block(photons(55, 70), 100), 0)) == [(0, 100, [10, 55, 60, 70])]


@given(
    st.lists(st.integers(0, 400), max_size=30).map(sorted),
    st.lists(st.integers(0, 400), max_size=4).map(sorted),
    st.lists(st.integers(0, 400), max_size=6).map(sorted),
    st.lists(st.integers(1, 400), max_size=3),
    st.integers(1, 150),
)
def test_any_cutting_into_blocks_gives_the_same_messages(
    pulses: list[int], markers: list[int], positions: list[int], edges: list[int], length: int
) -> None:
    def run(cuts: list[int]) -> list[Message]:
        cutter = BatchCutter(0, length)
        for edge in edges:
            cutter.split_at(edge)
        messages: list[Message] = []
        start = 0
        for stop in [*cuts, 401]:
            part = photons(*(p for p in pulses if start <= p < stop))
            marks = tuple(m for m in markers if start <= m < stop)
            losses = (Loss(stop, stop + 3, LossCause.DECODE_GAP),) if stop == 401 else ()
            messages += cutter.feed(block(part, min(stop, 400), marks, *losses), 0)
            start = stop
        return messages + cutter.flush(400, 0)

    cut, whole = run(positions), run([])
    assert spans(cut) == spans(whole)
    assert [m for m in cut if not isinstance(m, PhotonBatch)] == [
        m for m in whole if not isinstance(m, PhotonBatch)
    ]
    batches = spans(whole)
    assert [pulse for _, _, inside in batches for pulse in inside] == pulses
    assert [first for first, _, _ in batches] == [0, *(stop for _, stop, _ in batches[:-1])]
    assert all(first <= pulse < stop for first, stop, inside in batches for pulse in inside)
