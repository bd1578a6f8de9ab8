"""One step of a dot's parameters towards the photons that a posterior gives to its states.

Fisher scoring on the complete data: given how much of each bin belongs to each state, the photons of every
state are one Poisson vector. The levels of trapped states are not exact, so each of them has a free level
of its own, which is eliminated (Schur complement) before the parameters move, and then follows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays, collected
from qdmon.analysis.dot.bounded import Expectation, expected_within
from qdmon.analysis.dot.missing import missing_information, without
from qdmon.analysis.dot.parameters import LOGARITHMIC, NOT_NEGATIVE, PARAMETERS, P, in_order
from qdmon.analysis.dot.states import DotModel

__all__ = ["Prior", "Step", "Taken", "dot_of", "improved", "parameters_of", "slopes"]

FloatArray = NDArray[np.float64]

# What each is moved by to see what changes, and its longest step: that of the background goes with its size.
_STEP, _LONGEST = in_order(
    {
        P.BRIGHT_CPS: (1e-3, 0.15),
        P.BRIGHT_NS: (1e-3, 0.15),
        P.TRION_NS: (1e-3, 0.3),
        P.GREY: (1e-3, 0.2),
        P.BETA: (1e-3, 0.3),
        P.BACKGROUND_CPS: (1.0, np.nan),
        P.DELAYED: (1e-4, 0.02),
        P.SPREAD: (1e-3, 0.05),
        P.AFTER_PULSES: (1e-4, 0.01),
        P.EARLY: (1e-4, 0.06),
    }
).T
# Levels lie a tenth apart: further away another one takes over.
_LEVEL_SD, _LONGEST_LEVEL = 0.06, 0.05
TRION_RANGE, GREY_RANGE, BETA_RANGE = (0.015, 0.6), (1.3, 3.5), (1.5, 2.7)
# What is expected by them goes with the light collected.
_WITH_LIGHT = np.array([place != P.BACKGROUND_CPS for place in P])
_MOSTLY_NOTHING = np.isin(list(P), (P.DELAYED, P.SPREAD, P.EARLY))
_MOST = MOST_DELAYED, MOST_SPREAD, MOST_AFTER_PULSES, MOST_EARLY = 0.15, 0.36, 0.05, 0.3


@dataclass(frozen=True)
class Prior:
    """Normal prior of the parameters, the first four by their logarithms.

    Attributes:
        mean: (p,) in the order of `parameters.PARAMETERS`.
        sd: (p,).
    """

    mean: FloatArray
    sd: FloatArray

    @property
    def of_nothing(self) -> FloatArray:
        """(p,) scale of those parameters that are mostly nothing at all; NaN for the others."""
        return np.where(_MOSTLY_NOTHING & (self.mean == 0), self.sd, np.nan)

    def log_density(self, dot: DotModel) -> float:
        """Logarithm of the prior at a dot, up to a constant."""
        return float(-0.5 * np.square((parameters_of(dot) - self.mean) / self.sd).sum())


def parameters_of(dot: DotModel) -> FloatArray:
    """(p,) in the order of `parameters.PARAMETERS`, the first four by their logarithms."""
    values = np.array([getattr(dot, name) for name in PARAMETERS], np.float64)
    values[LOGARITHMIC] = np.log(np.maximum(values[LOGARITHMIC], 1e-9))
    return values


def dot_of(vector: FloatArray, dot: DotModel) -> DotModel:
    """The dot at these parameters, kept within what physics allows; its levels are those of another.

    Args:
        vector: (p,) see `parameters_of`.
        dot: with these levels.
    """
    bright_cps, bright_ns, trion_ns, grey = np.exp(vector[LOGARITHMIC]).tolist()
    beta, background_cps, *rest = vector[P.BETA :].tolist()
    beta = _within(beta, BETA_RANGE)
    trion_ns = _within(trion_ns, (TRION_RANGE[0] * bright_ns, TRION_RANGE[1] * bright_ns))
    # A charged dot is dimmer than a neutral one.
    grey = min(_within(grey, GREY_RANGE), max(0.9 * bright_ns / (beta * trion_ns), 1.2))
    delayed, spread, after_pulses, early = (
        _within(value, (0.0, most)) for value, most in zip(rest, _MOST, strict=True)
    )
    return DotModel(
        bright_cps=bright_cps,
        bright_ns=bright_ns,
        trion_ns=trion_ns,
        grey=grey,
        beta=beta,
        background_cps=max(background_cps, 0.0),
        delayed=delayed,
        spread=spread,
        after_pulses=after_pulses,
        early=early,
        biexciton_yield=dot.biexciton_yield,
        quenched=dot.quenched,
        trions=dot.trions,
        constant=dot.constant,
    )


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _room(x: FloatArray, dot: DotModel) -> tuple[FloatArray, FloatArray]:
    """(p,) how far each parameter may move down and up: one step at most, and within what physics allows."""
    longest = _LONGEST.copy()
    longest[P.BACKGROUND_CPS] = max(200.0, 0.5 * dot.background_cps)
    lowest, highest = np.full(len(P), -np.inf), np.full(len(P), np.inf)
    lowest[P.TRION_NS], highest[P.TRION_NS] = np.log(TRION_RANGE) + x[P.BRIGHT_NS]
    lowest[P.GREY], highest[P.GREY] = np.log(GREY_RANGE)
    lowest[P.BETA], highest[P.BETA] = BETA_RANGE
    lowest[NOT_NEGATIVE], highest[P.DELAYED :] = 0.0, _MOST
    down, up = np.maximum(lowest - x, -longest), np.minimum(highest - x, longest)
    return np.minimum(down, 0.0), np.maximum(up, 0.0)


def _step_within(
    information: FloatArray, gradient: FloatArray, down: FloatArray, up: FloatArray
) -> FloatArray:
    """Step to the maximum of a quadratic form in a box: what would leave it stops there, the rest adapts."""
    step = np.zeros(len(gradient))
    free = np.ones(len(gradient), bool)
    while free.any():
        rest = gradient[free] - information[np.ix_(free, ~free)] @ step[~free]
        step[free] = np.linalg.solve(information[np.ix_(free, free)], rest)
        out = free & ((step < down) | (step > up))
        if not out.any():
            break
        step[out] = np.clip(step, down, up)[out]
        free &= ~out
    return step


def slopes(data: BinnedDecays, dot: DotModel) -> tuple[FloatArray, FloatArray]:
    """(k, m) photons expected in a bin, and (p, k, m) their change with each of the parameters."""
    x = parameters_of(dot)
    expected = data.expected_of([dot, *(dot_of(x + h, dot) for h in np.diag(_STEP))])
    return expected[0], (expected[1:] - expected[0]) / _STEP[:, None, None]


class Taken(NamedTuple):
    """Bins as a dot's states have them.

    Attributes:
        posterior: (n, a) probability of each allowed state in each bin, less in a bin that none explains.
        spent: (a,) its sum over the bins.
    """

    posterior: NDArray[np.float32]
    spent: FloatArray

    @classmethod
    def by(cls, posterior: NDArray[np.float32]) -> "Taken":
        """Bins of a posterior that has not been summed yet."""
        return cls(posterior, posterior.sum(axis=0, dtype=np.float64))


@dataclass(frozen=True)
class Step:
    """A step of a dot to the photons of its states: of s states that last, in m micro-bins behind the gate.

    Attributes:
        dot: where it led to.
        start: (p,) parameters it started from, see `parameters_of`.
        gradient: (p,) of the logarithm of likelihood and prior there, levels eliminated.
        information: (p, p) its curvature, likewise, if the states were known.
        room: (p,) how far each parameter might move down, and (p,) up.
        prior: of the parameters.
        data: the bins.
        posterior: (n, a) probability of each allowed state in each bin.
        lasting: (a,) bool, the s of them that last.
        expected: (s, m) photons expected in a bin.
        score: (p, s, m) change of the logarithm of those with each parameter, levels following.
    """

    dot: DotModel
    start: FloatArray
    gradient: FloatArray
    information: FloatArray
    room: tuple[FloatArray, FloatArray]
    prior: Prior
    data: BinnedDecays
    posterior: NDArray[np.float32]
    lasting: NDArray[np.bool_]
    expected: FloatArray
    score: FloatArray

    def summed_up(self) -> Expectation:
        """What to expect of the parameters after it; doubt about the states counts among the errors."""
        down, up = self.room
        # Where what cannot be negative would be, were it free to: the other limits stay.
        beyond = down.copy()
        beyond[NOT_NEGATIVE] = -np.inf
        mode = self.start + _step_within(self.information, self.gradient, beyond, up)
        posterior = self.posterior[:, self.lasting]
        missing = missing_information(posterior, self.data.fitted, self.expected, self.score)
        covariance = without(self.information, missing)
        return expected_within(parameters_of(self.dot), mode, covariance, NOT_NEGATIVE, self.prior.of_nothing)


def improved(
    data: BinnedDecays,
    dot: DotModel,
    taken: Taken,
    states: NDArray[np.bool_],
    prior: Prior,
) -> Step:
    """Move a dot to the photons of its states.

    Args:
        data: the bins.
        dot: where it was.
        taken: the bins by the allowed states of that dot.
        states: (k,) bool, the a allowed states.
        prior: of the parameters.
    """
    lasting = taken.spent > 0.3
    index = np.flatnonzero(states)[lasting]
    time = taken.spent[lasting, None]
    photons = np.asarray(taken.posterior.T @ data.fitted, np.float64)[lasting]
    x = parameters_of(dot)
    expected, slope = slopes(data, dot)
    expected, slope = expected[index, 1:] + 1e-9, slope[:, index, 1:]
    level = (dot.by_level(data.bins) * data.bin_s)[index, 1:]
    if data.gain is not None:
        gain = np.asarray(taken.posterior.T @ data.gain, np.float64)[lasting, None] / time
        expected = collected(expected, data.steady_part(dot)[1:], gain)
        slope = np.where(_WITH_LIGHT[:, None, None], gain * slope, slope)
        level = gain * level
    weight = time / expected
    excess = photons / expected - time
    flat = slope.reshape(len(slope), -1)
    gradient = flat @ excess.ravel()
    information = (flat * weight.ravel()) @ flat.T
    of_level = np.einsum("km,km,km->k", level, weight, level) + 1 / _LEVEL_SD**2
    across = np.einsum("akm,km,km->ak", slope, weight, level)
    pull = np.einsum("km,km->k", level, excess)
    gradient = gradient - across @ (pull / of_level) - (x - prior.mean) / np.square(prior.sd)
    information = information - (across / of_level) @ across.T + np.diag(1 / np.square(prior.sd))
    room = _room(x, dot)
    step = _step_within(information, gradient, *room)
    shift = np.zeros(len(states))
    shift[index] = np.clip((pull - across.T @ step) / of_level, -_LONGEST_LEVEL, _LONGEST_LEVEL)
    return Step(
        dot=dot_of(x + step, dot).with_levels(shift),
        start=x,
        gradient=gradient,
        information=information,
        room=room,
        prior=prior,
        data=data,
        posterior=taken.posterior,
        lasting=lasting,
        expected=expected,
        score=(slope - (across / of_level)[:, :, None] * level) / expected,
    )
