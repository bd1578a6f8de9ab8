"""Draw the figures of docs/analysis.md from the simulator and the analysis itself.

    python docs/figures/analysis.py

writes them beside this file; the same seeds give the same figures. They are committed, so that the page
shows them without running anything.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from docs.figures.data import (
    PAPER_DOT,
    Kind,
    apparent_ratio,
    evidence_of_conversion,
    fitted_ratio,
    flid_of,
    pair_test,
    trace_reading,
)
from docs.figures.svg import AUGER, BC, BRIGHT, HC, INK, MUTED, Axis, Panel, figure
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.dot.states import CHARGED, KIND, SINGLE
from qdmon.analysis.equations import auger_intensity, bc_intensity

__all__ = ["FIGURES"]

KCPS = Axis(0, 100, "intensity (kcps, net)", (0, 20, 40, 60, 80, 100))
TAU = Axis(0, 35, "lifetime (ns)", (0, 10, 20, 30))


def states() -> str:
    """Decays of three states, and the dictionary on the lifetime-intensity plane."""
    time = Axis(0, 60, "time after the pulse (ns)", (0, 20, 40, 60))
    rate = Axis(1e-2, 10, "photons per ns (bright, t = 0: 1)", (0.01, 0.1, 1, 10), logarithmic=True)
    decays = Panel((70, 40, 300, 270), time, rate, "the first instant after the pulse tells")
    dot = PAPER_DOT
    level = dot.beta * dot.trion_ns / dot.bright_ns
    t = np.linspace(0, 60, 61)
    for edge in MicroBins.for_period(200.0).edges_ns[1:]:
        decays.line([edge, edge], [1e-2, 1.6e-2], MUTED, 1)
    curves = (
        (1.0, dot.bright_ns, BRIGHT, "bright"),
        (level, level * dot.bright_ns, BC, f"trap: same start, {level * dot.bright_ns:.1f} ns"),
        (level, dot.trion_ns, AUGER, f"charged: β times higher, {dot.trion_ns:.1f} ns"),
    )
    for i, (light, tau_ns, ink, name) in enumerate(curves):
        decays.line(t, light * dot.bright_ns / tau_ns * np.exp(-t / tau_ns), ink, 2.2)
        decays.note(14, 7.0 * 0.72**i, name, ink)
    plane = Panel((450, 40, 300, 270), TAU, KCPS, "the dictionary: where the dot can stay")
    single = SINGLE & (KIND != "constant")
    lost = dot.losses.total
    kcps = dot.bright_cps / 1e3 * (1 - lost)
    plane.line([0, 30], bc_intensity([0, 30], dot.bright_cps / 1e3, dot.bright_ns), BC, 1, "4 3")
    plane.line(
        [0, 16], dot.beta * bc_intensity([0, 16], dot.bright_cps / 1e3, dot.bright_ns), AUGER, 1, "4 3"
    )
    tau = np.linspace(dot.trion_ns, dot.bright_ns, 60)
    plane.line(tau, auger_intensity(tau, kcps[0], dot.bright_ns, 76 * level, dot.trion_ns), AUGER, 1.5)
    plane.line([dot.bright_ns] * 2, [0, 76], HC, 1, "4 3")
    for members, ink in (
        (single & CHARGED, AUGER),
        (single & ~CHARGED, BC),
        (SINGLE & (KIND == "constant"), HC),
    ):
        plane.dots(dot.lifetimes_ns[members], kcps[members], ink, 3)
    plane.dots(dot.bright_ns, kcps[0], BRIGHT, 5)
    plane.note(2, 92, "charged: slope β", AUGER)
    plane.note(9.5, 14, "trapped: Eq. 2", BC)
    plane.note(12.8, 31, "switching: Eq. 1", AUGER)
    plane.note(25.5, 12, "hc", HC)
    return figure([decays, plane], 780, 370, "States of a dot: decays and places on the FLID")


def flid() -> str:
    """Dots of three kinds with the curves of the equations."""
    panels = []
    kinds: tuple[tuple[Kind, str, str], ...] = (
        ("auger", AUGER, "Auger: Eq. 1"),
        ("bc", BC, "BC: Eq. 2"),
        ("hc", HC, "HC"),
    )
    for i, (kind, ink, title) in enumerate(kinds):
        found = flid_of(kind, 10.0)
        chance = max(found.call.probabilities.values())
        called = f"{title} (called {found.call.blinking}, p = {chance:.2f})"
        panel = Panel((70 + 330 * i, 40, 260, 260), TAU, KCPS, called)
        panel.dots(found.lifetime_ns, found.rate_cps / 1e3, MUTED, 1.3, 0.45)
        bright, *dim = found.call.states
        i1, tau1 = (bright.intensity_cps.value or 0.0) / 1e3, bright.lifetime_ns.value or 1.0
        tau = np.linspace(0.5, tau1, 60)
        if kind == "auger" and dim:
            i2, tau2 = (dim[0].intensity_cps.value or 0.0) / 1e3, dim[0].lifetime_ns.value or 1.0
            tau = np.linspace(tau2, tau1, 60)
            panel.line(tau, auger_intensity(tau, i1, tau1, i2, tau2), ink, 2.2)
            panel.dots([tau1, tau2], [i1, i2], INK, 3.5)
        elif kind == "bc":
            panel.line(tau, bc_intensity(tau, i1, tau1), ink, 2.2)
            panel.dots(tau1, i1, INK, 3.5)
        else:
            panel.line([tau1, tau1], [0, i1], ink, 2.2)
            panel.dots(tau1, i1, INK, 3.5)
        panels.append(panel)
    return figure(panels, 1010, 360, "FLID of an Auger, a BC and an HC dot")


def trace() -> str:
    """A stretch of a mixed dot's trace above what the chain makes of each bin."""
    start, stop = 3.0, 3.8
    found = trace_reading(8.0, (start, stop))
    n = len(found.counts)
    edges = start + found.bin_s * np.repeat(np.arange(n + 1), 2)[1:-1]
    seconds = (3.0, 3.2, 3.4, 3.6, 3.8)
    most = 25 * np.ceil(found.counts.max() / 25)
    counts = Panel(
        (70, 40, 760, 150),
        Axis(start, stop, "", ()),
        Axis(0, most, "counts / 2 ms", (0, 50, 100, 150)),
        "a mixed dot: what is counted",
    )
    counts.line(edges, np.repeat(found.counts, 2), INK, 1)
    panels = [counts]
    for top, title, auger, trap in (
        (250, "what the chain makes of it: expected loss of each bin", found.auger, found.trap),
        (390, "what the simulated dot did", found.true_auger, found.true_trap),
    ):
        label = "time (s)" if top == 390 else ""
        panel = Panel(
            (70, top, 760, 80),
            Axis(start, stop, label, seconds if label else ()),
            Axis(0, 1, "share lost", (0, 0.5, 1)),
            title,
        )
        a, b = np.repeat(auger, 2), np.repeat(trap, 2)
        panel.band(edges, np.zeros_like(a), a, AUGER, 0.85)
        panel.band(edges, a, a + b, BC, 0.85)
        panels.append(panel)
    panels[1].note(3.79, 0.82, "Auger", AUGER, "end")
    panels[1].note(3.74, 0.82, "trap", BC, "end")
    return figure(panels, 860, 530, "Counts of a mixed dot and the losses read from them")


