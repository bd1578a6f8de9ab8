"""Have the verdicts on both sides of a step of the fluence seen a dot of two types?

Blinks decide sooner (`sequential`), but what they cannot settle, the light lost in many seconds can. Where it
changed blinks may know all the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

from qdmon.analysis.conversion.both_sides import BothSides
from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime, likely
from qdmon.analysis.conversion.sequential import LEAST_CERTAINTY, Change, place_change
from qdmon.analysis.conversion.type_change import SURE, law_of
from qdmon.analysis.results.blinking import Blinking

__all__ = ["STEP_S", "share_moved", "step_change"]

# A share of the loss that moved by so much, and so many errors of what blinks come by chance, is a change
# itself, and needs another type only by three to one.
CLEAR_MOVE, CLEAR_SIGMA, LIKELIER = 0.2, 2.5, 0.75
# One that moved further shows in less light, and the likelier types will do. In still less a burst passes for
# a law: after 0.9 s four conversions were told in 40 independent sweeps that were none.
FAR_MOVE, FAR_SIGMA, FAR_S, EVEN = 0.3, 3.5, 2.0, 0.5
# Otherwise verdicts are on so much light, and as sure of their laws.
LEAST_STEP_S, SURE_LAW = 10.0, 0.6
# Chance of other laws behind a far move of a mixed dot, where both verdicts are sure of what it did, and
# where they leave the type open between two.
FAR_LAW, SURELY_DIFFER = 0.9, 0.98
# What is so near to a step is at it, and a change at it is known to as much.
STEP_S = 0.05
# Half of the central 68 % of a span in which a change may be anywhere, over its length.
HALF_CENTRAL = 0.34


def step_change(sides: BothSides) -> Change | None:
    """The change of type that verdicts on both sides of a step show; None if none.

    Both have to be sure of what the dot did, and of its law; less so where a moved share is a change itself.
    """
    if sides.same_type or not any(way.shows(sides) for way in _WAYS):
        return None
    place = _placed(sides)
    return Change(
        log_evidence=0.0,
        certainty=sides.laws_differ,
        probability=sides.laws_differ,
        index=sum(m.start_s < place.time_s for m in sides.marks),
        time_s=place.time_s,
        error_s=place.error_s,
        seen_s=place.seen_s,
        before=sides.before.blinking,
        after=place.after,
    )


def share_moved(sides: BothSides) -> bool:
    """Whether the share of the law moved far at a step at which the type stayed."""
    return sides.same_type and sides.seen_s >= LEAST_STEP_S and _moved_by(sides, FAR_MOVE, FAR_SIGMA)


class _Way(NamedTuple):
    """A way in which verdicts on both sides of a step may show that the type changed.

    Attributes:
        seen_s: each is on so much light.
        differ: chance that their laws are of different types.
        sure: how sure each is of what the dot did.
        sure_of_laws: and that this is its law.
        moved: the share of the law moved by more, and by more errors.
        by_share: that it moved is what tells, which it does not of a mixed dot.
        by_blinks: they show it as well.
    """

    seen_s: float
    differ: float
    sure: float = 0.0
    sure_of_laws: float = 0.0
    moved: tuple[float, float] | None = None
    by_share: bool = False
    by_blinks: bool = False

    def shows(self, sides: BothSides) -> bool:
        """Whether it does."""
        return (
            sides.seen_s >= self.seen_s
            and sides.laws_differ >= self.differ
            and sides.sure >= self.sure
            and sides.sure_of_laws >= self.sure_of_laws
            and (self.moved is None or _moved_by(sides, *self.moved))
            and (sides.share_tells or not self.by_share)
            and (not self.by_blinks or sides.place is not None)
        )


_WAYS = (
    _Way(FAR_S, EVEN, EVEN, moved=(FAR_MOVE, FAR_SIGMA), by_share=True),
    _Way(FAR_S, LIKELIER, LIKELIER, moved=(CLEAR_MOVE, 0.0), by_share=True, by_blinks=True),
    _Way(LEAST_STEP_S, LIKELIER, SURE, SURE_LAW, moved=(CLEAR_MOVE, CLEAR_SIGMA), by_share=True),
    _Way(LEAST_STEP_S, FAR_LAW, SURE, SURE_LAW, moved=(FAR_MOVE, FAR_SIGMA)),
    _Way(LEAST_STEP_S, SURELY_DIFFER, moved=(FAR_MOVE, FAR_SIGMA)),
    _Way(LEAST_STEP_S, LEAST_CERTAINTY, SURE, SURE_LAW),
)


def _moved_by(sides: BothSides, least: float, least_sigmas: float) -> bool:
    rise, sigmas = sides.moved
    return abs(rise) > least and abs(sigmas) > least_sigmas


class _Place(NamedTuple):
    """Where the law changed.

    Attributes:
        time_s: when.
        error_s: of that.
        seen_s: from when on there is light of the new law alone.
        after: what it led to.
    """

    time_s: float
    error_s: float
    seen_s: float
    after: Blinking


def _placed(sides: BothSides) -> _Place:
    """Where blinks show a change behind the step; where verdicts do, if they do not; else at the step."""
    return (
        _behind_step(sides, sides.marks, sides.place)
        or _behind_step(sides, sides.with_own, place_change(sides.with_own, sides.budget))
        or _between_verdicts(sides)
        or _among(sides.marks, sides.step_s, STEP_S, sides)
    )


def _behind_step(sides: BothSides, seen: Sequence[Mark], placed: tuple[float, float] | None) -> _Place | None:
    """A time with its error among some blinks, if that is behind the step; else None."""
    if placed is None or placed[0] - placed[1] <= sides.step_s + STEP_S:
        return None
    return _among(seen, *placed, sides)


def _among(seen: Sequence[Mark], time_s: float, error_s: float, sides: BothSides) -> _Place:
    """A place among some blinks, which tell the type behind it if it is not at the step."""
    behind = [m for m in seen if m.start_s >= time_s]
    since = likely(Regime.of(behind).types())
    told = time_s > sides.step_s and len(since) == 1 and since[0] != sides.before.blinking
    first_s = behind[0].start_s if behind else time_s
    return _Place(time_s, error_s, first_s, since[0] if told else sides.behind.blinking)


def _between_verdicts(sides: BothSides) -> _Place | None:
    """Between the last verdict behind the step that is sure of the old law and the next; None if none is.

    Charges come and go with the light at once; traps come by damage, some time behind the step.
    """
    rise, _ = sides.moved
    old = TYPES.index(sides.before.blinking)
    unchanged = [
        i
        for i, call in enumerate(sides.since)
        if (law := law_of(call, sides.marks)) is not None and law[old] >= SURE
    ]
    back = sides.behind.blinking == sides.expected
    if rise >= 0 or back or not unchanged or unchanged[-1] + 1 >= len(sides.since):
        return None
    begin_s, end_s = (sides.since[i].stop_s for i in (unchanged[-1], unchanged[-1] + 1))
    error_s = HALF_CENTRAL * (end_s - begin_s)
    return _Place((begin_s + end_s) / 2, error_s, end_s, sides.behind.blinking)
