"""What a dot really did in a span: loss, its shares, and the type they define."""

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.independent.path import NEUTRAL, Path

__all__ = ["Realised", "realised"]

BRIGHT_QUANTILE = 0.98  # of the time is spent at or below "the bright level"
LOSS_MARGIN, SHARE_MARGIN = 0.012, 0.05


@dataclass(frozen=True)
class Realised:
    """What happened between two times.

    Attributes:
        blinking: type by the realised shares.
        accepted: types that are as good an answer: other readings of the definition, or close to a border.
        loss: of the bright level's photons.
        share: of the loss by Auger recombination; other reading: of the loss while charged.
        share_charged: the latter.
        caught: share of the loss at constant lifetime.
        charged_dwells: that began.
    """

    blinking: str
    accepted: frozenset[str]
    loss: float
    share: float
    share_charged: float
    caught: float
    charged_dwells: int


def type_of(loss: float, share: float, caught: float) -> str:
    """The definitions of the report."""
    if loss < 0.03:
        return "none"
    if caught > 0.5:
        return "hc"
    return "auger" if share > 0.9 else "bc" if share < 0.15 else "mixed"


def realised(path: Path, start_s: float, stop_s: float) -> Realised | None:
    """The truth of a span; None if the dot was dark for good throughout."""
    low, high = np.clip(path.edges[:-1], start_s, stop_s), np.clip(path.edges[1:], start_s, stop_s)
    time = high - low
    dead = (path.yields == 0) & (path.auger + path.trapped + path.caught < 1e-9)
    time = np.where(dead, 0.0, time)
    neutral = time * (path.charge == NEUTRAL)
    if time.sum() <= 0:
        return None
    base = neutral if neutral.sum() > 0.02 * time.sum() else time
    order = np.argsort(path.yields)
    below = np.cumsum(base[order]) / base.sum()
    bright = float(path.yields[order][np.searchsorted(below, BRIGHT_QUANTILE)])
    lost = np.maximum(bright - path.yields, 0.0) * time
    parts = path.auger + path.trapped + path.caught
    part = np.where(parts > 0, parts, 1.0)
    of = [lost * p / part for p in (path.auger, path.caught)]
    total = lost.sum()
    loss = float(total / (bright * time.sum()))
    share, caught, charged = (
        (float(x.sum() / total) if total > 0 else 0.0) for x in (*of, lost * (path.charge != NEUTRAL))
    )
    near = {
        type_of(loss + a, share + b, caught)
        for a in (-LOSS_MARGIN, 0, LOSS_MARGIN)
        for b in (-SHARE_MARGIN, 0, SHARE_MARGIN)
    }
    began = (path.charge[1:] != NEUTRAL) & (path.charge[:-1] == NEUTRAL) & (time[1:] > 0)
    return Realised(
        type_of(loss, share, caught),
        frozenset(near | {type_of(loss, charged, caught)}),
        loss,
        share,
        charged,
        caught,
        int(began.sum()),
    )