def background() -> str:
    """How a background bends the answer, and how it does not."""
    levels = np.linspace(0, 12, 49)
    x = Axis(0, 12, "background (counts per 10 ms; the dim level has 280)", (0, 2, 4, 6, 8, 10, 12))
    panel = Panel((70, 40, 420, 280), x, Axis(0.9, 2.1, "β", (1, 1.2, 1.4, 1.6, 1.8, 2)), "β of an Auger dot")
    for period_ns, dash in ((200.0, ""), (100.0, "6 4")):
        panel.line(levels, apparent_ratio(levels, period_ns), BC, 2.2, dash)
    panel.line([0, 12], [1.82, 1.82], MUTED, 1, "2 3")
    panel.line([0, 12], [1, 1], MUTED, 1, "2 3")
    some = np.array([0.5, 2.0, 4.0, 6.0, 8.0, 11.0])
    fits = [fitted_ratio(float(b), 10.0, seed) for seed, b in enumerate(some)]
    panel.bars(some, [f.value or np.nan for f in fits], [f.error or 0.0 for f in fits], AUGER)
    panel.note(12.3, 1.83, "truth", MUTED)
    panel.note(12.3, 1.0, "a BC dot", MUTED)
    panel.note(12.3, 1.9, "likelihood, 10 s each", AUGER)
    panel.note(12.3, float(apparent_ratio(levels[-1:], 100.0)[0]), "mean arrival, T = 100 ns", BC)
    panel.note(12.3, float(apparent_ratio(levels[-1:], 200.0)[0]), "mean arrival, T = 200 ns", BC)
    return figure([panel], 700, 380, "Bias of beta by a background that is not taken off")


