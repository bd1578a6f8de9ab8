"""A sequence of two states seen no more finely than a resolution that is chosen, not suffered.

Which dwells of a single bin are seen depends on noise and on where the bin's edges fall. So dwells shorter
than a few bins, which all would be seen, are struck out: they become part of the dwell they interrupt.
Then what is missed is known, and can be put back (as for single ion channels: Colquhoun and Sigworth in
Single-Channel Recording, 1995; Hawkes, Jalali and Colquhoun, Phil. Trans. R. Soc. A 332, 511, 1990).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_BINS", "Spells", "resolved_spells"]

# A dwell of two bins fills one of them, wherever the edges fall.
LEAST_BINS = 2


@dataclass(frozen=True, slots=True)
class Spells:
    """Dwells of one piece of time, in bins, in the two states by turns.

    Attributes:
        bins: (n,) how long each one is; the first was already going on, the last still is.
        dim: (n,) True in the state that was marked.
    """

    bins: NDArray[np.int64]
    dim: NDArray[np.bool_]

    def complete(self, *, dim: bool) -> NDArray[np.int64]:
        """(k,) bins of the dwells in one state seen from beginning to end."""
        return np.asarray(self.bins[1:-1][self.dim[1:-1] == dim])

    def cut(self, *, dim: bool) -> NDArray[np.int64]:
        """(0 or 1,) bins of the last dwell if it is in that state and its beginning was seen."""
        return np.asarray(self.bins[1:][-1:][self.dim[1:][-1:] == dim])


def resolved_spells(runs: list[tuple[int, int]], bins: int, least: int = LEAST_BINS) -> Spells:
    """Dwells of `least` bins and more; shorter ones belong to the dwell before them.

    Args:
        runs: (first, stop) of the marked state, ascending and apart.
        bins: how many there are in all.
        least: shortest dwell, of either state, that is told.
    """
    edges = np.unique(np.array([0, *(edge for run in runs for edge in run), bins], np.int64))
    lengths = np.diff(edges)
    marked = np.isin(edges[:-1], [first for first, _ in runs])
    kept: list[list[int]] = []
    for length, dim in zip(lengths.tolist(), marked.tolist(), strict=True):
        if kept and (length < least or kept[-1][1] == dim):
            kept[-1][0] += length
        else:
            kept.append([length, dim])
    table = np.array(kept, np.int64).reshape(-1, 2)
    return Spells(table[:, 0], table[:, 1].astype(np.bool_))
