"""One family of states on the time bins: its chain by EM, its dot's parameters by their own photons."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bounded import Expectation
from qdmon.analysis.dot.chain import Chain, Smoothed, learn
from qdmon.analysis.dot.likelihood import bin_likelihoods
from qdmon.analysis.dot.maximise import Prior, Step, Taken, improved, parameters_of
from qdmon.analysis.dot.parameters import P
from qdmon.analysis.dot.states import FAMILIES, KIND, SINGLE, DotModel, Family, Losses
from qdmon.analysis.results.estimate import Estimate

__all__ = ["FamilyFit", "fit_family"]

FloatArray = NDArray[np.float64]

# Of the bright level, where the dot leaves it in every bin (dots of many traps).
BLUR = 0.2
# Traps that take less are shallow.
SHALLOW = 0.2
# So much loss in the bins beside tells what a bin in which the dot switched lost its light to.
LOST_BESIDE = 0.2
TYPICAL_DWELL_S = 0.04


@dataclass(frozen=True)
class FamilyFit:
    """One family of states on some bins.

    Attributes:
        family: which states were allowed.
        dot: the likeliest dot behind them.
        expected: of `parameters.PARAMETERS`, the first four by their logarithms.
        smoothed: posterior of the family's states in every bin, and the chain.
        log_likelihood: of all bins, up to a constant of the data; the prior of the dot included.
        charged: (s,) chance that a state the dot can stay in is a charged one; None: as it is named.
    """

    family: Family
    dot: DotModel
    expected: Expectation
    smoothed: Smoothed
    log_likelihood: float
    charged: FloatArray | None = None

    @cached_property
    def lost(self) -> Losses:
        """What each state loses to what."""
        return self.dot.losses if self.charged is None else self.dot.losses_of(self.charged)

    @property
    def states(self) -> NDArray[np.bool_]:
        """(k,) the states of the family."""
        return FAMILIES[self.family]

    def losses(self) -> Losses:
        """Expected losses of every bin, (n,) each.

        What is lost in a bin in which the dot switched is lost to what the bins beside it lose theirs to: one
        such bin alone can hardly be told from another.
        """
        single, losses = SINGLE[self.states], self.lost
        lost = np.array([losses.auger, losses.trap, losses.constant], np.float32)[:, self.states]
        either = np.concatenate([np.where(single, lost, 0), np.where(single, 0, lost)])
        staying, switching = np.split(
            np.ascontiguousarray((self.smoothed.posterior @ either.T).T, np.float64), 2
        )
        beside = np.zeros_like(staying)
        beside[:, 1:] += staying[:, :-1]
        beside[:, :-1] += staying[:, 1:]
        known = beside.sum(axis=0)
        trust = np.minimum(known / LOST_BESIDE, 1.0)
        like_beside = switching.sum(axis=0) * beside / np.maximum(known, 1e-12)
        return Losses(*(staying + trust * like_beside + (1 - trust) * switching))

    @property
    def covariance(self) -> FloatArray:
        """(p, p) of the parameters."""
        return self.expected.covariance

    def error_of(self, parameter: P) -> float:
        """Standard error of a parameter; of its logarithm, where it moves by that."""
        return float(np.sqrt(self.covariance[parameter, parameter]))

    @property
    def blur(self) -> float:
        """Relative error of the bright level by bins in which the dot left it, that pass for bright."""
        return BLUR * float(self.smoothed.chain.leaving[0]) ** 2

    @property
    def shallow(self) -> float:
        """Mean loss in traps that take little: a bright level that wanders, or drifts, passes for them."""
        trap = self.dot.losses.trap
        return float(self.spent @ np.where(trap < SHALLOW, trap, 0.0)) / len(self.smoothed.posterior)

    @property
    def background(self) -> Estimate:
        """Uniform background of the signal detectors together (cps)."""
        mean = float(self.expected.mean[P.BACKGROUND_CPS])
        return Estimate(max(mean, 0.0), self.error_of(P.BACKGROUND_CPS))

    @cached_property
    def spent(self) -> FloatArray:
        """(k,) bins in each state."""
        spent = np.zeros(len(KIND))
        spent[self.states] = self.smoothed.spent
        return spent

    def posterior_of(self, members: NDArray[np.bool_]) -> FloatArray:
        """(n,) probability that a bin is in one of some states, (k,) bool."""
        return np.asarray(self.smoothed.posterior[:, members[self.states]].sum(axis=1), np.float64)

    def whole_chain(self) -> Chain:
        """The chain over all states, with nothing in those outside the family."""
        weights, leaving = np.zeros(len(KIND)), np.full(len(KIND), 0.5)
        weights[self.states] = self.smoothed.chain.weights
        leaving[self.states] = self.smoothed.chain.leaving
        return Chain(weights, leaving)


def _first_leaving(bin_s: float) -> FloatArray:
    return np.where(SINGLE, min(bin_s / TYPICAL_DWELL_S, 0.4), 0.9)


def fit_family(
    data: BinnedDecays,
    family: Family,
    dot: DotModel,
    prior: Prior,
    plan: tuple[int, ...],
    chain: Chain | None = None,
    *,
    searching: bool = False,
) -> FamilyFit:
    """Steps of EM for the chain as planned, the dot improved between each.

    Args:
        data: the bins.
        family: states allowed.
        dot: first guess.
        prior: of its parameters.
        plan: steps of the chain before, between and after the improvements of the dot.
        chain: over all states, to begin with; None for equal weights and usual dwells.
        searching: another fit goes on from this one: what to expect of the dot is left at what was known.
    """
    states = FAMILIES[family]
    first = _first_leaving(data.bin_s)
    # As if a few dwells had been seen before; bins in which the dot switched do not last.
    strength = np.where(SINGLE, 2.0, 20.0)
    leaving_prior = (first * strength)[states], ((1 - first) * strength)[states]
    chain = (chain or Chain(np.ones(len(KIND)), first)).restricted(states)

    def learned(dot: DotModel, chain: Chain, steps: int) -> tuple[Smoothed, Taken]:
        likelihood = bin_likelihoods(data, dot, states)
        smoothed = learn(likelihood.scaled, likelihood.log_scale, chain, leaving_prior, steps)
        if float(likelihood.trust.min(initial=1.0)) == 1:
            return smoothed, Taken(smoothed.posterior, smoothed.spent)
        return smoothed, Taken.by(smoothed.posterior * likelihood.trust[:, None])

    # Of a dot that does not move nothing more is expected than was known.
    expected = Expectation(parameters_of(dot), np.diag(np.square(prior.sd)))
    smoothed, taken = learned(dot, chain, plan[0])
    step: Step | None = None
    for steps in plan[1:]:
        step = improved(data, dot, taken, states, prior)
        dot = step.dot
        smoothed, taken = learned(dot, smoothed.chain, steps)
    if step is not None and not searching:
        expected = step.summed_up()
    return FamilyFit(family, dot, expected, smoothed, smoothed.log_likelihood + prior.log_density(dot))
