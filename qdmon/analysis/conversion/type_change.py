"""If the share of Auger blinks changed somewhere: from which type to which?

Counting blinks tells the types where only a few are known; a verdict, which weighs the light lost, where
there is enough light. What a dot has become is a matter of the law, not of the few blinks that happened to
come: the share a verdict found is as uncertain as the blinks of either kind scatter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from qdmon.analysis.conversion.regimes import TYPES, Columns, Mark, Regime
from qdmon.analysis.conversion.runs import INFLATION, LOG_FAMILY
from qdmon.analysis.dot.verdict import AUGER_FROM, BC_TO
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import Estimate

__all__ = [
    "AWAY_S",
    "NOTHING_KNOWN",
    "SURE",
    "SURE_MIXED_S",
    "Known",
    "law_of",
    "leaning_of",
    "share_of_blinks",
    "share_of_law",
    "type_pairs",
]

FloatArray = NDArray[np.float64]

MIXED = TYPES.index("mixed")
# A verdict as sure of a type is taken at its word.
SURE = 0.95
# A blink that seems to begin so little before a step of the fluence is one behind it.
AWAY_S = 0.02
# Chance of each type behind a change of the share, by the type before: bc, mixed, auger. A step of the
# fluence moves the share of a mixed dot as a rule, and hardly ever ends one of its mechanisms.
_BECOMES = np.array([[0.2, 0.4, 0.4], [0.015, 0.97, 0.015], [0.4, 0.4, 0.2]])
# A verdict speaks of the time behind a change if it has seen so much of it: more, and never without, where
# the share of a mixed dot may just have been odd for a while, which is so if it is mixed for so likely.
SURE_S, SURE_MIXED_S, LIKELY = 3.0, 10.0, 0.6
# hc and none are beyond what blinks are counted for: a verdict that gives the others less says nothing.
LEAST_KNOWN = 0.5
# However clear what is seen behind a change, no type is less likely, relative to the likeliest.
LEAST_CHANCE = 1e-4
# So much of a verdict behind the last old blink is much.
MUCH = 0.1


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a dot besides its blinks.

    Attributes:
        verdicts: on stretches of light of this regime and of what followed.
        expected: type that the dot had before at the fluence it is back at; None where there is none.
        back_s: when that fluence came back.
        families: (f,) log probability of each family of runs beforehand.
        settled_s: up to when it is known that nothing changed.
        light_since: verdict on all light since a time (s); None where there is none, or too little.
    """

    verdicts: Sequence[BlinkingCall] = ()
    expected: Blinking | None = None
    back_s: float = -np.inf
    families: FloatArray = field(default_factory=lambda: LOG_FAMILY)
    settled_s: float = -np.inf
    light_since: Callable[[float], BlinkingCall | None] = lambda _: None

    def expected_at(self, time_s: float) -> Blinking | None:
        """The type to expect of a blink then: none while the fluence was another one."""
        return self.expected if time_s >= self.back_s - AWAY_S else None


NOTHING_KNOWN = Known()


def type_pairs(marks: Sequence[Mark], place: int, known: Known = NOTHING_KNOWN) -> FloatArray:
    """(3, 3) chance of each pair of `TYPES` before and behind a place, if the share changed there.

    Args:
        marks: blinks in order of time.
        place: first blink behind the change.
        known: of the dot besides.
    """
    before = _types_before(marks, place, known)
    expected = known.expected_at(marks[place].start_s)
    pairs = _pairs(marks, place, known, before, expected)
    back = TYPES.index(expected) if expected in TYPES else MIXED
    if back != MIXED and before[MIXED] > LIKELY and pairs[MIXED, back] < pairs[MIXED, _other(back)]:
        # A third type is not what was to be expected.
        return _pairs(marks, place, known, before, None)
    return pairs


def _other(kind: int) -> int:
    """The pure type that this one is not."""
    return len(TYPES) - 1 - kind


