"""When a dot changes how it blinks: a change in the sequence of its blinks, confirmed by the verdict.

The unit of evidence is the blink, not the photon: photons settle each blink within milliseconds, and what
is uncertain is what the next blinks will be. Two stretches with one Auger share each are weighed against a
single stretch by their Beta-binomial evidence, for every split; blinks carry fractional labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

__all__ = ["FEWEST_BEFORE", "Split", "TimedBlink", "find_split", "log_evidence", "share_counts"]

FloatArray = NDArray[np.float64]

# Dots are mostly pure: the prior on the share of Auger blinks leans to both ends.
PRIOR = 0.5
FEWEST_BEFORE, FEWEST_AFTER = 5, 3


@dataclass(frozen=True, slots=True)
class TimedBlink:
    """A blink on the session's clock."""

    start_s: float
    stop_s: float
    auger_share: float


@dataclass(frozen=True, slots=True)
class Split:
    """The best place to cut a sequence of blinks in two.

    Attributes:
        index: first blink of the second part.
        log_evidence: for two shares over one, prior odds of the place taken off.
        time_s: middle of the interval in which the change must lie.
        time_error_s: its half width, scaled to 68 %.
        earliest_s: end of the last blink of the first part.
        latest_s: start of the first blink of the second part.
    """

    index: int
    log_evidence: float
    time_s: float
    time_error_s: float
    earliest_s: float
    latest_s: float


def log_evidence(auger: FloatArray | float, count: FloatArray | float) -> FloatArray:
    """Log evidence of blinks with one unknown Auger share, fractional labels allowed."""
    # Sums and differences of fractional labels may leave [0, count] by rounding.
    auger = np.clip(auger, 0.0, count)
    return np.asarray(betaln(auger + PRIOR, count - auger + PRIOR) - betaln(PRIOR, PRIOR))


def share_counts(blinks: list[TimedBlink]) -> tuple[float, float]:
    """Auger blinks and all blinks."""
    return sum(b.auger_share for b in blinks), float(len(blinks))


def find_split(blinks: list[TimedBlink], earliest: int = 0) -> Split | None:
    """The most likely change in a sequence of blinks; None if it is too short to hold one.

    Args:
        blinks: in order of time.
        earliest: the second part may not begin before this blink.
    """
    n = len(blinks)
    index = np.arange(max(FEWEST_BEFORE, earliest), n - FEWEST_AFTER + 1)
    if not len(index):
        return None
    shares = np.cumsum([b.auger_share for b in blinks])
    before = shares[index - 1]
    evidence = (
        log_evidence(before, index.astype(np.float64))
        + log_evidence(shares[-1] - before, (n - index).astype(np.float64))
        - log_evidence(shares[-1:], np.array([float(n)]))
    )
    best = int(np.argmax(evidence))
    cut = int(index[best])
    after_s, by_s = blinks[cut - 1].stop_s, blinks[cut].start_s
    return Split(
        cut,
        float(evidence[best] - np.log(len(index))),
        (after_s + by_s) / 2,
        max(0.34 * (by_s - after_s), 0.01),
        after_s,
        by_s,
    )
