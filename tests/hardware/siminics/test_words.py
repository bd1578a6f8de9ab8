"""SIMINICS words: golden ones from the vendor's guide, and gaps that numbered overflows give away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hardware.siminics import Words
from hardware.types import DecodedBlock, Markers, Photons

OVERFLOW = 0xFE00_0000
WRAP = 1024


def encoded(pulses: list[int], frames: int) -> NDArray[np.uint32]:
    """T3 words of photons (nanotime 7, channel 1) and the overflow that ends each of `frames` frames."""
    words: list[int] = []
    for frame in range(frames):
        own = [p for p in sorted(pulses) if p // WRAP == frame]
        words += [1 << 25 | 7 << 10 | p % WRAP for p in own]
        words.append(OVERFLOW | frame % WRAP)
    return np.array(words, np.uint32)


def decoded(words: NDArray[np.uint32], cuts: list[int]) -> tuple[Photons, Markers, list[DecodedBlock]]:
    decoder = Words("T3")
    parts = [decoder.feed(block) for block in np.split(words, sorted(c % (len(words) + 1) for c in cuts))]
    parts.append(decoder.rest())
    markers = Markers(*(np.concatenate([getattr(p.markers, c) for p in parts]) for c in ("pulse", "bits")))
    return Photons.join([p.photons for p in parts]), markers, parts


def test_words_of_the_guide_mean_what_it_says() -> None:
    words = np.array([0x0109_5000, 0x046D_6800, 0x026A_0001, 0x8600_0000], np.uint32)
    photons, markers, _ = decoded(words, [])
    assert photons.channel.tolist() == [0, 2, 1]
    assert photons.nanotime.tolist() == [16980, 7002, 6784]
    assert photons.pulse.tolist() == [0, 0, 1]
    assert markers.bits.tolist() == [0b0011]


def test_the_overflow_of_the_guide_is_number_724() -> None:
    decoder = Words("T3")
    decoder.feed(np.array([0xFE00_02D4], np.uint32))
    assert decoder.began_at == 724
    assert decoder.rest().position == 725 * WRAP


@given(
    st.lists(st.integers(0, 3000 * WRAP - 1), max_size=40),
    st.lists(st.integers(0, 10**6), max_size=5),
)
def test_blocks_of_any_size_give_the_photons_that_were_encoded(pulses: list[int], cuts: list[int]) -> None:
    photons, _, parts = decoded(encoded(pulses, 3000), cuts)
    assert photons.pulse.tolist() == sorted(pulses)
    assert set(photons.nanotime.tolist()) <= {7}
    assert not any(part.losses for part in parts)
    assert parts[-1].position == 3000 * WRAP
    positions = [part.position for part in parts]
    assert positions == sorted(positions)


@given(
    st.lists(st.integers(0, 600 * WRAP - 1), max_size=200),
    st.integers(0, 500),
    st.integers(1, 99),  # some of the 600 overflows always follow: at the end nothing can show a loss
    st.lists(st.integers(0, 10**6), max_size=3),
)
def test_words_that_are_missing_leave_a_gap_and_no_photon_elsewhere(
    pulses: list[int], behind: int, missing: int, cuts: list[int]
) -> None:
    words = encoded(pulses, 600)
    overflows = np.flatnonzero(words >> np.uint32(25) == 0x7F)
    # The first overflow is where counting begins: nothing tells if it is not the first there was.
    at = int(overflows[0]) + 1 + behind
    kept = np.delete(words, slice(at, at + missing))
    photons, _, parts = decoded(kept, cuts)
    losses = [loss for part in parts for loss in part.losses]
    everything = sorted(pulses)
    hit = [int(o) for o in overflows if at <= o < at + missing]
    known = set(everything)
    assert set(photons.pulse.tolist()) <= known
    if hit:
        assert len(losses) == 1
        first, stop = losses[0].first_pulse, losses[0].stop_pulse
        outside = [p for p in everything if not first <= p < stop]
        assert photons.pulse.tolist() == outside
    else:
        assert not losses


def test_words_without_any_overflow_are_not_held_for_ever() -> None:
    decoder = Words("T3")
    block = np.zeros(1 << 22, np.uint32)
    decoder.feed(block)
    with pytest.raises(ValueError, match="no overflow"):
        decoder.feed(block)


def test_t2_words_count_ticks_of_25_bits() -> None:
    decoder = Words("T2")
    words = np.array([3 << 25 | 5, OVERFLOW | 0, 1 << 25 | 6], np.uint32)
    photons = Photons.join([decoder.feed(words).photons, decoder.rest().photons])
    assert photons.pulse.tolist() == [5, (1 << 25) + 6]
    assert photons.channel.tolist() == [3, 1]
    assert photons.nanotime.tolist() == [0, 0]
