"""Charging rate r_c = N(N->e)/t_N of one stretch, with the charged dwells that were too short to be seen.

Dwells are told at a resolution that is imposed (`resolved_spells`), charged ones and the neutral ones
between them alike, so that what is missed is known. With charging at the rate r in neutral time:

- a neutral dwell shorter than the limit is missed and joins two charged ones into one; those that are seen
  count from the limit on, N / (t_N - N limit), since a wait with a constant rate has no memory;
- a charged dwell is seen with probability p, from the law of those that are (`share_seen`), so N / p;
- what the missed ones lasted was no neutral time.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qdmon.analysis.snapshot import UNKNOWN, Estimate
from qdmon.analysis.switching.blinks import Blink
from qdmon.analysis.switching.charging import ChargingCount
from qdmon.analysis.switching.missed import Seen, share_seen
from qdmon.analysis.switching.resolution import LEAST_BINS, resolved_spells

__all__ = ["ChargingRate", "charging_rate"]

FEWEST_TO_COMPARE = 20
MOST_EXCESS = 0.4
# Without a complete dwell nothing is known of those that are missed.
ALL_SEEN = Seen(1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ChargingRate:
    """Charging of one stretch.

    Attributes:
        events: neutral-to-charged switches seen.
        exposure_s: neutral time in which so many are seen on average at 1 Hz: events/exposure is the rate.
        log_error: standard error of the logarithm of the exposure, from the correction.
        seen: share of the charged dwells long enough to be seen.
    """

    events: int
    exposure_s: float
    log_error: float
    seen: float

    @property
    def rate_hz(self) -> Estimate:
        """r_c with its error, sqrt(N)/t_N and that of the correction; unknown without events."""
        if not self.events:
            return UNKNOWN
        rate = self.events / self.exposure_s
        return Estimate(rate, rate * float(np.hypot(self.events**-0.5, self.log_error)))

    def at(self, mean_excitation: float | None) -> ChargingCount | None:
        """The count for a comparison between fluences; None if <N> is not known."""
        if mean_excitation is None:
            return None
        return ChargingCount(mean_excitation, self.events, self.exposure_s, self.log_error)


@lru_cache(maxsize=32)
def charging_rate(blinks: tuple[Blink, ...], bins: int, bin_s: float) -> ChargingRate | None:
    """Charging rate from the dim dwells of a stretch.

    Args:
        blinks: dwells in bins, ascending; those with more than half of the loss by Auger are charged. Where
            traps blink as well, those of the Auger loss alone: a dwell of both would count as one or none.
        bins: how many bins there are.
        bin_s: width of one.

    Returns:
        None where no neutral time is left.
    """
    charged = [b for b in blinks if b.auger_share > 0.5]
    spells = resolved_spells([(b.first, b.stop) for b in charged], bins)
    events = int(np.count_nonzero(spells.dim[1:]))
    excess = _excess_bins(charged)
    limit = LEAST_BINS - 0.5 + excess
    neutral = spells.bins[~spells.dim]
    # The first neutral dwell need not be longer than the limit: nothing came before it.
    follows = len(neutral) - int(not spells.dim[0])
    exposure = float(neutral.sum()) + events * excess - follows * limit
    seen = share_seen(spells.complete(dim=True), spells.cut(dim=True), excess) or ALL_SEEN
    if exposure <= 0:
        return None
    seen = _unmerged(seen, events / exposure * limit)
    exposure -= events * (1 / seen.share - 1) * seen.missed_bins
    if exposure <= 0:
        return None
    return ChargingRate(events, exposure * seen.share * bin_s, seen.log_error, seen.share)


def _excess_bins(charged: list[Blink]) -> float:
    """Bins by which charged dwells are read too long: a partly charged bin may count as a whole one.

    The light lost in a dwell knows better: it grows with its true length.
    """
    if len(charged) < FEWEST_TO_COMPARE:
        return 0.0
    lengths = np.array([float(b.stop - b.first) for b in charged])
    lost = np.array([b.lost_bins for b in charged])
    around = lengths - lengths.mean()
    spread, slope = float(around @ around), float(around @ lost)
    if slope <= 0:
        return 0.0
    return float(np.clip(lengths.mean() - lost.mean() * spread / slope, -MOST_EXCESS, MOST_EXCESS))


def _unmerged(seen: Seen, missed_gaps: float) -> Seen:
    """The share with charged dwells taken apart that a missed neutral one joined.

    Every end of a charged dwell is seen with the probability exp(-missed_gaps), so they end that much more
    often than they seem to.
    """
    log_share = float(np.log(seen.share) * np.exp(missed_gaps))
    return Seen(float(np.exp(log_share)), seen.log_error * float(np.exp(missed_gaps)), seen.missed_bins)
