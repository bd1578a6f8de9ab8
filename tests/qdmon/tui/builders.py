"""Snapshots of an invented dot, detailed enough to look real on every panel: results without an analysis."""

from dataclasses import replace

import numpy as np

from hardware.types import Acquisition, Loss, LossCause, RecordLayout
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion, EmissiveState
from qdmon.analysis.results.decay_fit import Decay, DecayComponent, DecayFit
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import FlidMap, Trace
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import Charging, FluenceStep, SegmentResult
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.scene import Controls, Layout, Scene
from streams.messages import LaserState, Session, Status

PERIOD_NS = 200.0
BIN_S = 0.01
STEPS = ((0.0, 0.2), (25.0, 1.4), (50.0, 0.2))
CONVERTED_AT_S = 31.4
BRIGHT = (76_000.0, 24.7)
TRION = (28_000.0, 5.0)
TRAPPED = (28_000.0, 9.1)


def acquisition() -> Acquisition:
    """A T3 run at 5 MHz."""
    return Acquisition(
        "T3", PERIOD_NS * 1e3, 16.0, 12_500, (0, 1), RecordLayout.GENERIC_T3, "Simulated MultiHarp"
    )


def call(blinking: Blinking, start_s: float, stop_s: float, p: float = 0.97) -> BlinkingCall:
    """A confident verdict with two states, or an undetermined one."""
    dim = TRION if blinking == "auger" else TRAPPED
    rest = (1.0 - p) / 4
    names: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")
    if blinking == "undetermined":
        even = dict.fromkeys(names, 0.2)
        return BlinkingCall(
            start_s, stop_s, blinking, "no dim dwell in the window yet", even,
            Estimate(None), Estimate(None), (), Estimate(None),
        )  # fmt: skip
    share = {"auger": 0.983, "bc": 0.041, "mixed": 0.75, "hc": 0.0, "none": 0.0}[blinking]
    return BlinkingCall(
        start_s,
        stop_s,
        blinking,
        None,
        {n: p if n == blinking else rest for n in names},
        Estimate(share, 0.012),
        Estimate(0.34, 0.01),
        tuple(EmissiveState(Estimate(i, 0.004 * i), Estimate(tau, 0.006 * tau)) for i, tau in (BRIGHT, dim)),
        Estimate(BRIGHT[1] * dim[0] / (BRIGHT[0] * dim[1]), 0.045),
    )


def trace(duration_s: float, seed: int = 1) -> Trace:
    """A telegraph between the bright and the dim level, dimmer for longer after the conversion."""
    rng = np.random.default_rng(seed)
    n = round(duration_s / BIN_S)
    time = np.arange(n) * BIN_S
    excitation = np.select([time < 25.0, time < 50.0], [0.2, 1.4], 0.2)
    brightness = (1 - np.exp(-excitation)) / (1 - np.exp(-0.2))
    switch = rng.random(n) < 0.05
    dim = np.zeros(n, np.bool_)
    for i in range(1, n):
        dim[i] = (rng.random() < 0.45) if switch[i] else dim[i - 1]
    off = np.where(time < CONVERTED_AT_S, TRION[1], TRAPPED[1])
    tau = np.where(dim, off, BRIGHT[1])
    depth = np.where(dim, TRION[0], BRIGHT[0] * np.where(time > CONVERTED_AT_S, 0.85, 1.0))
    counts = rng.poisson(depth * brightness * BIN_S).astype(np.int32)
    arrival = (tau * (1 + rng.normal(0, 1, n) / np.sqrt(np.maximum(counts, 1)))).astype(np.float32)
    lost = (time >= 42.0) & (time < 42.3)
    counts[lost] = 0
    return Trace(0.0, BIN_S, counts, arrival, lost)


