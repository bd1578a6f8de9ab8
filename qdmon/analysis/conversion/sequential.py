"""Has the dot changed how it blinks? A sequential test on its blinks, with a bounded rate of false alarms.

The unit of evidence is the blink: photons settle each one within milliseconds, and what is uncertain is
what the next will be. While a dot keeps its type, Auger blinks have one share s, unknown and mostly near 0 or
1, and come independently or in runs of a family f, the same before and behind (`runs`). For every place c the
change may be at, the likelihood of another s behind it is weighed against one s throughout, averaged over the
priors of s and f,

    LR_c = sum_f w(f) sum_{s, s'} w(s) w(s') P(before | s, f) P(behind | s', f) / P(all | no change),

with |s - s'| > 0.2,

and the alarm is up once sum_c q_c LR_c >= 1 (Shiryaev-Roberts; Pollak, Ann. Stat. 13, 206 (1985)): as long
as nothing changes the sum has expectation sum_c q_c, so q is a budget of false alarms, spent where changes
are expected. How long the dot stays bright before the first new blink and between the next counts too. A step
of the fluence may also move the share of a mixed dot that stays mixed: an alarm needs to be sure that it is
the type that changed, which a verdict on the light before helps with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.kinds_apart import log_apart
from qdmon.analysis.conversion.regimes import TYPES, Columns, Mark, Regime, likely
from qdmon.analysis.conversion.runs import LOG_FAMILY, log_likelihood, log_likelihood_behind
from qdmon.analysis.conversion.shares import ANY_CHANGE, CHANGE_AT_RISE, LOG_WEIGHT
from qdmon.analysis.conversion.type_change import NOTHING_KNOWN, Known, type_pairs
from qdmon.analysis.conversion.waits import USUAL_RATE_HZ, log_waits
from qdmon.analysis.results.blinking import Blinking

__all__ = ["Change", "find_change", "log_evidence", "place_change"]

FloatArray = NDArray[np.float64]

# Chance that the type changed, if something did, below which nothing is told.
LEAST_CERTAINTY = 0.95
# A regime is known by so many blinks.
FEWEST_BEFORE = 5
# A change is placed in one of so many slices of a dwell, or of the wait behind it.
SLICES = 16
# Changes further back than so many blinks have been told, or will not be.
MOST_PLACES = 300
# Edges of the central interval of 68 %, and the least half width that is stated.
CENTRAL, LEAST_ERROR_S = (0.16, 0.84), 0.01
# Chance beforehand that charging and trapping know nothing of each other (`kinds_apart`), in a dot of both.
APART = 0.005
# Chance that a dwell goes on as if nothing had happened when the law changes in it: mostly that ends it.
OUTLIVES = 0.3
# Places this much less likely than the best, in nats, do not count for the time.
FAR_BEHIND = 12.0
# Stands for a chance of 0 where a logarithm is taken.
_NOTHING = 1e-300


@dataclass(frozen=True, slots=True)
class Change:
    """A change of type that some blinks show.

    Attributes:
        log_evidence: logarithm of sum q_c LR_c.
        certainty: chance that the type changed, if something did.
        probability: that the type changed, if a change is as likely beforehand as none.
        index: first blink behind the likeliest place.
        time_s: when, the middle of the central 68 % interval.
        error_s: its half width.
        seen_s: when the first blink behind it began.
        before: likeliest type before.
        after: likeliest type behind.
        maybe_before: what it may have been as well; empty if that is sure enough (`regimes.likely`).
        maybe_after: what it may have become as well.
    """

    log_evidence: float
    certainty: float
    probability: float
    index: int
    time_s: float
    error_s: float
    seen_s: float
    before: Blinking
    after: Blinking
    maybe_before: tuple[Blinking, ...] = ()
    maybe_after: tuple[Blinking, ...] = ()


def find_change(
    marks: Sequence[Mark],
    budget: AlarmBudget,
    known: Known = NOTHING_KNOWN,
    now_s: float | None = None,
) -> Change | None:
    """The change of type among some blinks that is worth telling; None if there is none.

    Args:
        marks: in order of time, of one regime and what followed; the last may still be going on.
        budget: of false alarms.
        known: of the dot besides.
        now_s: how far one has looked; as far as the last blink if not given.
    """
    if len(marks) <= FEWEST_BEFORE:
        return None
    split = _split(marks, budget, now_s, known.families)
    any_change, at_rise = split.out_of_the_blue(), split.log_ratio(CHANGE_AT_RISE)
    scores, allotted = _scores(split, any_change, at_rise, budget)
    open_still = split.first_s >= known.settled_s
    scores = np.where(open_still, scores, -np.inf)
    evidence = float(np.logaddexp.reduce(scores))
    if evidence < 0:
        return None
    belief = budget.belief()
    believed, _ = _scores(split, any_change, at_rise, belief)
    place = int(split.places[np.argmax(np.where(open_still, believed, -np.inf))])
    pairs = type_pairs(marks, place, known)
    certainty = 1 - float(np.trace(pairs))
    if certainty < LEAST_CERTAINTY:
        return None
    changed_pairs = pairs - np.diag(np.diag(pairs))
    old, new = np.unravel_index(int(np.argmax(changed_pairs)), pairs.shape)
    changed = float(expit(evidence - allotted))
    # Told is a change between these types, so it is that one which is placed.
    told = np.outer(Regime.of(marks[:place]).kinds() == old, Regime.of(marks[place:]).kinds() == new)
    of_types = split.log_ratio(ANY_CHANGE * told) if (ANY_CHANGE * told).any() else any_change
    time_s, error_s = _time_of(marks, split.places[open_still], of_types[open_still], belief)
    return Change(
        log_evidence=evidence,
        certainty=certainty,
        probability=changed * certainty,
        index=place,
        time_s=time_s,
        error_s=error_s,
        seen_s=marks[place].start_s,
        before=TYPES[int(old)],
        after=TYPES[int(new)],
        maybe_before=_others(changed_pairs[:, new], int(old)),
        maybe_after=_others(changed_pairs[old], int(new)),
    )


def _others(chances: FloatArray, named: int) -> tuple[Blinking, ...]:
    """Types to name beside the likeliest of (3,) chances, which need not add up to 1."""
    shares = dict(zip(TYPES, (chances / chances.sum()).tolist(), strict=True))
    return likely(shares, TYPES[named])[1:]


def log_evidence(marks: Sequence[Mark], budget: AlarmBudget) -> float | None:
    """Logarithm of sum q_c LR_c, an alarm from 0 on; None while there are too few blinks for any place."""
    if len(marks) <= FEWEST_BEFORE:
        return None
    return _evidence(_split(marks, budget, None, LOG_FAMILY), budget)


def place_change(marks: Sequence[Mark], budget: AlarmBudget) -> tuple[float, float] | None:
    """When the law of some blinks changed, and the error of that; None if they do not show a change."""
    if len(marks) <= FEWEST_BEFORE:
        return None
    split = _split(marks, budget, None, LOG_FAMILY)
    if _evidence(split, budget) < 0:
        return None
    return _time_of(marks, split.places, split.out_of_the_blue(), budget.belief())


def _evidence(split: "_Split", budget: AlarmBudget) -> float:
    scores, _ = _scores(split, split.out_of_the_blue(), split.log_ratio(CHANGE_AT_RISE), budget)
    return float(np.logaddexp.reduce(scores))


@dataclass(frozen=True, slots=True)
class _Split:
    """Blinks divided at each place a change may be at.

    Attributes:
        places: (p,) the first blink behind it.
        last_s: (p,) when the blink before it began.
        first_s: (p,) when that behind it did.
        before: (p, f, k) log weight and likelihood of each family and share up to there.
        behind: (p, f, k) the same from there on, the family left out.
        besides: (p,) log-likelihood ratio of the waits, less that of all blinks without a change.
        apart: (p,) log-likelihood ratio if charging and trapping know nothing of each other; infinite where
            the fluence may have changed the dot.
    """

    places: NDArray[np.intp]
    last_s: FloatArray
    first_s: FloatArray
    before: FloatArray
    behind: FloatArray
    besides: FloatArray
    apart: FloatArray

    def log_ratio(self, pairs: FloatArray) -> FloatArray:
        """(p,) log LR of a change there, with these weights of each pair of shares."""
        return _log_pairs(self.before, self.behind, pairs) + self.besides

    def out_of_the_blue(self) -> FloatArray:
        """(p,) log LR of any change there; without one, kinds come in rows or, rarely, each by itself."""
        as_rows = self.log_ratio(ANY_CHANGE)
        return np.asarray(-np.logaddexp(np.log1p(-APART) - as_rows, np.log(APART) - self.apart))


def _split(marks: Sequence[Mark], budget: AlarmBudget, now_s: float | None, families: FloatArray) -> _Split:
    blinks = Columns.of(marks)
    first = max(FEWEST_BEFORE, len(marks) - MOST_PLACES)
    places = np.arange(first, len(marks))
    before = families[:, None] + LOG_WEIGHT + log_likelihood(blinks.odds)[first:]
    behind = LOG_WEIGHT + log_likelihood_behind(blinks.odds[first:])[:-1]
    unchanged = float(np.logaddexp.reduce(before[-1], axis=None))
    besides = log_waits(blinks, places, budget.steps_s, now_s) - unchanged
    last_s, first_s = blinks.start_s[places - 1], blinks.start_s[places]
    apart = np.where(budget.causes(last_s, first_s), np.inf, log_apart(blinks, places, now_s))
    return _Split(places, last_s, first_s, before[:-1], behind, besides, apart)


def _scores(
    split: _Split, any_change: FloatArray, at_rise: FloatArray, budget: AlarmBudget
) -> tuple[FloatArray, float]:
    """(p,) logarithms of q_c LR_c, and of all q_c together."""
    # The law may change while the last old blink is still on.
    share, share_at_rise = _log_share(split.last_s, split.first_s, budget)
    scores = np.logaddexp(any_change + share, at_rise + share_at_rise)
    return scores, float(np.logaddexp.reduce([share, share_at_rise], axis=None))


def _log_share(begin: FloatArray, end: FloatArray, budget: AlarmBudget) -> tuple[FloatArray, FloatArray]:
    """(p,) logarithms of what is allotted to spans (begin, end]: at any time, and at rises in them."""
    inside = (budget.steps_s > begin[:, None]) & (budget.steps_s <= end[:, None])
    rise = budget.after_step > 0
    between = budget.until(end) - budget.until(begin) + inside[:, ~rise] @ budget.at_step[~rise]
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(between, _NOTHING)), np.log(inside[:, rise] @ budget.at_step[rise])


def _log_pairs(before: FloatArray, behind: FloatArray, pairs: FloatArray) -> FloatArray:
    """(p,) log of the sum over families and pairs of pairs[s, s'] exp(before[., s] + behind[., s'])."""
    top, bottom = (x.max(axis=(1, 2), keepdims=True) for x in (before, behind))
    joint = (np.exp(before - top) @ pairs * np.exp(behind - bottom)).sum(axis=(1, 2))
    return np.asarray(np.log(np.maximum(joint, _NOTHING)) + (top + bottom)[:, 0, 0])


def _time_of(
    marks: Sequence[Mark], places: NDArray[np.intp], log_ratio: FloatArray, belief: AlarmBudget
) -> tuple[float, float]:
    """Middle and half width of the central interval that holds the change with 68 %."""
    near = log_ratio >= log_ratio.max() - FAR_BEHIND
    times, weights = [], []
    for place, ratio in zip(places[near].tolist(), log_ratio[near].tolist(), strict=True):
        time, log_weight = _times_at(marks, place, ratio, belief)
        times.append(time)
        weights.append(log_weight)
    time, log_weight = np.concatenate(times), np.concatenate(weights)
    order = np.argsort(time, kind="stable")
    share = np.exp(log_weight[order] - log_weight.max())
    sums = (np.cumsum(share) - share / 2) / share.sum()
    early, late = np.interp(CENTRAL, sums, time[order])
    return float(early + late) / 2, float(max((late - early) / 2, LEAST_ERROR_S))


def _times_at(
    marks: Sequence[Mark], place: int, log_ratio: float, belief: AlarmBudget
) -> tuple[FloatArray, FloatArray]:
    """(t,) times at which a change at a place of this log LR may have come, and the log weights of these.

    That is in the last old dwell, which mostly ends with it, in the wait behind, or at a step of the fluence;
    nowhere, if the first new one began with the last old one.
    """
    steps = belief.steps_s
    last, first = marks[place - 1], marks[place]
    over_s = min(last.stop_s, first.start_s)
    dwell, wait = (
        np.linspace(*span, SLICES + 1) for span in ((last.start_s, over_s), (over_s, first.start_s))
    )
    here = (steps > last.start_s) & (steps <= first.start_s)
    during, after = (np.diff(belief.until(edges)) for edges in (dwell, wait))
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in (dwell, wait)]
    time = np.concatenate([*middles, [over_s], steps[here]])
    ended = [(1 - OUTLIVES) * during.sum()]
    with np.errstate(divide="ignore"):
        share = np.log(np.concatenate([OUTLIVES * during, after, ended, belief.at_step[here]]))
    # Bright for so long under the old rate of blinking, then under the new one: where in between.
    bright = np.maximum(time - over_s, 0.0)
    faster = _rate(marks[:place], steps) - _rate(marks[place:], steps)
    within = share - faster * bright
    if np.isneginf(share).all():
        return time, share
    return time, log_ratio + within + np.logaddexp.reduce(share) - np.logaddexp.reduce(within)


def _rate(marks: Sequence[Mark], steps_s: FloatArray) -> float:
    """Blinks per bright second since the last step before them all ended, a usual rate as a prior."""
    since = max((float(t) for t in steps_s if t <= marks[-1].start_s), default=marks[0].start_s)
    seen = [m for m in marks if m.start_s >= since] or list(marks[-1:])
    bright_s = seen[-1].stop_s - seen[0].start_s - sum(m.stop_s - m.start_s for m in seen)
    number = 1 + sum(b.start_s > a.stop_s for a, b in pairwise(seen))
    return number / (max(bright_s, 0.0) + 1 / USUAL_RATE_HZ)
