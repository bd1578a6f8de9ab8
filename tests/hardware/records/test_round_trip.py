"""Encoding and decoding are each other's inverse, and neither minds how its input is cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.records import WORD_FORMATS, decoder_for, encoder_for
from hardware.types import DecodedBlock, Photons, RecordLayout
from tests.hardware.records.photon_strategies import joined, layouts, photons_for, same_photons


@given(st.data(), layouts)
def test_decoding_what_was_encoded_gives_the_photons_back(data: st.DataObject, layout: RecordLayout) -> None:
    photons = data.draw(photons_for(layout))
    block = decoder_for(layout).feed(encoder_for(layout).feed(photons, 0))
    assert same_photons(block.photons, photons)
    assert not len(block.markers.pulse)
    assert not block.losses


@given(st.data(), layouts)
def test_any_cutting_of_photons_and_words_gives_the_same(data: st.DataObject, layout: RecordLayout) -> None:
    photons = data.draw(photons_for(layout))
    cut = data.draw(st.integers(0, len(photons)))
    encoder = encoder_for(layout)
    words = np.concatenate(
        [encoder.feed(part, 0) for part in (_part(photons, 0, cut), _part(photons, cut, len(photons)))]
    )
    assert np.array_equal(words, encoder_for(layout).feed(photons, 0))
    edges = sorted(data.draw(st.lists(st.integers(0, len(words)), max_size=5)))
    decoder = decoder_for(layout)
    blocks = [decoder.feed(part) for part in np.split(words, edges)]
    assert same_photons(Photons.join([block.photons for block in blocks]), photons)
    for before, after in pairwise(blocks):
        assert before.position <= after.position
        assert np.all(after.photons.pulse >= before.position)


@given(st.data(), layouts)
def test_words_slightly_out_of_order_give_sorted_photons_under_any_cutting(
    data: st.DataObject, layout: RecordLayout
) -> None:
    within_a_wrap = st.tuples(st.integers(0, 900), st.integers(0, 14))
    groups = data.draw(st.lists(st.lists(within_a_wrap, max_size=5), min_size=1, max_size=4))
    fields = WORD_FORMATS[layout]
    groups = [[(p, c % (fields.largest_channel + 1)) for p, c in group] for group in groups]
    overflow = fields.overflow_word | (1 if fields.largest_count > 1 else 0)
    words = np.array(
        [
            word
            for group in groups
            for word in [*(fields.photon_word | c << fields.channel_shift | p for p, c in group), overflow]
        ],
        np.uint32,
    )
    whole = decoder_for(layout).feed(words)
    expected = [
        (i * fields.wrap + p, c)
        for i, group in enumerate(groups)
        for p, c in sorted(group, key=lambda g: g[0])
    ]
    assert list(zip(whole.photons.pulse.tolist(), whole.photons.channel.tolist(), strict=True)) == expected
    edges = sorted(data.draw(st.lists(st.integers(0, len(words)), max_size=4)))
    decoder = decoder_for(layout)
    blocks: list[DecodedBlock] = [decoder.feed(part) for part in np.split(words, edges)]
    assert same_photons(joined(blocks), whole.photons)
    assert decoder.position == whole.position == len(groups) * fields.wrap


@given(layouts, st.integers(0, 300), st.integers(0, 2**25 - 1))
def test_darkness_advances_the_decoder_to_within_one_wrap(
    layout: RecordLayout, wraps: int, rest: int
) -> None:
    wrap = WORD_FORMATS[layout].wrap
    position = wraps * wrap + rest % wrap
    encoder = encoder_for(layout)
    words = encoder.feed(Photons.empty(), position)
    assert decoder_for(layout).feed(words).position == encoder.position == wraps * wrap


def test_only_words_that_count_overflows_tell_a_long_darkness_in_few_words() -> None:
    assert len(encoder_for(RecordLayout.GENERIC_T3).feed(Photons.empty(), 1024 * 2046)) == 2
    assert len(encoder_for(RecordLayout.GENERIC_T2).feed(Photons.empty(), 2**25 * 5000)) == 1
    assert len(encoder_for(RecordLayout.PICOHARP_T3).feed(Photons.empty(), 65_536 * 5)) == 5
    assert len(encoder_for(RecordLayout.HYDRAHARP_V1_T3).feed(Photons.empty(), 1024 * 5)) == 5
    assert len(encoder_for(RecordLayout.TIMEHARP_200_T3).feed(Photons.empty(), 65_536 * 5)) == 5
    assert len(encoder_for(RecordLayout.BECKER_HICKL_T3).feed(Photons.empty(), 4096 * 50_000)) == 1


@pytest.mark.parametrize(
    ("layout", "nanotime", "channel", "message"),
    [
        (RecordLayout.GENERIC_T3, 32_768, 0, "nanotime 32768 does not fit"),
        (RecordLayout.PICOHARP_T3, 4096, 0, "nanotime 4096 does not fit"),
        (RecordLayout.GENERIC_T2, 1, 0, "nanotime 1 does not fit"),
        (RecordLayout.GENERIC_T3, 0, 64, "channel 64 does not fit"),
        (RecordLayout.PICOHARP_T3, 0, 15, "channel 15 does not fit"),
        (RecordLayout.TIMEHARP_200_T3, 0, 4, "channel 4 does not fit"),
        (RecordLayout.BECKER_HICKL_T3, 4096, 0, "nanotime 4096 does not fit"),
    ],
)
def test_a_photon_that_does_not_fit_the_word_is_refused_in_one_line(
    layout: RecordLayout, nanotime: int, channel: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        encoder_for(layout).feed(_photon(3, nanotime, channel), 0)
    assert "\n" not in str(refused.value)


def test_photons_out_of_order_are_refused_within_a_call_and_across_calls() -> None:
    backwards = Photons(np.array([5, 4], np.uint64), np.zeros(2, np.uint16), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="order"):
        encoder_for(RecordLayout.GENERIC_T3).feed(backwards, 0)
    encoder = encoder_for(RecordLayout.GENERIC_T3)
    encoder.feed(Photons.empty(), 5000)
    with pytest.raises(ValueError, match="order"):
        encoder.feed(_photon(3, 0, 0), 5000)


def _photon(pulse: int, nanotime: int, channel: int) -> Photons:
    return Photons(
        np.array([pulse], np.uint64), np.array([nanotime], np.uint16), np.array([channel], np.uint8)
    )


def _part(photons: Photons, first: int, stop: int) -> Photons:
    part = slice(first, stop)
    return Photons(photons.pulse[part], photons.nanotime[part], photons.channel[part])