def _pairs(
    marks: Sequence[Mark], place: int, known: Known, before: FloatArray, expected: Blinking | None
) -> FloatArray:
    """See `type_pairs`.

    Args:
        marks: blinks in order of time.
        place: first blink behind the change.
        known: of the dot besides.
        before: (3,) chance of each type up to there.
        expected: type that the dot had before at the fluence it is back at.
    """
    # What a mixed dot does for a while says little of its law, unless it is back where it was another.
    mixed = expected in (None, "mixed") and before[MIXED] > LIKELY
    least_s = SURE_MIXED_S if mixed else SURE_S
    since = _verdicts_behind(marks, place, known.verdicts, least_s)
    if mixed and not since and (asked := known.light_since(marks[place].start_s)) is not None:
        since = _verdicts_behind(marks, place, [asked], least_s)
    # Back where it was, a dot need not prove its law again.
    read = law_of if expected is None else _blinked
    seen = [chances for call in since if (chances := read(call, marks)) is not None]
    if seen:
        behind = seen[:1]
    elif mixed:
        return np.asarray(np.diag(before))
    else:
        # A verdict under a doubt does not settle what blinks say, but where it objects nothing is sure.
        behind = [_types_behind(marks, place, known.families), *(_of_types(call) for call in since[:1])]
    prior = before[:, None] * _becoming(expected)
    found = [prior * (chances + LEAST_CHANCE * chances.max()) for chances in behind]
    return max((pairs / pairs.sum() for pairs in found), key=np.trace)


def _becoming(expected: Blinking | None) -> FloatArray:
    """(3, 3) chance of each type behind a change, by the type before; half for one that is expected."""
    if expected not in TYPES:
        return _BECOMES
    return np.asarray((_BECOMES + (np.arange(len(TYPES)) == TYPES.index(expected))) / 2)


def _types_before(marks: Sequence[Mark], place: int, known: Known) -> FloatArray:
    """(3,) chance of each type up to a place: by the last verdict on that time, else by blinks."""
    # Between the last old blink and the first new one the law may have changed: a verdict that saw much of
    # that time speaks for what came before only where no earlier one does.
    first_s = marks[place].start_s
    told = [(call, kinds) for call in known.verdicts if (kinds := _blinked(call, marks)) is not None]
    seen = [one for one in told if one[0].stop_s <= first_s]
    if not seen:
        return _counted(marks[:place])
    early = [one for one in seen if _share_behind(one[0], marks[place - 1].stop_s) < MUCH]
    call, kinds = max(early or seen, key=lambda one: one[0].stop_s)
    if call.stop_s - call.start_s >= SURE_MIXED_S:
        return kinds
    # In a short time a dot that was mixed at the fluence before may do one thing alone, but not for long.
    mixed = max((k[MIXED] for c, k in seen if c.start_s < call.start_s), default=0.0)
    blinked = np.exp(_evidence_of(_seen(call, marks[:place]), marks[:place], known.families))
    as_before, as_seen = mixed * blinked[MIXED], (1 - mixed) * float(kinds @ blinked)
    mixed = as_before / max(as_before + as_seen, 1e-300)
    return np.asarray(kinds * (1 - mixed) + mixed * (np.arange(len(TYPES)) == MIXED))


def _types_behind(marks: Sequence[Mark], place: int, families: FloatArray) -> FloatArray:
    """(3,) how likely each type makes the blinks from a place on, relative to the likeliest."""
    return np.asarray(np.exp(_evidence_of(marks[place:], marks[:place], families)))


def _evidence_of(blinks: Sequence[Mark], before: Sequence[Mark], families: FloatArray) -> FloatArray:
    """(3,) log-likelihood of each type by some blinks, relative to the likeliest.

    A dot whose blinks have come in runs before has to show more than a run.
    """
    evidence = Regime.of(blinks).by_type(Regime.of(before).families(families))
    return np.asarray(evidence - evidence.max())


def _verdicts_behind(
    marks: Sequence[Mark], place: int, verdicts: Sequence[BlinkingCall], least_s: float
) -> list[BlinkingCall]:
    """Those on so much light behind the last old blink: of the first stretch first, on most of its light."""
    since = [c for c in verdicts if c.start_s >= marks[place - 1].start_s and c.stop_s - c.start_s >= least_s]
    return sorted(since, key=lambda call: (call.start_s, -call.stop_s))


def _share_behind(call: BlinkingCall, time_s: float) -> float:
    """Part of what a verdict saw that is behind a time."""
    return max(call.stop_s - time_s, 0.0) / max(call.stop_s - call.start_s, 1e-9)


def leaning_of(call: BlinkingCall) -> dict[Blinking, float]:
    """Chance of each type by a verdict, without the part that a doubt about the emitter spreads evenly."""
    evenly = min(call.probabilities.values())
    rest = 1 - evenly * len(call.probabilities)
    if rest <= 0:
        return call.probabilities
    return {kind: (chance - evenly) / rest for kind, chance in call.probabilities.items()}


