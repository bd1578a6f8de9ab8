"""The states a dot goes through: step functions of time, from dwell laws and trap models."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tests.benchmarks.independent.dot import Case, Dwell, Emitter, Epoch, Traps

__all__ = ["Path", "lay_out", "mean_trapping_loss"]

Floats = NDArray[np.float64]
NEUTRAL, CHARGED, GREY = 0, 1, 2


@dataclass(frozen=True)
class Path:
    """States between edges.

    Attributes:
        edges: (n + 1,) s.
        excitation: (n,) <N>.
        yields: (n,) light relative to the bright level at the same <N>.
        lifetime_ns: (n,).
        charge: (n,) 0 neutral, 1 charged, 2 grey.
        auger, trapped, caught: (n,) loss by Auger recombination, trapping and hot-carrier capture; with
            `yields` they sum to one as long as no charged state outshines the bright one.
    """

    edges: Floats
    excitation: Floats
    yields: Floats
    lifetime_ns: Floats
    charge: NDArray[np.int8]
    auger: Floats
    trapped: Floats
    caught: Floats


def draw_dwells(law: Dwell, count: int, rng: Generator) -> Floats:
    """Dwell times in s by inversion of the cut power law, or exponential."""
    if law.exponent is None:
        return rng.exponential(law.shortest_s, count)
    u, a, b = rng.random(count), law.shortest_s, law.longest_s
    if abs(law.exponent - 1) < 1e-6:
        return a * (b / a) ** u
    m = 1 - law.exponent
    powers: Floats = a**m + u * (b**m - a**m)
    return np.power(powers, 1 / m)


def mean_dwell(law: Dwell) -> float:
    """Mean of the law in s."""
    if law.exponent is None:
        return law.shortest_s
    draws = draw_dwells(law, 20_000, np.random.default_rng(1))
    return float(draws.mean())


def telegraph(first: Dwell, second: Dwell, seconds: float, start: int, rng: Generator) -> tuple[Floats, int]:
    """Switching times of a two-level process in [0, seconds), and the level (0, 1) it begins in."""
    laws = (first, second) if start == 0 else (second, first)
    mean = mean_dwell(first) + mean_dwell(second)
    times: list[Floats] = []
    reached = 0.0
    while reached < seconds:
        pairs = int(1.2 * (seconds - reached) / mean) + 8
        dwells = np.empty(2 * pairs)
        dwells[0::2], dwells[1::2] = draw_dwells(laws[0], pairs, rng), draw_dwells(laws[1], pairs, rng)
        if not times:
            dwells[0] *= rng.random()  # the process was under way
        times.append(reached + np.cumsum(dwells))
        reached = float(times[-1][-1])
    found = np.concatenate(times)
    return found[found < seconds], start


def trapping(traps: Traps, seconds: float, rng: Generator) -> tuple[Floats, Floats]:
    """Step function of the rate of trapping: (times, values), the first time 0."""
    fixed = np.random.default_rng(traps.seed)
    if traps.model == "diffusing":
        return _diffusing(traps, seconds, rng)
    if traps.model == "levels":
        mean = mean_dwell(traps.dwell)
        dwells = draw_dwells(traps.dwell, int(2 * seconds / mean) + 50, rng)
        q = np.concatenate([[1.0], fixed.uniform(1 / (1 + traps.strength), 0.9, traps.number - 1)])
        edges = np.concatenate([[0.0], np.cumsum(dwells)])
        jump = rng.integers(1, traps.number, len(edges)) if traps.number > 2 else np.ones(len(edges), int)
        level = np.cumsum(jump) % traps.number
        inside = edges < seconds
        return edges[inside], traps.weight * (1 / q[level[inside]] - 1)
    number = traps.number
    if traps.model == "centres":
        rates = traps.fastest_hz * np.geomspace(1, 1 / traps.spread, number)
        duty, strength = np.full(number, 0.3), np.full(number, traps.strength)
    else:
        rates = traps.fastest_hz * traps.spread ** -fixed.random(number)
        duty = fixed.uniform(0.05, 0.5, number)
        strength = traps.strength * np.geomspace(1, 0.05, max(number, 2))[:number]
        fixed.shuffle(strength)
    times, deltas, base = [np.zeros(1)], [np.zeros(1)], 0.0
    for rate, share, weight in zip(rates, duty, traps.weight * strength, strict=True):
        start = int(rng.random() < share)
        closed, opened = Dwell(1 / (rate * share)), Dwell(1 / (rate * (1 - share)))
        at, _ = telegraph(closed, opened, seconds, start, rng)
        times.append(at)
        deltas.append(weight * np.where(np.arange(len(at)) % 2 == start, 1.0, -1.0))
        base += weight * start
    joined = np.concatenate(times)
    order = np.argsort(joined, kind="stable")
    return joined[order], np.maximum(base + np.cumsum(np.concatenate(deltas)[order]), 0.0)


def _diffusing(traps: Traps, seconds: float, rng: Generator) -> tuple[Floats, Floats]:
    """Random walk of ln k between reflecting bounds, 1/100 of the strength and the strength."""
    step_s = traps.dwell.shortest_s
    times = np.arange(0.0, seconds, step_s)
    width = np.log(100.0)
    walk = rng.random() * width + np.cumsum(rng.normal(0, traps.dwell.longest_s, len(times)))
    folded = np.abs((walk + width) % (2 * width) - width)
    return times, traps.weight * traps.strength * np.exp(-folded)


def mean_trapping_loss(traps: Traps, seed: int) -> float:
    """Mean loss of neutral light by trapping, over a long time."""
    times, values = trapping(traps, 60.0, np.random.default_rng(seed))
    return float(np.average(values / (1 + values), weights=np.diff(times, append=60.0)))


def lay_out(case: Case, rng: Generator) -> Path:
    """The path through all epochs; the charge carries over from one to the next."""
    parts, charge = [], 0
    for epoch in case.epochs:
        part, charge = _lay_epoch(case.emitter, epoch, charge, rng)
        parts.append(part)
    arrays = [[p.__dict__[name] for p in parts] for name in Path.__dataclass_fields__ if name != "edges"]
    edges = np.concatenate([p.edges[:-1] for p in parts] + [parts[-1].edges[-1:]])
    return Path(edges, *(np.concatenate(a) for a in arrays))


def _lay_epoch(emitter: Emitter, epoch: Epoch, charge: int, rng: Generator) -> tuple[Path, int]:
    """The path through one epoch, and the charge (0, 1) at its end."""
    seconds = epoch.stop_s - epoch.start_s
    switches, started = np.empty(0), 0
    if epoch.charging is not None:
        switches, started = telegraph(epoch.charging.neutral, epoch.charging.charged, seconds, charge, rng)
    at, rate = trapping(epoch.traps, seconds, rng) if epoch.traps is not None else (np.zeros(1), np.zeros(1))
    dims, level = np.zeros(1), np.ones(1)
    if epoch.steady is not None:
        dims, level = _steady_levels(epoch, seconds, rng)
    start = np.unique(np.concatenate([[0.0], switches, at, dims]))
    count = np.searchsorted(switches, start, side="right")
    charged = (count + started) % 2 == 1
    grey_share = epoch.charging.grey if epoch.charging is not None else 0.0
    grey = rng.random(len(switches) + 1)[count] < grey_share
    state = np.where(charged, np.where(grey, GREY, CHARGED), NEUTRAL).astype(np.int8)
    extra = rate[np.searchsorted(at, start, side="right") - 1] + epoch.extra_rate
    steady = level[np.searchsorted(dims, start, side="right") - 1]
    edges = epoch.start_s + np.append(start, seconds)
    path = _physics(emitter, epoch, edges, state, extra, steady)
    return path, int((len(switches) + started) % 2)


def _steady_levels(epoch: Epoch, seconds: float, rng: Generator) -> tuple[Floats, Floats]:
    """Step function of the relative intensity at constant lifetime."""
    assert epoch.steady is not None
    levels = np.array(epoch.steady.levels)
    dwells = draw_dwells(epoch.steady.dwell, int(2 * seconds / mean_dwell(epoch.steady.dwell)) + 50, rng)
    jump = rng.integers(1, len(levels), len(dwells)) if len(levels) > 2 else np.ones(len(dwells), int)
    start = np.concatenate([[0.0], np.cumsum(dwells)[:-1]])
    inside = start < seconds
    return start[inside], levels[(np.cumsum(jump) % len(levels))[inside]]


def _physics(
    emitter: Emitter, epoch: Epoch, edges: Floats, state: NDArray[np.int8], rate: Floats, steady: Floats
) -> Path:
    """Yields, lifetimes and losses of states; rates are in units of the bright decay rate."""
    ratio = np.where(state == GREY, emitter.grey_ratio, emitter.charged_ratio)
    neutral = state == NEUTRAL
    trap = np.where(neutral, rate, emitter.trap_when_charged * rate)
    total = np.where(neutral, 1.0, 1 / ratio) + trap
    auger = np.where(neutral, 0.0, np.maximum(1 / ratio - emitter.beta, 0.0))
    yields = np.where(neutral, 1.0, emitter.beta) / total
    lost = np.maximum(1 - yields, 0.0)
    by_auger = np.where(neutral, 0.0, auger / np.maximum(auger + trap, 1e-12))
    alight = 0.0 if epoch.bleached else 1.0
    return Path(
        edges,
        np.full(len(state), epoch.mean_excitation),
        yields * steady * alight,
        emitter.lifetime_ns / total,
        state,
        lost * by_auger,
        lost * (1 - by_auger),
        yields * (1 - steady),
    )
