"""Dim dwells in a sequence of expected losses, and how often the light switches off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Blink",
    "blinking_rate_hz",
    "find_blinks",
    "hysteresis_runs",
]

FloatArray = NDArray[np.float64]

# A blink begins above the first and ends below the second share of lost light, or of what a blink of the dot
# typically loses if that is little: there are bright trions. Less than the third is none.
ENTER, LEAVE = 0.3, 0.2
ENTER_OF_DEPTH, LEAVE_OF_DEPTH, LEAST_DEPTH = 0.5, 0.33, 0.2
# Switching thresholds of the paper's blinking rate, as shares of the bright-dim gap.
OFF_BELOW, ON_ABOVE = 0.42, 0.62


@dataclass(frozen=True, slots=True)
class Blink:
    """One dim dwell.

    Attributes:
        first: its first bin.
        stop: the bin after its last.
        auger_share: share of its lost light that Auger recombination took.
        lost_bins: light lost in it, in bins of the bright level.
        lost_inside: of it, what the bins between the first and the last lost: they were dim all the time.
        lost_beside: light lost in the bin before it and in the one after: it may have begun and ended there.
    """

    first: int
    stop: int
    auger_share: float
    lost_bins: float
    lost_inside: float = 0.0
    lost_beside: float = 0.0


def hysteresis_runs(enter: NDArray[np.bool_], leave: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches that begin where `enter` holds and end where `leave` does."""
    # +1 opens, -1 closes; the state between is the last mark's.
    mark = np.where(enter, 1, np.where(leave, -1, 0))
    at = np.flatnonzero(mark)
    if not len(at):
        return []
    values = mark[at]
    change = np.concatenate([[True], values[1:] != values[:-1]])
    at, values = at[change], values[change]
    # Marks take turns, but for one that closes nothing.
    edges = at[int(values[0] < 0) :].tolist()
    if len(edges) % 2:
        edges.append(len(mark))
    return list(zip(edges[::2], edges[1::2], strict=True))


def find_blinks(auger: FloatArray, trap: FloatArray, depth: float | None = None) -> tuple[Blink, ...]:
    """Dim dwells from the expected losses of consecutive bins.

    Args:
        auger: (n,) share of the bright rate lost to Auger recombination.
        trap: (n,) share lost to traps.
        depth: what a blink loses, if it is known. Never more than the mean over these losses, each weighted
            by itself: the deepest state of a dot need not be the one it blinks to.
    """
    loss = auger + trap
    mean = float(np.square(loss).sum() / max(float(loss.sum()), 1e-12))
    depth = max(mean if depth is None else min(depth, mean), LEAST_DEPTH)
    enter, leave = min(ENTER, ENTER_OF_DEPTH * depth), min(LEAVE, LEAVE_OF_DEPTH * depth)
    runs = hysteresis_runs(loss > enter, loss < leave)
    if not runs:
        return ()
    first, stop = np.array(runs).T
    # Summed up to each bin, that one left out.
    upto, by_auger = (np.concatenate([[0.0], np.cumsum(x)]) for x in (loss, auger))
    lost = upto[stop] - upto[first]
    inside = upto[np.maximum(stop - 1, first + 1)] - upto[first + 1]
    around = np.concatenate([[0.0], loss, [0.0]])
    beside = around[first] + around[stop + 1]
    share = (by_auger[stop] - by_auger[first]) / lost
    numbers = zip(share.tolist(), lost.tolist(), inside.tolist(), beside.tolist(), strict=True)
    return tuple(Blink(*run, *of_run) for run, of_run in zip(runs, numbers, strict=True))


def blinking_rate_hz(counts: FloatArray, bin_s: float, bright: float, dim: float) -> float | None:
    """Switch-offs per second with hysteresis between a bright and a dim level.

    Args:
        counts: (n,) net counts per bin.
        bin_s: bin width.
        bright: counts per bin of the bright level.
        dim: of the dim one.
    """
    if len(counts) < 10 or bright <= dim:
        return None
    gap = bright - dim
    runs = hysteresis_runs(counts < dim + OFF_BELOW * gap, counts > dim + ON_ABOVE * gap)
    return len(runs) / (len(counts) * bin_s)
