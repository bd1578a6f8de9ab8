"""Words written out by hand from the record descriptions, one layout after the other."""

import numpy as np
import pytest

from hardware.records import decoder_for
from hardware.types import DecodedBlock, RecordLayout


def decode(layout: RecordLayout, *words: int) -> DecodedBlock:
    return decoder_for(layout).feed(np.array(words, np.uint32))


def rows(block: DecodedBlock) -> list[tuple[int, ...]]:
    photons = block.photons
    columns = (photons.pulse.tolist(), photons.nanotime.tolist(), photons.channel.tolist())
    return list(zip(*columns, strict=True))


def generic_t3(channel: int, nanotime: int, nsync: int, special: int = 0) -> int:
    return special << 31 | channel << 25 | nanotime << 10 | nsync


def generic_t2(channel: int, tick: int, special: int = 0) -> int:
    return special << 31 | channel << 25 | tick


def picoharp_t3(channel: int, nanotime: int, nsync: int) -> int:
    return channel << 28 | nanotime << 16 | nsync


def picoharp_t2(channel: int, tick: int) -> int:
    return channel << 28 | tick


def test_a_generic_t3_overflow_counts_1024_pulses_as_often_as_it_says_and_once_if_it_says_nothing() -> None:
    overflow_3, overflow_0 = generic_t3(63, 0, 3, special=1), generic_t3(63, 0, 0, special=1)
    block = decode(
        RecordLayout.GENERIC_T3,
        generic_t3(1, 32_767, 1023),
        overflow_3,
        generic_t3(0, 5, 7),
        overflow_0,
        generic_t3(62, 0, 0),
    )
    assert rows(block) == [(1023, 32_767, 1), (3 * 1024 + 7, 5, 0), (4 * 1024, 0, 62)]
    assert block.position == 4096


def test_generic_t3_specials_1_to_15_are_markers_with_a_pulse() -> None:
    block = decode(RecordLayout.GENERIC_T3, generic_t3(63, 0, 1, special=1), generic_t3(5, 0, 9, special=1))
    assert block.markers.pulse.tolist() == [1033]
    assert block.markers.bits.tolist() == [0b101]
    assert len(block.photons) == 0


def test_hydraharp_v1_t3_overflows_count_once_whatever_their_low_bits_say() -> None:
    block = decode(RecordLayout.HYDRAHARP_V1_T3, generic_t3(63, 0, 9, special=1), generic_t3(2, 588, 1))
    assert rows(block) == [(1025, 588, 2)]


@pytest.mark.parametrize("count", [1, 127, 128, 300, 33_554_431])
def test_a_generic_t2_overflow_stands_for_all_its_wraps_also_from_128_on(count: int) -> None:
    block = decode(RecordLayout.GENERIC_T2, generic_t2(63, count, special=1), generic_t2(1, 10))
    assert rows(block) == [(count * 33_554_432 + 10, 0, 1)]


def test_t2_sync_words_are_not_photons_and_not_unknown() -> None:
    decoder = decoder_for(RecordLayout.GENERIC_T2)
    block = decoder.feed(np.array([generic_t2(0, 77, special=1), generic_t2(0, 78)], np.uint32))
    assert rows(block) == [(78, 0, 0)]
    assert decoder.unknown_records == 0


def test_hydraharp_v1_t2_wraps_at_33552000() -> None:
    block = decode(RecordLayout.HYDRAHARP_V1_T2, generic_t2(63, 5, special=1), generic_t2(3, 1))
    assert rows(block) == [(33_552_001, 0, 3)]


def test_picoharp_t3_channel_15_is_an_overflow_at_nanotime_0_and_a_marker_otherwise() -> None:
    block = decode(
        RecordLayout.PICOHARP_T3,
        picoharp_t3(2, 0, 65_535),
        picoharp_t3(15, 0, 0),
        picoharp_t3(15, 4, 11),
        picoharp_t3(1, 4095, 0),
    )
    assert rows(block) == [(65_535, 0, 2), (65_536, 4095, 1)]
    assert block.markers.pulse.tolist() == [65_547]
    assert block.markers.bits.tolist() == [4]


def test_picoharp_t2_wraps_at_210698240_and_keeps_marker_bits_in_the_lowest_four_bits() -> None:
    block = decode(
        RecordLayout.PICOHARP_T2, picoharp_t2(15, 0), picoharp_t2(15, 0x120 | 0b0010), picoharp_t2(1, 0x125)
    )
    assert rows(block) == [(210_698_240 + 0x125, 0, 1)]
    assert block.markers.pulse.tolist() == [210_698_240 + 0x120]
    assert block.markers.bits.tolist() == [2]


@pytest.mark.parametrize(
    ("layout", "word"),
    [
        (RecordLayout.GENERIC_T3, generic_t3(40, 0, 1, special=1)),
        (RecordLayout.GENERIC_T3, generic_t3(0, 0, 1, special=1)),
        (RecordLayout.GENERIC_T2, generic_t2(16, 1, special=1)),
        (RecordLayout.PICOHARP_T3, picoharp_t3(15, 0x10, 1)),
    ],
)
def test_words_of_no_known_kind_are_counted_and_left_out(layout: RecordLayout, word: int) -> None:
    decoder = decoder_for(layout)
    block = decoder.feed(np.array([word], np.uint32))
    assert decoder.unknown_records == 1
    assert len(block.photons) == len(block.markers.pulse) == 0
    assert block.position == 0


def test_an_overflow_that_claims_too_much_counts_once_and_is_a_loss_of_one_wrap() -> None:
    decoder = decoder_for(RecordLayout.GENERIC_T2, longest_jump=100 * 33_554_432)
    words = np.array([generic_t2(63, n, special=1) for n in (100, 101)], np.uint32)
    block = decoder.feed(words)
    assert block.position == 101 * 33_554_432
    assert [(loss.first_pulse, loss.stop_pulse) for loss in block.losses] == [
        (100 * 33_554_432, 101 * 33_554_432)
    ]


def test_time_saturates_instead_of_wrapping_however_often_the_largest_jump_is_claimed() -> None:
    decoder = decoder_for(RecordLayout.GENERIC_T2)
    words = np.full(20_000, generic_t2(63, 33_554_431, special=1), np.uint32)
    assert decoder.feed(words).position == decoder.feed(words).position == 1 << 62
