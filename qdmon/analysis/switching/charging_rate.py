"""Charging rate r_c = N(N->e)/t_N of one stretch, with the charged dwells that were too short to be seen.

How long a charged dwell lasts is told by the light it loses, which is finer than the bins: a whole bin loses
what the inner bins of dwells do. Dwells are told at a resolution that is imposed, so that what is missed is
known: charged ones from `LIMIT` on, neutral ones between them from `LEAST_BINS` whole bins on. With
charging at the rate r in neutral time:

- a neutral dwell shorter than the limit is missed and joins two charged ones into one; those that are seen
  count from the limit on, N / (t_N - N limit), since a wait with a constant rate has no memory;
- a charged dwell is seen with probability p, from the law of those that are (`share_longer`), so N / p;
- what the missed ones lasted was no neutral time.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.switching.blinks import Blink
from qdmon.analysis.switching.charging import ChargingCount
from qdmon.analysis.switching.missed import Seen, share_longer
from qdmon.analysis.switching.resolution import LEAST_BINS

__all__ = ["ChargingRate", "charging_rate"]

# Bins of a charged dwell from which on it is told. Half of that light lost in one bin opens a dwell; so
# much more keeps clear of noise.
LIMIT = 0.75
# Dwells shorter than a row of the finest table are none.
SHORTEST_S = 0.001
# Dwells with inner bins that tell how much wider than it lasts a dwell looks, and what is usual.
FEWEST_TO_COMPARE, USUAL_EXCESS, MOST_EXCESS = 5, 0.35, 0.8
# A rate of which more than half is extrapolated is none.
LEAST_SEEN = 0.5
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
        """r_c with its error, sqrt(N)/t_N and that of the correction.

        Unknown without events, and where most of it would be what is made up for.
        """
        if not self.events or self.seen < LEAST_SEEN:
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
    depth = _depth(charged)
    seen_alone = [_Dwell(b.first, b.stop, (b.lost_bins + b.lost_beside) / depth) for b in charged]
    dwells = _joined([d for d in seen_alone if d.lasted >= LIMIT])
    begun = [d for d in dwells if d.first > 0]
    events = len(begun)
    limit = LEAST_BINS - 0.5 + _excess(dwells)
    # After each charged dwell comes a neutral one, but after the last perhaps.
    follows = sum(d.stop < bins for d in dwells)
    neutral = bins - sum(d.lasted for d in seen_alone)
    exposure = neutral - follows * limit
    complete = np.array([d.lasted for d in begun if d.stop < bins])
    cut = np.array([d.lasted for d in begun if d.stop == bins])
    seen = share_longer(complete, cut, LIMIT, SHORTEST_S / bin_s) or ALL_SEEN
    if exposure <= 0:
        return None
    seen = _unmerged(seen, events / exposure * limit)
    missed = events * (1 / seen.share - 1) * seen.missed_bins
    exposure -= max(missed - sum(d.lasted for d in seen_alone if d.lasted < LIMIT), 0.0)
    if exposure <= 0:
        return None
    return ChargingRate(events, exposure * seen.share * bin_s, seen.log_error, seen.share)


@dataclass(frozen=True, slots=True)
class _Dwell:
    """A charged dwell.

    Attributes:
        first: its first bin.
        stop: the bin after its last.
        lasted: how long it lasted by the light it lost, in bins.
    """

    first: int
    stop: int
    lasted: float


def _depth(charged: list[Blink]) -> float:
    """What a whole charged bin loses: the mean over inner bins, or the most of any dwell if none has any."""
    inner = sum(max(b.stop - b.first - 2, 0) for b in charged)
    inside = sum(b.lost_inside for b in charged)
    if inside > 0:
        return inside / inner
    return max((b.lost_bins / (b.stop - b.first) for b in charged), default=1.0)


def _joined(dwells: list[_Dwell]) -> list[_Dwell]:
    """Dwells with less than `LEAST_BINS` between them as one."""
    joined: list[_Dwell] = []
    for dwell in dwells:
        if joined and dwell.first - joined[-1].stop < LEAST_BINS:
            last = joined.pop()
            joined.append(_Dwell(last.first, dwell.stop, last.lasted + dwell.lasted))
        else:
            joined.append(dwell)
    return joined


def _excess(dwells: list[_Dwell]) -> float:
    """Bins by which a charged dwell looks wider than it lasts: a partly charged bin is one."""
    wider = [d.stop - d.first - d.lasted for d in dwells if d.lasted >= LEAST_BINS]
    if len(wider) < FEWEST_TO_COMPARE:
        return USUAL_EXCESS
    return float(np.clip(np.mean(wider), -MOST_EXCESS, MOST_EXCESS))


def _unmerged(seen: Seen, missed_gaps: float) -> Seen:
    """The share with charged dwells taken apart that a missed neutral one joined.

    Every end of a charged dwell is seen with the probability exp(-missed_gaps), so they end that much more
    often than they seem to.
    """
    log_share = float(np.log(seen.share) * np.exp(missed_gaps))
    return Seen(float(np.exp(log_share)), seen.log_error * float(np.exp(missed_gaps)), seen.missed_bins)
