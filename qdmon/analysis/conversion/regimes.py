"""Blinks of one regime: what they say of the share that Auger recombination takes, and so of the type.

Blinks are counted, but types are defined by the light that was lost (auger above 0.9, bc below 0.15). If a
blink of either kind loses much more light than one of the other, a count share s stands for a share of the
loss S = s r / (s r + 1 - s), with r the ratio of their mean losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from qdmon.analysis.conversion.runs import LOG_FAMILY, log_likelihood
from qdmon.analysis.conversion.shares import LOG_PRIOR, LOG_WEIGHT, SHARES
from qdmon.analysis.dot.verdict import AUGER_FROM, BC_TO
from qdmon.analysis.results.blinking import Blinking

__all__ = ["TYPES", "Columns", "Mark", "Regime", "likely", "loss_shares"]

FloatArray = NDArray[np.float64]

TYPES: tuple[Blinking, Blinking, Blinking] = ("bc", "mixed", "auger")

# Mean losses of Auger and trap blinks that differ by more are taken to differ by as much.
MOST_RATIO = 10.0
# A type is named alone if its chance is as much.
NAMED = 0.95


@dataclass(frozen=True, slots=True)
class Mark:
    """A blink as the test sees it.

    Attributes:
        start_s: when it began.
        stop_s: when it ended, or how far it has been seen.
        odds: log-likelihood ratio of its photons, Auger against trap.
        lost_s: light lost in it, in seconds of the bright level.
    """

    start_s: float
    stop_s: float
    odds: float
    lost_s: float


class Columns(NamedTuple):
    """Some blinks as arrays.

    Attributes:
        start_s: (n,) see `Mark`.
        stop_s: (n,) likewise.
        odds: (n,) likewise.
        lost_s: (n,) likewise.
    """

    start_s: FloatArray
    stop_s: FloatArray
    odds: FloatArray
    lost_s: FloatArray

    @classmethod
    def of(cls, marks: Sequence[Mark]) -> "Columns":
        """The columns of these rows."""
        rows = np.array([(m.start_s, m.stop_s, m.odds, m.lost_s) for m in marks], np.float64)
        return cls(*np.ascontiguousarray(rows.reshape(-1, 4).T))


def likely(chances: Mapping[Blinking, float], first: Blinking | None = None) -> tuple[Blinking, ...]:
    """The types that together hold 95 % of the chance, the likeliest first: those to name.

    Args:
        chances: of each type; they add up to 1.
        first: to be named first, however likely.
    """
    found: list[Blinking] = []
    for kind in sorted(chances, key=lambda kind: (kind != first, -chances[kind])):
        found.append(kind)
        if sum(chances[kind] for kind in found) >= NAMED:
            break
    return tuple(found)


def _losses(blinks: Columns) -> FloatArray:
    """(2, 2) blinks and their losses, trap and Auger."""
    auger, lost = expit(blinks.odds), blinks.lost_s
    return np.array([[(1 - auger).sum(), (1 - auger) @ lost], [auger.sum(), auger @ lost]])


def loss_shares(losses: FloatArray) -> FloatArray:
    """(k,) share of the loss that each share of the blinks stands for.

    Args:
        losses: (2, 2) see `Regime`; one more blink of mean loss is added to either kind.
    """
    mean = max(float(losses[:, 1].sum() / max(losses[:, 0].sum(), 1e-9)), 1e-9)
    trap, auger = (losses[:, 1] + mean) / (losses[:, 0] + 1)
    ratio = float(np.clip(auger / max(float(trap), 1e-12), 1 / MOST_RATIO, MOST_RATIO))
    return np.asarray(SHARES * ratio / (SHARES * ratio + 1 - SHARES))


@dataclass(frozen=True, slots=True)
class Regime:
    """All that some blinks of one regime say of its share.

    Attributes:
        log_l: (f, k) log-likelihood of each family of runs and share.
        losses: (2, 2) number and summed loss of trap blinks and of Auger blinks.
    """

    log_l: FloatArray
    losses: FloatArray

    @classmethod
    def of(cls, marks: Sequence[Mark]) -> "Regime":
        """Of some blinks, in order of time."""
        blinks = Columns.of(marks)
        return cls(log_likelihood(blinks.odds)[-1], _losses(blinks))

    def log_evidence(self) -> float:
        """Log evidence of one share behind all these blinks."""
        return float(np.logaddexp.reduce(self.log_l + LOG_WEIGHT + LOG_FAMILY[:, None], axis=None))

    def families(self, prior: FloatArray = LOG_FAMILY) -> FloatArray:
        """(f,) log probability of each family of runs, with that beforehand."""
        found = prior + np.logaddexp.reduce(self.log_l + LOG_WEIGHT, axis=1)
        return np.asarray(found - np.logaddexp.reduce(found))

    def kinds(self) -> NDArray[np.intp]:
        """(k,) place in `TYPES` of the type that each share of the blinks stands for."""
        share = loss_shares(self.losses)
        return np.asarray(np.where(share > AUGER_FROM, 2, np.where(share < BC_TO, 0, 1)), np.intp)

    def by_type(self, families: FloatArray = LOG_FAMILY) -> FloatArray:
        """(3,) log evidence of each of `TYPES`, the share drawn from those of that type.

        Args:
            families: (f,) log probability of each family of runs beforehand.
        """
        kind = self.kinds()
        log_l = np.logaddexp.reduce(self.log_l + families[:, None], axis=0)
        found = np.full(len(TYPES), -np.inf)
        for i in range(len(TYPES)):
            weight = LOG_WEIGHT[kind == i]
            if len(weight):
                found[i] = np.logaddexp.reduce(log_l[kind == i] + weight) - np.logaddexp.reduce(weight)
        return found

    def types(self) -> dict[Blinking, float]:
        """Probability of each type."""
        log_p = self.by_type() + LOG_PRIOR
        p = np.exp(log_p - np.logaddexp.reduce(log_p))
        return dict(zip(TYPES, p.tolist(), strict=True))
