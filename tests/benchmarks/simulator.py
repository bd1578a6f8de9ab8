"""How true and how fast the simulated dots are: `python tests/benchmarks/simulator.py [DOTS]`.

For every preset and step of its protocol: how many dots realise the type the paper reports, and the
medians over dots. A step in which a dot converts counts from 1.5 s after the conversion, when its traps
have appeared; a step in which it bleaches counts until then.
"""

import sys
import time
from collections import Counter

import numpy as np

from hardware.sim.presets import PRESETS, Preset
from hardware.sim.simulation import DotSimulation, slow_truth
from hardware.sim.truth import FluenceStep, Truth, WindowTruth

STEP_S = 25.0
TRAPS_AFTER_S = 1.5
CONVERTS = ("auger", "bc", "bc")
REVERSES = ("bc", "mixed", "bc")
PAPER = {
    "cdse-zns-2nm": CONVERTS,
    "cdse-zns-2nm-oa": CONVERTS,
    "cdse-zns-2nm-oam": CONVERTS,
    "cdse-zns-2nm-thiol": CONVERTS,
    "cdse-zns-3nm": CONVERTS,
    "cdse-zns-1.2nm": ("bc", "bc", "bc"),
    "cdse-zns-0.7nm": ("bc", "bc", "bc"),
    "cdse-zns-small": ("bc", "bc", "bleached"),
    "mapbbr3": REVERSES,
    "cspbbr3-small": REVERSES,
    "cspbbr3-large": ("auger", "auger", "auger"),
    "cspbi3-small": REVERSES,
    "cspbi3-large": ("auger", "auger", "auger"),
}


def step_window(truth: Truth, step: int) -> WindowTruth:
    """What a dot did in a step, counted from a conversion within it."""
    start_s, stop_s = STEP_S * step, STEP_S * (step + 1)
    if truth.conversion_s is not None and start_s < truth.conversion_s < stop_s:
        start_s = min(truth.conversion_s + TRAPS_AFTER_S, stop_s - 1.0)
    return truth.window(start_s, stop_s)


def spread(windows: list[WindowTruth], what: str) -> str:
    """Median and 5-95 % range over dots of what is known."""
    values = [value for window in windows if (value := getattr(window, what)) is not None]
    if not values:
        return "-"
    low, middle, high = np.percentile(values, [5, 50, 95])
    return f"{middle:.2f} [{low:.2f}-{high:.2f}]"


def named(window: WindowTruth) -> str:
    """Its type in a word."""
    return window.blinking or "bleached"


def print_preset(preset: Preset, dots: int) -> None:
    """One line for every step."""
    steps = [FluenceStep(STEP_S * i, fluence) for i, fluence in enumerate(preset.fluences)]
    truths = [slow_truth(preset, seed, steps, STEP_S * len(steps)) for seed in range(dots)]
    for i, fluence in enumerate(preset.fluences):
        windows = [step_window(truth, i) for truth in truths]
        types = Counter(named(window) for window in windows)
        expected = PAPER[preset.name][i]
        others = ", ".join(f"{n} {kind}" for kind, n in types.items() if kind != expected)
        print(
            f"{preset.name:19} {fluence:4g}  {expected:8} {types[expected] / dots:5.0%}"
            f"  loss {spread(windows, 'loss'):17}  share {spread(windows, 'auger_share'):17}"
            f"  blinks/s {spread(windows, 'blinking_rate_hz'):17}"
            f"  r_c {spread(windows, 'charging_rate_hz'):20}  {others}"
        )


def print_speed(name: str, mean_excitation: float, seconds: float) -> None:
    """Simulated seconds per second, photons included."""
    simulation = DotSimulation(name, 1)
    rate_hz = simulation.preset.setup.pulse_rate_hz
    simulation.advance(round(0.1 * rate_hz), mean_excitation)
    begun = time.perf_counter()
    photons = simulation.advance(round(seconds * rate_hz), mean_excitation)
    passed = time.perf_counter() - begun
    rate_cps = len(photons) / seconds
    print(
        f"{name:19} {mean_excitation:4g}  {rate_cps / 1000:6.1f} kcps  {seconds / passed:6.0f} x real time"
        f"  {passed / len(photons) * 1e9:4.0f} ns/photon"
    )


def main() -> None:
    """Print the table of types, then that of speeds."""
    dots = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{dots} dots of each kind, steps of {STEP_S:g} s")
    for preset in PRESETS.values():
        print_preset(preset, dots)
    print()
    for name, mean_excitation, seconds in (
        ("cdse-zns-2nm", 0.1, 60.0),
        ("cdse-zns-2nm", 0.2, 30.0),
        ("cdse-zns-2nm", 1.4, 10.0),
        ("mapbbr3", 0.1, 60.0),
        ("mapbbr3", 1.0, 10.0),
    ):
        print_speed(name, mean_excitation, seconds)


if __name__ == "__main__":
    main()