def decay(seed: int = 2) -> Decay:
    """Two detectors, two exponentials and a background."""
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, PERIOD_NS, 0.512)
    after = np.maximum(time - 4.0, 0.0)
    shape = np.where(time >= 4.0, 0.8 * np.exp(-after / 24.7) + 0.2 * np.exp(-after / 5.0), 0.0)
    models = {c: 9_000 * g * shape + 14.0 for c, g in ((0, 1.0), (1, 0.9))}
    return Decay(
        time,
        {c: rng.poisson(m).astype(np.int64) for c, m in models.items()},
        models,
        Estimate(21.36, 0.043),
        1.04,
        DecayFit(
            (
                DecayComponent(Estimate(24.7, 0.04), Estimate(0.447, 0.002), Estimate(0.8, 0.001)),
                DecayComponent(Estimate(5.0, 0.03), Estimate(0.553, 0.002), Estimate(0.2, 0.001)),
            ),
            Estimate(13.8, 0.03),
            Estimate(20.76, 0.04),
            1.04,
            1.98,
            adequate=True,
            photons=380_000,
        ),
    )


def g2(zero: float = 0.083, seed: int = 3) -> G2:
    """Peaks every 200 ns, two-sided exponentials, with the one at zero almost missing."""
    rng = np.random.default_rng(seed)
    delay = np.arange(-1000.0, 1000.1, 4.0)
    expected = sum(
        (zero if k == 0 else 1.0) * 180 * np.exp(-np.abs(delay - k * PERIOD_NS) / 24.7) for k in range(-6, 7)
    )
    return G2(
        delay,
        rng.poisson(np.asarray(expected) + 1.0).astype(np.int64),
        Estimate(zero, 0.0093),
        0.108,
        0.64,
        "rising edges",
        True,
    )


def flid(blinking: Blinking = "auger") -> FlidMap:
    """Two blobs and what lies between them on the curve of the type."""
    lifetime, intensity = np.linspace(0, 40, 81), np.linspace(0, 100e3, 81)
    x = (lifetime[1:] + lifetime[:-1]) / 2
    y = ((intensity[1:] + intensity[:-1]) / 2)[:, None]
    i1, t1 = BRIGHT
    i2, t2 = TRION if blinking == "auger" else TRAPPED
    f = np.linspace(0, 1, 60)
    if blinking == "auger":
        curve_i = i1 * f + i2 * (1 - f)
        curve_t = (i1 * f * t1 + i2 * (1 - f) * t2) / curve_i
    else:
        curve_t = t2 + (t1 - t2) * f
        curve_i = i1 * curve_t / t1
    density = np.zeros((80, 80))
    weights = np.full(60, 2.0)
    weights[0], weights[-1] = 200.0, 700.0
    for tau, rate, weight in zip(curve_t, curve_i, weights, strict=True):
        n = rate * BIN_S
        sx, sy = tau / np.sqrt(n) + 0.3, rate / np.sqrt(n) + 500
        density += weight / (sx * sy) * np.exp(-0.5 * (((x - tau) / sx) ** 2 + ((y - rate) / sy) ** 2))
    name = "Eq. 1 (Auger)" if blinking == "auger" else "Eq. 2 (BC)"
    return FlidMap(lifetime, intensity, density.astype(np.float32), curve_t, curve_i, name)


def segment(start_s: float, stop_s: float, excitation: float, blinking: Blinking) -> SegmentResult:
    """One stretch of constant fluence."""
    return SegmentResult(
        start_s, stop_s, excitation, call(blinking, start_s, stop_s), Estimate(53_200.0, 160.0),
        Estimate(21.36, 0.043), Estimate(2.8, 0.3), Estimate(1.1, 0.2), g2(),
    )  # fmt: skip


def conversion(reversible: bool | None = None) -> Conversion:
    """Auger to BC during the bright step."""
    return Conversion(CONVERTED_AT_S, 0.2, "auger", "bc", 0.2, 1.4, 0.993, reversible)


