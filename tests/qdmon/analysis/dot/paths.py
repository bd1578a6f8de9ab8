"""Bins of a dot whose states are known: counts drawn from the states themselves, no photons in between."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.states import CHARGED, KIND, SINGLE, DotModel

__all__ = [
    "BRIGHT",
    "CONSTANTS",
    "PAPERS_DOT",
    "TRAPS",
    "TRION",
    "alternating",
    "drawn",
    "path_of",
]

BRIGHT = 0
TRION = int(np.flatnonzero(CHARGED & SINGLE)[0])
TRAPS = np.flatnonzero((KIND == "neutral") & SINGLE)[1:]
CONSTANTS = np.flatnonzero((KIND == "constant") & SINGLE)

# 760 and 280 counts/10 ms, 24.7 and 5.0 ns (Yang et al., Small 2024): a radiative-rate ratio of 1.82.
PAPERS_DOT = DotModel(76e3, 24.7, 5.0, 2.2, 1.82, 400.0, 0.0)


def alternating(
    rng: np.random.Generator,
    bins: int,
    dim: Sequence[int],
    *,
    on_bins: float = 40.0,
    off_bins: float = 24.0,
) -> NDArray[np.intp]:
    """(bins,) state of every bin: bright and one of the dim states in turn, exponential dwells."""
    states: list[int] = []
    while len(states) < bins:
        states += [BRIGHT] * (1 + int(rng.exponential(on_bins)))
        states += [int(rng.choice(dim))] * (1 + int(rng.exponential(off_bins)))
    return np.array(states[:bins])


def path_of(*dwells: tuple[int, int]) -> NDArray[np.intp]:
    """States of consecutive bins from (state, bins) dwells."""
    return np.repeat([state for state, _ in dwells], [bins for _, bins in dwells])


def drawn(
    rng: np.random.Generator,
    path: NDArray[np.intp],
    dot: DotModel = PAPERS_DOT,
    *,
    bin_s: float = 0.005,
    period_ns: float = 200.0,
) -> BinnedDecays:
    """Poisson counts of a dot that is in one state in each bin, the background known."""
    empty = np.zeros((0, 0), np.float32)
    data = BinnedDecays(empty, bin_s, MicroBins.for_period(period_ns), dot.background_cps)
    counts = rng.poisson(data.expected(dot)[path]).astype(np.float32)
    return BinnedDecays(counts, bin_s, data.bins, dot.background_cps)
