"""Which background to believe: what was given or measured in the dark, held against the end of the decays.

Given beats dark, dark beats the tail of a bleached dot, that beats the end of the decays, and that beats
nothing. But the decays are asked every time: with the laser on there is scattered and slow light that a dark
measurement misses, and a number typed in may be wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.background import estimate_floor
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["ASSUMED_ZERO", "DECAY_TAIL", "GIVEN", "STATES", "KnownBackground", "Settled", "settle_background"]

FloatArray = NDArray[np.float64]

GIVEN, DECAY_TAIL, ASSUMED_ZERO, STATES = "given", "decay tail", "assumed zero", "states of the dot"
# A background that only the states of the dot tell apart from its slow light is believed if it is known to so
# much of the bright level.
KNOWN_TO = 0.02
# Standard errors, and share of the larger of the two, by which two backgrounds must differ to contradict.
LEAST_SIGMA, LEAST_SHARE = 4.0, 0.2
# How far a known background is to be trusted: of a number that somebody gave, and of one measured in the
# dark, which misses what the laser adds.
SURE, DARK_SURE, SURE_CPS = 0.03, 0.1, 5.0


@dataclass(frozen=True)
class KnownBackground:
    """A background that was not read off the decays.

    Attributes:
        cps: channel -> counts/s.
        origin: how it was found; `GIVEN` if somebody said so.
    """

    cps: Mapping[int, Estimate]
    origin: str

    def total(self, channels: Iterable[int]) -> Estimate:
        """Of some detectors together; a detector that nobody spoke of has none."""
        found = [self.cps[c] for c in channels if c in self.cps]
        error = float(np.sqrt(sum((e.error or 0.0) ** 2 for e in found)))
        return Estimate(sum(e.value or 0.0 for e in found), error)


@dataclass(frozen=True, slots=True)
class Settled:
    """The background that the analysis of a stretch uses, all detectors together.

    Attributes:
        background: counts/s with standard error.
        origin: where it is from.
        delayed: share of the dot's light that comes at any time after the pulse; None if the photons
            cannot tell.
        tail: what the end of the decays says, whether used or not.
        known_to_cps: how well it was known beforehand; None if it was read off the decays.
        note: what a person should know; None if nothing.
        doubt: why no type should be called with it; None if one may.
    """

    background: Estimate
    origin: str
    delayed: float | None
    tail: Estimate
    known_to_cps: float | None = None
    note: str | None = None
    doubt: str | None = None

    def by_states(self, found: Estimate, bright_cps: float) -> "Settled":
        """What the states of the dot make of it where the end of the decays could not tell.

        Args:
            found: background with which the states explain the photons best.
            bright_cps: of the dot.
        """
        told = found.error is not None and found.error < KNOWN_TO * bright_cps
        if self.origin != ASSUMED_ZERO or not told:
            return self
        return replace(self, background=found, origin=STATES, doubt=None)


def settle_background(
    decays: FloatArray, seconds: FloatArray, bins: MicroBins, known: tuple[Estimate, str] | None
) -> Settled:
    """Decide on the background of a stretch.

    Args:
        decays: (g, m) summed decays of groups of time bins that differ in brightness.
        seconds: (g,) time behind each.
        bins: the micro-bins.
        known: what is known beforehand, all detectors together, and its origin; None: nothing.
    """
    free = estimate_floor(decays, seconds, bins)
    tail = Estimate(free.background_cps, free.error_cps) if free is not None else UNKNOWN
    if known is None:
        if free is None:
            doubt = (
                "the background is not known: the photons cannot tell it; give it or measure it in the dark"
            )
            return Settled(Estimate(0.0), ASSUMED_ZERO, None, tail, doubt=doubt)
        return Settled(tail, DECAY_TAIL, free.delayed, tail)
    background, origin = known
    excess = _contradiction(tail, background)
    if free is not None and excess > 0 and origin != GIVEN:
        note = (
            f"background with the laser on ({_text(tail)} cps by the decay tail) exceeds the {origin} "
            f"({_text(background)} cps): the decay tail is used"
        )
        return Settled(tail, DECAY_TAIL, free.delayed, tail, note=note)
    floor = estimate_floor(decays, seconds, bins, background.value)
    delayed = floor.delayed if floor is not None else None
    sure = (SURE if origin == GIVEN else DARK_SURE) * (background.value or 0.0) + SURE_CPS
    known_to = float(np.hypot(background.error or 0.0, sure))
    if not excess:
        return Settled(background, origin, delayed, tail, known_to)
    named = "given background" if origin == GIVEN else f"background of the {origin}"
    doubt = f"the {named} of {_text(background)} cps does not fit the decay tail ({_text(tail)} cps)"
    return Settled(background, origin, delayed, tail, known_to, doubt, doubt)


def _contradiction(tail: Estimate, known: Estimate) -> int:
    """+1 if the tail is clearly above what is known, -1 if clearly below, 0 if they agree."""
    if tail.value is None or known.value is None:
        return 0
    difference = tail.value - known.value
    error = np.hypot(tail.error or 0.0, known.error or 0.0)
    if abs(difference) < max(LEAST_SIGMA * error, LEAST_SHARE * max(tail.value, known.value)):
        return 0
    return int(np.sign(difference))


def _text(estimate: Estimate) -> str:
    value = f"{estimate.value or 0.0:.0f}"
    return f"{value} ± {max(estimate.error, 1):.0f}" if estimate.error else value
