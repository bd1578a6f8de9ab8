"""How long a panel takes to paint at 100x24, against the budget of 1 ms and against plotext if installed.

Run: python -m tests.benchmarks.renderer
"""

import importlib
import timeit
from typing import Any

from qdmon.tui.panels import PAINTERS
from qdmon.tui.render.frame import Frame
from qdmon.tui.view.scene import Scene
from tests.qdmon.tui.builders import scene

WIDTH, HEIGHT = 100, 24
BUDGET_MS = 1.0
REPEATS, CALLS = 7, 20


def paint(panel: str, shown: Scene) -> Frame:
    """One frame of one panel."""
    frame = Frame(WIDTH, HEIGHT)
    PAINTERS[panel](frame, shown)
    return frame


def best_ms(call: Any) -> float:
    """The best of some repeats, in ms a call: what the code costs when the machine is not busy elsewhere."""
    return 1e3 * min(timeit.repeat(call, number=CALLS, repeat=REPEATS)) / CALLS


def plotext_ms(shown: Scene) -> float | None:
    """The same trace with plotext; None if it is not installed."""
    try:
        plotext: Any = importlib.import_module("plotext")
    except ImportError:
        return None
    assert shown.snapshot is not None
    counts = shown.snapshot.trace.counts[-3000:].tolist()

    def draw() -> None:
        plotext.clear_figure()
        plotext.plotsize(WIDTH, HEIGHT)
        plotext.plot(counts, marker="braille")
        plotext.build()

    return best_ms(draw)


def main() -> None:
    """Print one line a panel."""
    shown = scene()
    for panel in ("trace", "decay", "g2", "flid", "events", "steps"):
        cost = best_ms(lambda panel=panel: paint(panel, shown))
        print(f"{panel:<10} {cost:6.3f} ms  {'within' if cost < BUDGET_MS else 'OVER'} {BUDGET_MS:g} ms")
    frame = paint("trace", shown)
    rows = best_ms(lambda: [frame.runs(y) for y in range(HEIGHT)])
    print(f"{'to runs':<10} {rows:6.3f} ms")
    other = plotext_ms(shown)
    if other is None:
        print("plotext is not installed: no comparison")
    else:
        print(f"plotext    {other:6.3f} ms  {other / best_ms(lambda: paint('trace', shown)):.0f} times ours")


if __name__ == "__main__":
    main()
