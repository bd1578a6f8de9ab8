"""The emitting states a time bin can be in, and the loss each one stands for.

Neutral states lie on the straight line of Eq. 2: a trap rate quenches intensity and lifetime by the same
factor q. Charged states lie on a steeper line through the origin, by the radiative-rate ratio beta:
I = beta I1 tau/tau1. Constant-lifetime states ("hc") keep tau1. A bin in which the dot switched is a
mixture in time of two states: bright and charged is Eq. 1.

Levels are no fixed grid: those that are seen move to their own photons, see `moved`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.biexciton import USUAL_YIELD
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.dot.light import NUMBERS, charged, signals

__all__ = [
    "CHARGED",
    "FAMILIES",
    "KIND",
    "SINGLE",
    "DotModel",
    "Family",
    "Losses",
    "signals_of",
    "time_in",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Family = Literal["auger", "bc", "both", "hc", "all"]

# About an eighth less light each, which a few bins of 60 photons tell apart.
_QUENCHED = np.concatenate(
    [[0.93, 0.86, 0.78, 0.7, 0.62, 0.545, 0.475, 0.41, 0.35, 0.3], 0.25 * 0.8 ** np.arange(9)]
)
_QUENCHED[-1] = 0.02
# The trion, a second one with its own lifetime, then charged dots with a trap open, or other trions.
_TRIONS = np.array([1.0, 1.0, 0.45, 0.65, 0.82, 1.25, 1.6, 2.0, 2.6])
# Share of a bin spent in another state than the bright one. That of the trion is all a charged dot has to
# go by in such bins; trapped ones have the levels between.
_SHARES = (0.1, 0.25, 0.42, 0.58, 0.75, 0.9)
_CHARGED_SHARES = (0.04, 0.11, 0.2, 0.31, 0.43, 0.55, 0.67, 0.79, 0.91)
# Both ladders end in the dark, where there is no lifetime to tell them apart.
_Q, _C, _H = 2 + len(_QUENCHED), len(_TRIONS), 1 + len(_QUENCHED)


def _structure() -> tuple[NDArray[np.intp], FloatArray, NDArray[np.str_]]:
    """(x,) the other state of each mixture and (x,) the share of it; (k,) what kind of state each is."""
    partner: list[int] = []
    away: list[float] = []
    kinds = ["neutral"] * _Q + ["charged"] * _C + ["constant"] * _H
    partners = {
        "neutral mixture": range(5, _Q, 3),
        "charged mixture": range(_Q, _Q + 2),
        "constant mixture": (*range(_Q + _C + 4, _Q + _C + _H, 4), _Q + _C + _H - 1),
    }
    for kind, others in partners.items():
        for share in _CHARGED_SHARES if kind == "charged mixture" else _SHARES:
            partner += others
            away += [share] * len(others)
            kinds += [kind] * len(others)
    return np.array(partner), np.array(away), np.array(kinds)


_PARTNER, _AWAY, KIND = _structure()
SINGLE = np.arange(len(KIND)) < _Q + _C + _H
"""(k,) bool, states the dot can stay in; the others are bins in which it switched."""
_PURE = np.eye(_Q + _C + _H)
# (k, s) make-up of every state from those the dot can stay in.
_MIX = np.concatenate([_PURE, (1 - _AWAY)[:, None] * _PURE[0] + _AWAY[:, None] * _PURE[_PARTNER]])


def time_in(spent: FloatArray) -> FloatArray:
    """(s,) time in each state a dot can stay in, of (k,) in all: bins in which it switched are shared out."""
    return np.asarray(spent @ _MIX)


_BRIGHT = np.arange(len(KIND)) == 0
_NEUTRAL = np.char.startswith(KIND, "neutral")
CHARGED = np.char.startswith(KIND, "charged")
_CONSTANT = np.char.startswith(KIND, "constant")
FAMILIES: dict[Family, BoolArray] = {
    "auger": _BRIGHT | CHARGED,
    "bc": _NEUTRAL,
    "both": _NEUTRAL | CHARGED,
    "hc": _BRIGHT | _CONSTANT,
    "all": np.ones(len(KIND), bool),
}
"""Which states a dot of each family can be in."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Share of the bright rate that each of k states loses, by its cause."""

    auger: FloatArray
    trap: FloatArray
    constant: FloatArray

    @property
    def total(self) -> FloatArray:
        """(k,) whatever the cause."""
        return self.auger + self.trap + self.constant


