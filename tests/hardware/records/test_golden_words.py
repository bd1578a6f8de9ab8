"""Words written out by hand from the record descriptions, one layout after the other."""

import numpy as np
import pytest

from hardware.records import decoder_for
from hardware.types import DecodedBlock, Loss, LossCause, RecordLayout


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


def timeharp_200(channel: int, field: int, tick: int, valid: int = 1) -> int:
    return valid << 30 | channel << 28 | field << 16 | tick


def spc(flags: int, adc: int, routing: int, tick: int) -> int:
    return flags << 28 | adc << 16 | routing << 12 | tick


INVALID, MTOV, GAP, MARK = 8, 4, 2, 1


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


def test_timeharp_200_nanotimes_run_backwards_in_the_word_and_forwards_in_the_photon() -> None:
    block = decode(RecordLayout.TIMEHARP_200_T3, timeharp_200(3, 2195, 1033), timeharp_200(0, 4095, 65_535))
    assert rows(block) == [(1033, 1900, 3), (65_535, 0, 0)]


def test_timeharp_200_specials_are_overflows_of_65536_or_markers_or_both() -> None:
    block = decode(
        RecordLayout.TIMEHARP_200_T3,
        timeharp_200(0, 0b111, 4, valid=0),
        timeharp_200(0, 0x800, 0, valid=0),
        timeharp_200(0, 0x801, 9, valid=0),
        timeharp_200(1, 0, 5),
    )
    assert rows(block) == [(131_077, 4095, 1)]
    assert block.markers.pulse.tolist() == [4, 131_081]
    assert block.markers.bits.tolist() == [7, 1]
    assert block.position == 131_072


def test_spc_photons_carry_a_reversed_adc_a_routing_and_perhaps_one_overflow() -> None:
    block = decode(
        RecordLayout.BECKER_HICKL_T3, spc(0, 1239, 7, 4095), spc(MTOV, 0, 15, 0), spc(MTOV, 4095, 0, 1)
    )
    assert rows(block) == [(4095, 2856, 7), (4096, 4095, 15), (8193, 0, 0)]


def test_spc_overflow_words_count_all_their_28_bits() -> None:
    overflows = (INVALID | MTOV) << 28 | 0x0012_3456
    block = decode(RecordLayout.BECKER_HICKL_T3, overflows, spc(0, 0, 0, 3))
    assert rows(block) == [(0x12_3456 * 4096 + 3, 4095, 0)]


def test_spc_invalid_words_are_no_photons_and_not_unknown() -> None:
    decoder = decoder_for(RecordLayout.BECKER_HICKL_T3)
    block = decoder.feed(np.array([spc(INVALID, 100, 0, 5), spc(0, 100, 0, 6)], np.uint32))
    assert [row[0] for row in rows(block)] == [6]
    assert decoder.unknown_records == 0


def test_spc_markers_can_carry_an_overflow_as_photons_can() -> None:
    block = decode(
        RecordLayout.BECKER_HICKL_T3,
        spc(INVALID | MARK, 0, 0b0010, 40),
        spc(INVALID | MTOV | MARK, 0, 0b0101, 41),
    )
    assert block.markers.pulse.tolist() == [40, 4096 + 41]
    assert block.markers.bits.tolist() == [2, 5]
    assert len(block.photons) == 0


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_an_spc_gap_is_a_loss_from_the_word_before_to_the_word_that_says_so(cut: int) -> None:
    words = np.array(
        [spc(0, 9, 0, 100), spc(INVALID | MTOV, 0, 0, 3), spc(GAP, 9, 0, 50), spc(GAP, 9, 0, 50)], np.uint32
    )
    decoder = decoder_for(RecordLayout.BECKER_HICKL_T3)
    blocks = [decoder.feed(part) for part in np.split(words, [cut])]
    losses = [loss for block in blocks for loss in block.losses]
    assert losses == [
        Loss(3 * 4096 + 1, 3 * 4096 + 50, LossCause.FIFO_OVERRUN),
        Loss(3 * 4096 + 50, 3 * 4096 + 51, LossCause.FIFO_OVERRUN),
    ]
    assert [row[0] for block in blocks for row in rows(block)] == [100, 3 * 4096 + 50, 3 * 4096 + 50]


def test_an_spc_overflow_count_that_claims_too_much_counts_once() -> None:
    decoder = decoder_for(RecordLayout.BECKER_HICKL_T3, longest_jump=10 * 4096)
    block = decoder.feed(np.array([(INVALID | MTOV) << 28 | n for n in (10, 11)], np.uint32))
    assert block.position == 11 * 4096
    assert block.losses == (Loss(10 * 4096, 11 * 4096, LossCause.DECODE_GAP),)


@pytest.mark.parametrize(
    ("layout", "word"),
    [
        (RecordLayout.TIMEHARP_200_T3, timeharp_200(0, 0, 5, valid=0)),
        (RecordLayout.BECKER_HICKL_T3, spc(INVALID | MARK, 0, 0, 5)),
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
