"""From words to messages, and what a card's flags say about which pulses are missing."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardware.records import encoder_for
from hardware.types import Acquisition, LossCause, Photons, RawBlock, RecordLayout
from qdmon.daemon.pipeline import PhotonPipeline
from streams.messages import Gap, Message, PhotonBatch

ACQUISITION = Acquisition("T3", 1e6, 16.0, 4096, (0, 1), RecordLayout.GENERIC_T3, "card")
BATCH = 10_000


class Card:
    """Encodes photons block by block."""

    def __init__(self) -> None:
        self.encoder = encoder_for(RecordLayout.GENERIC_T3)

    def block(
        self, pulses: list[int], position: int, *, overrun: bool = False, sync_lost: bool = False
    ) -> RawBlock:
        pulse = np.array(sorted(pulses), np.uint64)
        photons = Photons(pulse, np.zeros(len(pulse), np.uint16), np.zeros(len(pulse), np.uint8))
        return RawBlock(self.encoder.feed(photons, position), 0, overrun, sync_lost)


def pipeline() -> PhotonPipeline:
    return PhotonPipeline(0, ACQUISITION, batch_s=0.01)


def gaps(messages: list[Message]) -> list[Gap]:
    return [message for message in messages if isinstance(message, Gap)]


@given(st.lists(st.integers(0, 99_999), max_size=200), st.integers(1, 7))
def test_photons_come_out_once_in_order_however_they_were_read(pulses: list[int], blocks: int) -> None:
    card, line = Card(), pipeline()
    messages: list[Message] = []
    edges = np.linspace(0, 100_000, blocks + 1).astype(int).tolist()
    for first, stop in pairwise(edges):
        messages += line.feed(card.block([p for p in pulses if first <= p < stop], stop))
    messages += line.finish(0)
    batches = [message for message in messages if isinstance(message, PhotonBatch)]
    got = np.concatenate([batch.photons.pulse for batch in batches]) if batches else np.empty(0)
    assert got.tolist() == sorted(pulses)
    assert line.photons == len(pulses)
    assert batches[0].first_pulse == 0
    assert line.stop_pulse >= max(pulses, default=0)


def test_an_overrun_hides_everything_up_to_the_next_photon() -> None:
    card, line = Card(), pipeline()
    line.feed(card.block([100], 20_480, overrun=True))
    (gap,) = gaps([*line.feed(card.block([30_000], 40_960)), *line.finish(0)])
    assert (gap.first_pulse, gap.stop_pulse, gap.cause) == (20_480, 30_000, LossCause.FIFO_OVERRUN)


def test_a_hole_without_a_later_photon_ends_where_the_words_end() -> None:
    card, line = Card(), pipeline()
    line.feed(card.block([], 20_480, overrun=True))
    (gap,) = gaps([*line.feed(card.block([], 40_960)), *line.finish(0)])
    assert (gap.first_pulse, gap.stop_pulse) == (20_480, 40_960)


def test_lost_sync_without_pulses_waits_for_the_pulses_to_come_back() -> None:
    card, line = Card(), pipeline()
    line.feed(card.block([], 20_480))
    assert not gaps(line.feed(card.block([], 20_480, sync_lost=True)))
    assert not gaps(line.feed(card.block([], 20_480, sync_lost=True)))
    (gap,) = gaps([*line.feed(card.block([25_000], 40_960)), *line.finish(0)])
    assert (gap.first_pulse, gap.stop_pulse, gap.cause) == (20_480, 25_000, LossCause.SYNC_LOST)


def test_a_hole_that_never_ended_is_still_told_at_the_end() -> None:
    card, line = Card(), pipeline()
    line.feed(card.block([], 20_480, overrun=True))
    (gap,) = gaps(line.finish(0))
    assert gap.first_pulse == 20_480
    assert gap.stop_pulse > gap.first_pulse


def test_an_edge_hands_out_everything_that_is_complete_and_nothing_else() -> None:
    card, line = Card(), pipeline()
    messages = [*line.feed(card.block([5, 10_239, 10_300], 10_300)), *line.edge(0)]
    batches = [message for message in messages if isinstance(message, PhotonBatch)]
    assert line.stop_pulse == line.position == 10_240
    assert [p for batch in batches for p in batch.photons.pulse.tolist()] == [5, 10_239]
    assert line.seen == 10_301
