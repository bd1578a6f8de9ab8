"""What finding levels costs and how well it does: CPU time per photon, recall, precision, false changes.

Run: `python tests/benchmarks/levels.py [seconds of light]`. A change counts as found within 5 ms. Costs are
medians of CPU time for rows that are already counted; `fill` is the counting itself.
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.levels import levels as levels_module
from qdmon.analysis.levels.levels import LevelFinder

WIDTH = 5000  # pulses of 200 ns per millisecond
ROW_S = 1e-3
PORTION = 500  # rows between two looks of the engine
RUNS = 5


def switching(
    rng: np.random.Generator, high_cps: float, low_cps: float, dwell_s: float, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Instants of the changes and counts per millisecond of two-level light."""
    duration = rows * ROW_S
    edges = np.cumsum(rng.exponential(dwell_s, int(2 * duration / dwell_s) + 20))
    edges = np.concatenate([[0.0], edges[edges < duration], [duration]])
    rate = np.where(np.arange(len(edges) - 1) % 2, low_cps, high_cps)
    until = np.concatenate([[0.0], np.cumsum(np.diff(edges) * rate)])
    expected = np.diff(np.interp(np.arange(rows + 1) * ROW_S, edges, until))
    return edges[1:-1], rng.poisson(expected)


class Stream:
    """Photons of some counts per millisecond, looked at in the engine's portions."""

    def __init__(self, counts: NDArray[np.int64]) -> None:
        pulse = np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(WIDTH), counts)
        nothing = np.zeros(len(pulse), np.uint8)
        self._photons = Photons(pulse, nothing.astype(np.uint16), nothing)
        self._rows = len(counts)

    def run(self) -> tuple[NDArray[np.float64], int, int]:
        """Starts of the levels found, and CPU ns of filling and of finding."""
        table, finder = BinTable(0, WIDTH, 1, 62_000), LevelFinder(0, ROW_S, 0.0, None)
        fill = find = 0
        for first in range(0, self._rows, PORTION):
            stop = min(first + PORTION, self._rows) * WIDTH
            part = self._photons.between(first * WIDTH, stop)
            start = time.process_time_ns()
            table.add_counts(part, stop)
            filled = time.process_time_ns()
            finder.advance(table, [])
            fill, find = fill + filled - start, find + time.process_time_ns() - filled
        found = np.array([level.start_s for level in finder.levels(table, 0.0, 0.0)[1:]])
        return found, fill, find


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    rows = round(seconds / ROW_S)
    levels_module.MOST_LEVELS = 10**9
    rng = np.random.default_rng(1)
    Stream(rng.poisson(100, 1000)).run()

    print(f"two levels, mean dwell 0.15 s, {seconds:g} s")
    for high, low in ((160e3, 20e3), (120e3, 60e3), (100e3, 75e3), (76e3, 28e3), (1e6, 0.5e6)):
        changes, counts = switching(rng, high, low, 0.15, rows)
        stream = Stream(counts)
        runs = [stream.run() for _ in range(RUNS)]
        distance = np.abs(runs[0][0][:, None] - changes[None, :])
        to_found, to_true = distance.min(axis=0), distance.min(axis=1)
        fill, find = (float(np.median([r[i] for r in runs])) / counts.sum() for i in (1, 2))
        print(
            f"{high:9.0f}/{low:6.0f} cps: recall {np.mean(to_found < 5e-3):.3f}, precision"
            f" {np.mean(to_true < 5e-3):.3f}, off by {np.median(to_true) * 1e6:4.0f} us;"
            f" fill {fill:5.2f}, find {find:6.2f} ns/photon"
        )

    print("steady light")
    for rate in (1e3, 5e3, 2e4, 1e5, 1e6):
        counts = rng.poisson(rate * ROW_S, 10 * rows if rate < 1e5 else rows)
        found, fill, find = Stream(counts).run()
        millions = counts.sum() / 1e6
        print(
            f"{rate:9.0f} cps: {len(found) / millions:.3f} false changes per 10^6 photons"
            f" ({len(found)} in {len(counts)} rows);"
            f" find {find / counts.sum():7.2f} ns/photon, {find / len(counts):5.0f} ns/row"
        )


if __name__ == "__main__":
    main()
