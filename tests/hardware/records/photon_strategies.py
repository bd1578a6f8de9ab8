"""Photons that a given word can hold, for property tests."""

import numpy as np
from hypothesis import strategies as st

from hardware.records import WORD_FORMATS
from hardware.types import DecodedBlock, Photons, RecordLayout

__all__ = ["joined", "layouts", "photons_for", "same_photons"]

layouts = st.sampled_from(list(RecordLayout))


@st.composite
def photons_for(draw: st.DrawFn, layout: RecordLayout) -> Photons:
    """Up to 40 photons whose gaps reach from none to dozens of overflows."""
    words = WORD_FORMATS[layout]
    gap = st.one_of(st.integers(0, 3), st.integers(0, words.wrap), st.integers(0, 40 * words.wrap))
    rows = draw(
        st.lists(
            st.tuples(
                gap, st.integers(0, words.largest_nanotime), st.integers(0, min(words.largest_channel, 255))
            ),
            max_size=40,
        )
    )
    gaps, nanotimes, channels = zip(*rows, strict=True) if rows else ((), (), ())
    return Photons(
        np.cumsum(np.array(gaps, np.uint64), dtype=np.uint64),
        np.array(nanotimes, np.uint16),
        np.array(channels, np.uint8),
    )


def joined(blocks: list[DecodedBlock]) -> Photons:
    """All photons of some blocks, in stable order of their pulses."""
    photons = Photons.join([block.photons for block in blocks])
    order = np.argsort(photons.pulse, kind="stable")
    return Photons(photons.pulse[order], photons.nanotime[order], photons.channel[order])


def same_photons(a: Photons, b: Photons) -> bool:
    """Whether all three columns agree, in value and type."""
    pairs = ((a.pulse, b.pulse), (a.nanotime, b.nanotime), (a.channel, b.channel))
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)