def snapshot(
    time_s: float = 64.0,
    *,
    blinking: Blinking | None = None,
    reversible: bool | None = False,
    converted: bool = True,
) -> Snapshot:
    """The paper's experiment after `time_s` seconds: Auger, then BC from 31.4 s on."""
    changed = converted and time_s >= CONVERTED_AT_S
    now: Blinking = blinking or ("bc" if changed else "auger")
    segments = tuple(
        segment(start, min(stop, time_s), n, "bc" if converted and start > 0 else "auger")
        for (start, n), stop in zip(STEPS, (25.0, 50.0, 75.0), strict=True)
        if start < time_s
    )
    events = [Event(start, "fluence", "info", f"<N> set to {n}") for start, n in STEPS if start < time_s]
    if changed:
        text = "auger -> bc, p 0.99, <N> 0.2 -> 1.4"
        events.append(Event(CONVERTED_AT_S, "conversion", "alert", text))
    losses: tuple[Loss, ...] = ()
    if time_s > 42.3:
        losses = (Loss(210_000_000, 211_500_000, LossCause.FIFO_OVERRUN, 16_000),)
        events.append(Event(42.0, "loss", "warning", "fifo overrun, 0.3 s, about 16000 photons"))
    shown = trace(time_s)
    return Snapshot(
        acquisition=acquisition(),
        time_s=time_s,
        photons=int(shown.counts.sum()),
        channel_photons={0: int(shown.counts.sum()) // 2, 1: int(shown.counts.sum()) // 2},
        rate_cps=Estimate(53_210.0, 163.0),
        channel_rate_cps={0: 27_400.0, 1: 25_800.0},
        lifetime_ns=Estimate(21.36, 0.043),
        trace=shown,
        decay=decay(),
        g2=g2(),
        flid=flid("auger" if now == "auger" else "bc"),
        window=call(now, max(0.0, time_s - 4.0), time_s),
        segment=segments[-1],
        segments=segments,
        conversions=(conversion(reversible),) if changed else (),
        fluence_steps=tuple(FluenceStep(s, n) for s, n in STEPS if s < time_s),
        calibration=Calibration({0: 150.0, 1: 150.0}, "dark stretch", "rising edge", {0: 4e3, 1: 4.6e3}, ()),
        charging=Charging(Estimate(None)),
        intensity_change=Estimate(-0.15, 0.004),
        spectral_shift_nm=Estimate(None),
        peak_nm=Estimate(None),
        losses=losses,
        lost_s=0.3 if losses else 0.0,
        events=tuple(sorted(events, key=lambda e: e.time_s)),
    )


def empty_snapshot() -> Snapshot:
    """A run that has only begun: arrays empty, everything unknown."""
    nothing = np.empty(0)
    return replace(
        snapshot(30.0),
        time_s=0.0,
        photons=0,
        rate_cps=Estimate(None),
        lifetime_ns=Estimate(None),
        channel_rate_cps={},
        trace=Trace(0.0, BIN_S, np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.bool_)),
        decay=Decay(nothing, {}, {}, Estimate(None), None),
        g2=G2(nothing, np.empty(0, np.int64), Estimate(None), None, 0.0, "none", None),
        flid=FlidMap(nothing, nothing, np.empty((0, 0), np.float32), nothing, nothing, ""),
        window=call("undetermined", 0.0, 0.0),
        segment=None,
        segments=(),
        fluence_steps=(),
        events=(),
    )


def live_link(now_s: float = 100.0, *, silent_s: float = 0.0) -> LinkState:
    """A simulated session, running, the laser on."""
    session = Session("ab" * 16, 0, "qdmon 0.1.0", "simulated", "CdSe/ZnS 2 nm")
    return LinkState(
        phase="live",
        now_s=now_s,
        heard_s=now_s - silent_s,
        session=session,
        daemon=Status("running", "protocol step 3 of 3"),
        laser=LaserState(0, 0, True, True, 120, 120),
        lag_s=0.08,
        tick_ps=PERIOD_NS * 1e3,
    )


def scene(layout: Layout = "wide", shown: Snapshot | None = None, controls: Controls | None = None) -> Scene:
    """A scene of the default snapshot."""
    shown = shown or snapshot()
    return Scene(shown, shown, live_link(), controls or Controls(), layout)