def share_of_law(call: BlinkingCall, marks: Sequence[Mark]) -> Estimate | None:
    """Share of the loss that the law behind a verdict would take in the long run; None where unknown."""
    seen = _seen(call, marks)
    return _in_the_long_run(call.auger_share, seen, _scatter(seen))


def share_of_blinks(marks: Sequence[Mark]) -> Estimate | None:
    """The same of the law behind some blinks, without a verdict on them; None where they lost nothing."""
    blinks = Columns.of(marks)
    lost_s = float(blinks.lost_s.sum())
    if lost_s <= 0:
        return None
    return _in_the_long_run(
        Estimate(float(expit(blinks.odds) @ blinks.lost_s) / lost_s), marks, _scatter(marks)
    )


def _in_the_long_run(share: Estimate, seen: Sequence[Mark], by_chance: float | None) -> Estimate | None:
    """A share that was realised, as uncertain for its law as the blinks of either kind scatter.

    If n are all of one kind, the next may be of the other with 1 / (n + 2).

    Args:
        share: as it was; None is returned if it is unknown.
        seen: the blinks of that time.
        by_chance: their `_scatter`.
    """
    value = share.value
    if value is None:
        return None
    scatter = 1 / (len(seen) + 2) if by_chance is None else value * (1 - value) * by_chance
    return Estimate(value, float(np.hypot(share.error or 0.0, scatter)))


def law_of(call: BlinkingCall, marks: Sequence[Mark]) -> FloatArray | None:
    """(3,) chance of each type of the law behind a verdict; None if it does not speak of these types."""
    seen = _seen(call, marks)
    by_chance = _scatter(seen)
    chances, share = _by_light(call, seen, by_chance), _in_the_long_run(call.auger_share, seen, by_chance)
    if chances is None or share is None or share.value is None or by_chance is None:
        return chances
    bc, auger = ndtr(np.array([BC_TO - share.value, share.value - AUGER_FROM]) / share.error)
    return np.array([bc, max(1 - bc - auger, 0.0), auger])


def _blinked(call: BlinkingCall, marks: Sequence[Mark]) -> FloatArray | None:
    """(3,) chance of each type that a dot was of while a verdict watched; None if it speaks of others."""
    seen = _seen(call, marks)
    return _by_light(call, seen, _scatter(seen))


def _by_light(call: BlinkingCall, seen: Sequence[Mark], by_chance: float | None) -> FloatArray | None:
    """See `_blinked`; of the blinks that were seen meanwhile, and how their ratio scatters."""
    known = sum(call.probabilities.get(kind, 0.0) for kind in TYPES)
    if call.blinking == "undetermined" or known < LEAST_KNOWN:
        return None
    chances = _of_types(call)
    if by_chance is None:
        # Both mechanisms without a blink of one may be a drift that looks like shallow trapping; one alone
        # may be what a mixed dot does for a while.
        long = call.stop_s - call.start_s >= SURE_MIXED_S
        doubted = np.where((np.arange(len(TYPES)) == MIXED) | (not long), chances, 0.0) / 2
        chances = chances - doubted + doubted.sum() * _counted(seen)
    return chances


def _of_types(call: BlinkingCall) -> FloatArray:
    """(3,) which way a verdict leans between `TYPES`."""
    leaning = leaning_of(call)
    chances = np.array([leaning.get(kind, 0.0) for kind in TYPES])
    return np.asarray(chances / chances.sum()) if chances.sum() > 0 else np.full(len(TYPES), 1 / len(TYPES))


def _seen(call: BlinkingCall, marks: Sequence[Mark]) -> list[Mark]:
    return [m for m in marks if call.start_s <= m.start_s < call.stop_s]


def _counted(marks: Sequence[Mark]) -> FloatArray:
    """(3,) chance of each type by counting blinks."""
    return np.array([*Regime.of(marks).types().values()])


def _scatter(marks: Sequence[Mark]) -> float | None:
    """Relative error of the ratio of light lost to Auger and to trap blinks, as they come by chance, in runs.

    None where not even one of either kind is seen.
    """
    blinks = Columns.of(marks)
    auger = expit(blinks.odds)
    if not 1 <= auger.sum() <= len(marks) - 1:
        return None
    parts = [kind * blinks.lost_s for kind in (auger, 1 - auger)]
    if min(part.sum() for part in parts) <= 0:
        return None
    inflation = float(np.exp(Regime.of(marks).families()) @ INFLATION)
    return float(np.sqrt(inflation * sum(np.square(part).sum() / part.sum() ** 2 for part in parts)))