def conversion() -> str:
    """Evidence for a conversion, blink by blink."""
    found = evidence_of_conversion(12.0, 10.0)
    seconds = Axis(6, 22, "time (s)", (6, 10, 14, 18, 22))
    odds = Panel(
        (70, 40, 640, 150),
        Axis(6, 22, "", ()),
        Axis(-40, 40, "log odds", (-40, -20, 0, 20, 40)),
        "each blink: Auger (above) or trap (below)",
    )
    odds.line([6, 22], [0, 0], MUTED, 1, "2 3")
    for ink, sign in ((AUGER, 1), (BC, -1)):
        some = [m for m in found.marks if sign * m.odds > 0]
        odds.dots([_middle(m) for m in some], [float(np.clip(m.odds, -38, 38)) for m in some], ink, 2.6)
    sums = Panel(
        (70, 240, 640, 150),
        seconds,
        Axis(-20, 30, "ln Σ q LR", (-20, -10, 0, 10, 20, 30)),
        "evidence of a change",
    )
    sums.line([6, 22], [0, 0], AUGER, 1.2, "5 3")
    ends = [m.stop_s for m in found.marks]
    sums.line(np.repeat(ends, 2)[1:], np.repeat(found.log_evidence, 2)[:-1], INK, 1.8)
    sums.note(6.2, 2, "alarm: one false one in 24 h", AUGER)
    for panel, low, high in ((odds, -40, 40), (sums, -20, 30)):
        panel.line([found.step_s] * 2, [low, high], MUTED, 1.2, "2 3")
        if found.conversion_s is not None:
            panel.line([found.conversion_s] * 2, [low, high], BRIGHT, 1.6)
    sums.note(found.step_s - 0.1, 25, "<N> 0.2 to 1.4", MUTED, "end")
    if found.conversion_s is not None:
        sums.note(found.conversion_s - 0.1, 25, "the dot converts", BRIGHT, "end")
    return figure([odds, sums], 740, 450, "Evidence for a conversion, blink by blink")


def _middle(mark: Mark) -> float:
    return (mark.start_s + mark.stop_s) / 2


def g2() -> str:
    """Pairs at zero lag of one dot and of two, all photons and behind the gate."""
    ratios = np.array([0.03, 0.1, 0.3, 0.6])
    x = Axis(-0.05, 0.7, "biexciton yield over exciton yield", (0, 0.2, 0.4, 0.6))
    y = Axis(-0.05, 0.95, "g2(0)", (0, 0.25, 0.5, 0.75))
    panels = []
    for i, (dots, title) in enumerate(((1, "one dot"), (2, "two dots, half the light each"))):
        panel = Panel((70 + 350 * i, 40, 270, 270), x, y, title)
        panel.line([-0.05, 0.7], [0.5, 0.5], MUTED, 1, "2 3")
        panel.line([-0.05, 0.7], [0.375, 0.375], AUGER, 1, "5 3")
        found = [pair_test(float(r), dots, 15.0) for r in ratios]
        for name, ink, shift in (("all", BC, -0.008), ("gated", AUGER, 0.008)):
            tested = [f.gated if name == "gated" else f.all_photons for f in found]
            panel.bars(
                ratios + shift, [t.value or 0.0 for t in tested], [t.error or 0.0 for t in tested], ink
            )
        panel.note(-0.04, 0.9, "all photons", BC)
        panel.note(-0.04, 0.84, "behind the gate", AUGER)
        panels.append(panel)
    return figure(panels, 730, 370, "g2(0) with and without a gate")


FIGURES: Mapping[str, Callable[[], str]] = {
    f.__name__: f for f in (states, flid, trace, background, conversion, g2)
}
"""Name of each file, without its ending, and what draws it."""


def main() -> None:
    """Draw all figures, or those named."""
    parser = argparse.ArgumentParser(description="Draw the figures of docs/analysis.md.")
    parser.add_argument("names", nargs="*", choices=[[], *FIGURES], help="which; all if none is named")
    for name in parser.parse_args().names or FIGURES:
        target = Path(__file__).parent / f"{name}.svg"
        target.write_text(FIGURES[name](), encoding="utf-8")
        print(f"{target} ({target.stat().st_size // 1000} kB)")


if __name__ == "__main__":
    main()
