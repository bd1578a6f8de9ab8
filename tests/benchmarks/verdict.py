"""How good the verdict is, on dots nobody tuned to: types, shares, states, and what goes wrong.

    python -m tests.benchmarks.verdict [DOTS] [standard hard adverse] [--first SEED]

A row is a population and a pulse period, seen for 2, 5 and 25 s: each time by a new monitor that is told
nothing but <N>. The truth is what the dot really did in that time (realised share of the loss). "right"
counts "undetermined" as wrong; "of 10 blinks" is the share left undetermined where ten blinks happened.

What is stated of a type holds for spots of which nine in ten are one dot: that is what the analysis believes
before it has seen pairs. So the reliability table has spots with two dots, too, in which every call is wrong,
and weighs them as one spot in ten.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from hardware.sim.simulation import DotSimulation
from hardware.types import Acquisition, Photons
from qdmon.analysis.antibunching.coincidences import PRIOR_SINGLE
from qdmon.analysis.dot.verdict import likeliest
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from streams.messages import End, Fluence, PhotonBatch, Segment, Session
from tests.benchmarks.adverse import CASES, two_dots
from tests.benchmarks.population import Population, RandomDot, random_dot

SECONDS = (2.0, 5.0, 25.0)
PERIODS_NS = (200.0, 100.0)
SEEDS_FROM = 100_000
ADVERSE_S = 25.0
TWO_DOTS = "two dots"
# Spots with two dots in each row, for one with a single dot.
PAIRS_PER_DOT = 0.25
RANGES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Verdict:
    """One dot seen for a while.

    Attributes:
        row: population and pulse period.
        seconds: how long it was seen.
        truth: type it realised; `TWO_DOTS` where there were two.
        share: of the loss that Auger recombination took; None where nothing was lost.
        blinks: switches to dim that happened.
        call: what the monitor said.
        pulls: name -> (relative error, stated relative error) of the numbers with a known truth.
    """

    row: str
    seconds: float
    truth: str
    share: float | None
    blinks: float
    call: BlinkingCall
    pulls: dict[str, tuple[float, float]] = field(default_factory=dict)


def analysed(
    acq: Acquisition,
    photons: Photons,
    seconds: float,
    mean_excitation: float,
    settings: AnalysisSettings | None = None,
) -> Snapshot:
    """A monitor's last word on some photons."""
    monitor = Monitor(settings)
    monitor.feed(Session("0" * 32, 0, "benchmark", "simulated"))
    monitor.feed(Segment(0, acq))
    monitor.feed(Fluence(0, 0, mean_excitation))
    stop, width = acq.pulses(seconds), acq.pulses(0.5)
    for first in range(0, stop, width):
        until = min(first + width, stop)
        monitor.feed(PhotonBatch(0, first, until, 0, photons.between(first, until)))
    monitor.feed(End("done"))
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return snapshot