@dataclass(frozen=True, slots=True)
class DotModel:
    """One dot on one set-up: what fixes the expected photons of all its states.

    Attributes:
        bright_cps: net photon rate of the neutral bright state, prompt light left out.
        bright_ns: its lifetime tau1.
        trion_ns: lifetime tau2 of the main charged state.
        grey: lifetime of the second charged state over that of the main one.
        beta: radiative-rate ratio of charged to neutral.
        background_cps: uniform background of the detectors that carry signal, together.
        delayed: share of the dot's light that comes at any time after the pulse.
        spread: variance of the logarithm of the lifetime within every state; 0 is one exponential.
        after_pulses: clicks that follow a click of the dot's light, per click, not counted in its rate.
        early: light of biexcitons over that of the bright state, not counted in its rate.
        biexciton_yield: their yield over that of the exciton; known from g2(0), not fitted.
        quenched: (q,) what a trap leaves of intensity and lifetime, descending.
        trions: (c,) lifetimes of the other charged states over the main one; the first two are unused.
        constant: (q,) levels at constant lifetime, descending.
    """

    bright_cps: float
    bright_ns: float
    trion_ns: float
    grey: float
    beta: float
    background_cps: float
    delayed: float
    spread: float = 0.0
    after_pulses: float = 0.0
    early: float = 0.0
    biexciton_yield: float = USUAL_YIELD
    quenched: FloatArray = field(default_factory=lambda: np.append(_QUENCHED, 0.0))
    trions: FloatArray = field(default_factory=lambda: _TRIONS)
    constant: FloatArray = field(default_factory=lambda: _QUENCHED)

    def with_levels(self, shift: FloatArray) -> "DotModel":
        """Move the levels of the states the dot can stay in.

        Args:
            shift: (k,) change of the logarithm of each level; those of fitted states are ignored.
        """
        trions = self.trions * np.exp(np.concatenate([[0, 0], shift[_Q + 2 : _Q + _C]]))
        return replace(
            self,
            quenched=_kept_apart(self.quenched * np.exp(shift[1:_Q])),
            trions=trions,
            constant=_kept_apart(self.constant * np.exp(shift[_Q + _C : _Q + _C + _H - 1])),
        )

    def _charged(self) -> tuple[FloatArray, FloatArray]:
        """Lifetimes (ns) of the charged states and their intensity over the bright one."""
        return charged(self.trions, self.trion_ns, self.grey, self.beta, self.bright_ns)

    @property
    def trion_loss(self) -> float:
        """Share of the bright rate that the main charged state loses."""
        return 1 - float(self._charged()[1][0])

    @property
    def lifetimes_ns(self) -> FloatArray:
        """(k,) of each state the dot can stay in; NaN for mixtures."""
        lifetimes = np.full(len(KIND), np.nan)
        lifetimes[:_Q] = self.bright_ns * np.append(1.0, self.quenched)
        lifetimes[_Q : _Q + _C] = self._charged()[0]
        lifetimes[_Q + _C : _Q + _C + _H] = self.bright_ns
        return lifetimes

    def signal(self, bins: MicroBins) -> FloatArray:
        """(k, m) expected photons per second of every state and micro-bin, background left out."""
        return np.asarray(signals_of([self], bins)[0])

    def by_level(self, bins: MicroBins) -> FloatArray:
        """(k, m) derivative of `signal` by the one thing that is not exact about each state.

        That is the logarithm of its level, or of the share of the bin a mixture spends away from bright;
        zero for the bright state and the two fitted trions.
        """
        # Downwards: the highest level may be as high as it can be.
        step = -1e-3
        signal, moved = signals_of([self, self.with_levels(np.full(len(KIND), step))], bins)
        by_level = (moved - signal) / step
        return np.asarray(np.where(SINGLE[:, None], by_level, signal - signal[:1]))

    @property
    def losses(self) -> Losses:
        """What each state loses, if it is what it is named."""
        return self.losses_of(CHARGED[SINGLE].astype(np.float64))

    def losses_of(self, charged: FloatArray) -> Losses:
        """What each state loses to what.

        Args:
            charged: (s,) chance that it is a charged one, of each state the dot can stay in.
        """
        level = np.append(self.constant, 0.0)
        lost = np.concatenate([[0.0], 1 - self.quenched, 1 - self._charged()[1], 1 - level])
        named = (1 - charged) * lost
        constant = _CONSTANT[SINGLE]
        return Losses(
            _MIX @ (charged * lost),
            _MIX @ np.where(constant, 0.0, named),
            _MIX @ np.where(constant, named, 0.0),
        )


_numbers_of, _levels_of = attrgetter(*NUMBERS), attrgetter("quenched", "trions", "constant")


def signals_of(dots: Sequence[DotModel], bins: MicroBins) -> FloatArray:
    """(d, k, m) `DotModel.signal` of several dots; cheap where they share most lifetimes with the first."""
    edges_ns, light = bins.detectors
    quenched, trions, constant = (np.array(levels) for levels in zip(*map(_levels_of, dots), strict=True))
    return signals(
        np.array([_numbers_of(dot) for dot in dots]),
        (quenched, trions, constant),
        (_PARTNER, _AWAY),
        (edges_ns, light),
        bins.after_pulses.of(len(light)),
        bins.period_ns,
        bins.uniform_share,
    )


def _kept_apart(levels: FloatArray) -> FloatArray:
    """Levels in descending order, all below the bright one."""
    return np.minimum(np.minimum.accumulate(levels), 0.97)