def _pulls(dot: RandomDot, snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    call, exciton = snapshot.segments[-1].call, dot.preset.dot.exciton
    known = {"tau1": exciton.lifetime_ns}
    seen = {}
    if call.states:
        seen["tau1"] = call.states[0].lifetime_ns
        known["I1"], seen["I1"] = dot.bright_cps, call.states[0].intensity_cps
    charging = dot.preset.dot.charging
    if dot.kind == "auger" and len(call.states) > 1 and charging is not None and charging.grey == 0:
        known["tau2"], seen["tau2"] = exciton.trion_lifetime_ns, call.states[1].lifetime_ns
        known["beta"], seen["beta"] = exciton.radiative_ratio, call.radiative_rate_ratio
        known["I2"], seen["I2"] = dot.dim_cps, call.states[1].intensity_cps
    return {
        name: (e.value / known[name] - 1, (e.error or 0.0) / known[name])
        for name, e in seen.items()
        if e.value is not None
    }


def verdicts_on(job: tuple[Population, float, int]) -> list[Verdict]:
    """One dot, seen for 2, 5 and 25 s."""
    population, period_ns, seed = job
    dot = random_dot(population, period_ns, seed)
    simulation = DotSimulation(dot.preset, seed)
    acq = simulation.acquisition()
    photons = simulation.advance(acq.pulses(max(SECONDS)), dot.mean_excitation)
    found = []
    for seconds in SECONDS:
        truth = simulation.truth.window(0.0, seconds)
        snapshot = analysed(acq, photons, seconds, dot.mean_excitation)
        found.append(
            Verdict(
                f"{population}, T = {period_ns:.0f} ns",
                seconds,
                truth.blinking or "none",
                truth.auger_share,
                (truth.blinking_rate_hz or 0.0) * seconds,
                snapshot.segments[-1].call,
                _pulls(dot, snapshot) if seconds == max(SECONDS) else {},
            )
        )
    return found


def verdicts_on_two(job: tuple[Population, float, int]) -> list[Verdict]:
    """Two dots of a kind in the focus, seen for 2, 5 and 25 s."""
    population, period_ns, seed = job
    dot = random_dot(population, period_ns, seed)
    spot = two_dots(dot, max(SECONDS))
    row = f"{population}, T = {period_ns:.0f} ns"
    snapshots = [analysed(spot.acquisition, spot.photons, s, dot.mean_excitation) for s in SECONDS]
    return [
        Verdict(row, seconds, TWO_DOTS, None, 0.0, snapshot.segments[-1].call)
        for seconds, snapshot in zip(SECONDS, snapshots, strict=True)
    ]


def spoiled_verdict(job: tuple[str, Population, float, int]) -> tuple[str, str, float, bool, str]:
    """Case, call, probability of its likeliest type, whether the call is right, and the reason given."""
    case, population, period_ns, seed = job
    dot = random_dot(population, period_ns, seed)
    spoiled = CASES[case](dot, ADVERSE_S)
    snapshot = analysed(
        spoiled.acquisition, spoiled.photons, ADVERSE_S, dot.mean_excitation, spoiled.settings
    )
    call = snapshot.segments[-1].call
    highest = max(call.probabilities.values())
    return case, call.blinking, highest, likeliest(call.probabilities) in spoiled.right, call.reason or ""


def _table(verdicts: Sequence[Verdict]) -> None:
    rows: dict[tuple[str, float], list[Verdict]] = defaultdict(list)
    for v in verdicts:
        if v.truth not in ("none", TWO_DOTS):
            rows[v.row, v.seconds].append(v)
    print("| population | seen | dots | right | undetermined | of 10 blinks | swapped | sure and wrong |")
    print("|---|---|---|---|---|---|---|---|")
    for (row, seconds), found in rows.items():
        n = len(found)
        right = sum(v.call.blinking == v.truth for v in found) / n
        open_ = [v.call.blinking == "undetermined" for v in found]
        ten = [o for o, v in zip(open_, found, strict=True) if v.blinks >= 10]
        swapped = sum({v.truth, v.call.blinking} == {"auger", "bc"} for v in found) / n
        sure = sum(
            v.call.probabilities[likeliest(v.call.probabilities)] >= 0.9
            and likeliest(v.call.probabilities) != v.truth
            for v in found
        )
        print(
            f"| {row} | {seconds:.0f} s | {n} | {right:.3f} | {np.mean(open_):.3f} |"
            f" {np.mean(ten) if ten else 0:.3f} | {swapped:.3f} | {sure / n:.3f} |"
        )


def _shares(verdicts: Iterable[Verdict]) -> None:
    rows: dict[tuple[str, float], list[tuple[float, float]]] = defaultdict(list)
    for v in verdicts:
        share = v.call.auger_share
        if v.truth in ("auger", "bc", "mixed") and v.share is not None and share.value is not None:
            rows[v.row, v.seconds].append((share.value - v.share, share.error or 0.0))
    print("\n| population | seen | dots | median share error | 90 % within | 95 % interval covers |")
    print("|---|---|---|---|---|---|")
    for (row, seconds), pairs in rows.items():
        error, sd = np.array(pairs).T
        covered = np.mean(np.abs(error) <= 1.96 * sd)
        print(
            f"| {row} | {seconds:.0f} s | {len(error)} | {np.median(np.abs(error)):.4f} |"
            f" {np.quantile(np.abs(error), 0.9):.3f} | {covered:.3f} |"
        )


def _reliability(verdicts: Sequence[Verdict]) -> None:
    two = np.array([v.truth == TWO_DOTS for v in verdicts])
    weight = np.where(two, (1 - PRIOR_SINGLE) / two.mean(), PRIOR_SINGLE / (1 - two.mean()))
    called = np.array([v.call.blinking != "undetermined" for v in verdicts])
    stated = np.array([max(v.call.probabilities.values()) for v in verdicts])
    right = np.array([v.call.blinking == v.truth for v in verdicts])
    print("\n| stated | single dots | right | two dots | mean stated | right, one spot in ten two dots |")
    print("|---|---|---|---|---|---|")
    for low, high in pairwise(RANGES):
        inside = called & (stated >= low) & ((stated < high) | (high == 1))
        if inside.any():
            print(
                f"| {low:.2f}-{high:.2f} | {(inside & ~two).sum()} | {(inside & right).sum()} |"
                f" {(inside & two).sum()} | {np.average(stated[inside], weights=weight[inside]):.3f} |"
                f" {np.average(right[inside], weights=weight[inside]):.3f} |"
            )
    left = two & ~called
    print(f"\ntwo dots left undetermined: {left.sum()} of {two.sum()}")


def _parameters(verdicts: Iterable[Verdict]) -> None:
    rows: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for v in verdicts:
        for name, pull in v.pulls.items():
            rows[v.row, name].append(pull)
    print("\n| population | number | dots | mean bias | median error | 68 % interval covers |")
    print("|---|---|---|---|---|---|")
    for (row, name), pulls in rows.items():
        error, sd = np.array(pulls).T
        # A few dots with hardly a blink would decide a plain mean.
        kept: NDArray[np.float64] = error[np.abs(error) <= np.quantile(np.abs(error), 0.95)]
        print(
            f"| {row} | {name} | {len(error)} | {100 * kept.mean():+.2f} % |"
            f" {100 * np.median(np.abs(error)):.2f} % | {np.mean(np.abs(error) <= sd):.3f} |"
        )


def _adverse(dots: int, first: int, pool: ProcessPoolExecutor) -> None:
    populations: tuple[Population, Population] = ("standard", "hard")
    jobs = [
        (case, populations[i // 4 % 2], PERIODS_NS[i // 8 % 2], first + i)
        for case in CASES
        for i in range(dots)
    ]
    found = defaultdict(list)
    for case, call, highest, good, reason in pool.map(spoiled_verdict, jobs, chunksize=4):
        found[case].append((call, highest, good, reason))
    print("\n| what is wrong | dots | right | undetermined | wrong | sure (0.9) and wrong |")
    print("|---|---|---|---|---|---|")
    for case, rows in found.items():
        n = len(rows)
        open_ = sum(call == "undetermined" for call, *_ in rows) / n
        right = sum(call != "undetermined" and good for call, _, good, _ in rows) / n
        sure = sum(highest >= 0.9 and not good for _, highest, good, _ in rows) / n
        print(f"| {case} | {n} | {right:.3f} | {open_:.3f} | {1 - open_ - right:.3f} | {sure:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="How good the verdict is.")
    parser.add_argument("dots", nargs="?", type=int, default=300, help="in each row")
    parser.add_argument("parts", nargs="*", default=["standard", "hard", "adverse"])
    parser.add_argument("--first", type=int, default=SEEDS_FROM, help="number of the first dot")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    populations: list[Population] = [p for p in ("standard", "hard") if p in chosen.parts]

    def jobs(n: int) -> list[tuple[Population, float, int]]:
        return [(p, t, chosen.first + i) for i in range(n) for p in populations for t in PERIODS_NS]

    with ProcessPoolExecutor(chosen.workers) as pool:
        single = pool.map(verdicts_on, jobs(chosen.dots), chunksize=4)
        two = pool.map(verdicts_on_two, jobs(max(round(PAIRS_PER_DOT * chosen.dots), 1)), chunksize=4)
        verdicts = [v for found in chain(single, two) for v in found]
        if verdicts:
            _table(verdicts)
            _shares(verdicts)
            _reliability(verdicts)
            _parameters(verdicts)
        if "adverse" in chosen.parts:
            _adverse(max(chosen.dots // len(CASES), 8), chosen.first, pool)


if __name__ == "__main__":
    main()
