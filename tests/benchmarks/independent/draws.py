"""Dots, set-ups and protocols as different laboratories might have them, drawn from a seed."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from tests.benchmarks.independent.dot import Case, Charging, Dwell, Emitter, Epoch, SetUp, Steady, Traps
from tests.benchmarks.independent.path import mean_dwell, mean_trapping_loss

__all__ = ["draw"]

MOST_PER_PULSE = 0.12  # detected photons per pulse at the strongest excitation: no physicist goes beyond
KINDS = ("auger", "auger", "bc", "bc", "mixed", "mixed", "hc", "still", "sweep", "sweep", "sweep", "sweep")
SHORTEST_S = 0.002


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def several(excitation: float) -> float:
    """Chance of two or more excitons after a pulse."""
    return 1 - (1 + excitation) * float(np.exp(-excitation))


def draw(seed: int) -> Case:
    """The case of a seed."""
    rng = np.random.default_rng([seed, 1])
    kind = KINDS[seed % len(KINDS)]
    sweep = kind == "sweep"
    steps = _ramp(rng) if sweep else ((0.0, log_uniform(rng, 0.05, 0.4)),)
    stop_s = steps[-1][0] + float(rng.choice([15, 20, 30] if sweep else [10, 25, 25, 25]))
    setup = _setup(rng, told=sweep)
    emitter = _emitter(rng, setup, [n for _, n in steps])
    setup = replace(setup, background_cps=_background(rng, emitter))
    case = Case(seed, kind, emitter, setup, (), steps)
    edges = [*(t for t, _ in steps), stop_s]
    plain = tuple(Epoch(a, b, n) for a, b, (_, n) in zip(edges[:-1], edges[1:], steps, strict=True))
    return _sweep(case, plain, rng) if sweep else _static(case, plain[0], kind, rng)


def _ramp(rng: Generator) -> tuple[tuple[float, float], ...]:
    """Fluence steps: up and back, or up in several."""
    low, high = rng.uniform(0.08, 0.2), rng.uniform(0.9, 1.5)
    length = float(rng.choice([15, 20, 25, 30]))
    if rng.random() < 0.7:
        return ((0.0, low), (length, high), (2 * length, low))
    number = int(rng.integers(3, 6))
    ramp = np.geomspace(low, high, number)
    back = rng.random() < 0.6
    values = [*ramp, low] if back else [*ramp]
    return tuple((i * length, float(n)) for i, n in enumerate(values))


def _setup(rng: Generator, *, told: bool) -> SetUp:
    """Laser, detectors and card; each complication in a part of the cases."""
    period_ns = float(rng.choice([50, 100, 100, 200, 200, 400]))
    allowed = [r for r in (4, 8, 16, 32, 64, 128, 256, 512) if period_ns * 1000 / r < 32768]
    exact = rng.random() < 0.15
    tailed = not exact and rng.random() < 0.4
    return SetUp(
        period_ns=period_ns,
        resolution_ps=float(rng.choice(allowed)),
        pulse_at_ns=float(rng.choice([0.0, 2.0, 10.0, rng.uniform(0.6, 0.9) * period_ns])),
        fwhm_ps=0.0 if exact else log_uniform(rng, 30, 600),
        tail_share=float(rng.uniform(0.05, 0.3)) if tailed else 0.0,
        tail_ns=float(rng.uniform(0.2, 1.0)),
        second_share=float(rng.choice([0.5, 0.5, 0.4, 0.7])),
        delay_ns=float(rng.choice([0.0, 0.0, rng.uniform(0.2, 3), rng.uniform(3, 20)])),
        dead_ns=float(rng.choice([0.0, 22.0, 45.0, 77.0])),
        afterpulse=float(rng.choice([0.0, 0.005, 0.02])),
        scatter=float(rng.choice([0.0, 0.0, 0.01, 0.05])),
        background_cps=0.0,
        following=float(rng.choice([0.0, 0.5, 0.9])),
        stated=told or rng.random() < 0.5,
    )


def _emitter(rng: Generator, setup: SetUp, excitations: list[float]) -> Emitter:
    """A dot whose brightness the set-up can count and whose decay fits three times into the period."""
    period_s = setup.period_ns * 1e-9
    top = -np.expm1(-max(excitations)) / -np.expm1(-excitations[0])
    brightest = min(MOST_PER_PULSE / period_s, 200_000.0) / top
    bright = min(log_uniform(rng, 5e3, 150e3 / max(1.0, top / 3)), brightest)
    beta = float(rng.uniform(1.5, 2.5))
    ratio = min(log_uniform(rng, 0.07, 0.4), 0.75 / beta)
    return Emitter(
        lifetime_ns=min(log_uniform(rng, 5, 60), setup.period_ns / 3),
        bright_cps=bright,
        at_excitation=excitations[0],
        charged_ratio=ratio,
        grey_ratio=min(ratio * rng.uniform(1.5, 2.5), 0.85 / beta),
        beta=beta,
        biexciton=float(rng.choice([0.0, rng.uniform(0.0, 0.15)])),
        trap_when_charged=float(rng.choice([1.0, 1.0, 0.5])),
    )


def _background(rng: Generator, emitter: Emitter) -> float:
    """1 to 20 % of the dim level."""
    return log_uniform(rng, 0.01, 0.2) * emitter.bright_cps * emitter.beta * emitter.charged_ratio


def _dwell(rng: Generator) -> Dwell:
    """Power law from 2 ms to seconds, or exponential."""
    if rng.random() < 0.3:
        return Dwell(log_uniform(rng, 0.01, 0.4))
    return Dwell(SHORTEST_S * rng.choice([1, 1, 5]), log_uniform(rng, 0.5, 5), float(rng.uniform(1.2, 2.0)))


def _charging(rng: Generator) -> Charging:
    return Charging(_dwell(rng), _dwell(rng), grey=float(rng.choice([0.0, 0.0, 0.3])))


def _slower(law: Dwell, factor: float) -> Dwell:
    """The same law with all dwells longer by a factor (the cut at a minute at most)."""
    least = max(law.shortest_s * factor, 2e-4)
    return replace(law, shortest_s=least, longest_s=max(min(law.longest_s * factor, 60.0), 5 * least))


def _traps(rng: Generator, seed: int) -> Traps:
    model = str(rng.choice(["telegraph", "telegraph", "centres", "diffusing", "levels"]))
    strength = log_uniform(rng, 0.5, 6)
    fastest, spread = log_uniform(rng, 30, 500), log_uniform(rng, 30, 500)
    if model == "diffusing":
        step = Dwell(0.002, float(rng.uniform(0.02, 0.2)))
        return Traps("diffusing", 1, strength * 2, step, 0, 1, seed=seed)
    if model == "levels":
        return Traps("levels", int(rng.integers(2, 7)), strength * 2, _dwell(rng), 0, 1, seed=seed)
    if model == "centres":
        number = int(rng.integers(4, 13))
        return Traps("centres", number, 2 * strength / number**0.5, Dwell(1), fastest, spread * 10, seed=seed)
    return Traps("telegraph", int(rng.integers(1, 31)), strength, Dwell(1), fastest, spread, seed=seed)


def _for_share(charging: Charging, loss: float, trap_loss: float, share: float) -> Charging:
    """Charging as often as makes Auger take a share of the loss."""
    part = share * trap_loss / (share * trap_loss + (1 - share) * loss)
    part = min(part, 0.85)
    wanted = mean_dwell(charging.charged) * (1 - part) / part
    return replace(charging, neutral=_slower(charging.neutral, wanted / mean_dwell(charging.neutral)))


def _static(case: Case, plain: Epoch, kind: str, rng: Generator) -> Case:
    """One fluence."""
    traps, charging = _traps(rng, case.seed), _charging(rng)
    emitter = case.emitter
    if kind == "auger":
        epoch = replace(plain, charging=charging)
    elif kind == "bc":
        epoch = replace(plain, traps=traps)
    elif kind == "mixed":
        charging = _for_share(
            charging,
            1 - emitter.beta * emitter.charged_ratio,
            mean_trapping_loss(traps, case.seed),
            float(rng.uniform(0.15, 0.9)),
        )
        epoch = replace(plain, traps=traps, charging=charging)
    elif kind == "hc":
        levels = (1.0, 0.0) if rng.random() < 0.3 else (1.0, *rng.uniform(0.1, 0.8, int(rng.integers(1, 5))))
        epoch = replace(plain, steady=Steady(tuple(float(x) for x in levels), _dwell(rng)))
    else:
        epoch = replace(plain, charging=charging if rng.random() < 0.4 else None)
        if rng.random() < 0.5:
            middle = plain.stop_s * rng.uniform(0.3, 0.5)
            ended = replace(plain, start_s=middle, stop_s=plain.stop_s + 15, bleached=True)
            return replace(case, kind="bleach", epochs=(replace(epoch, stop_s=middle), ended))
        case = replace(case, kind="auger" if epoch.charging else "none")
    return replace(case, epochs=(epoch,))


def _sweep(case: Case, plain: tuple[Epoch, ...], rng: Generator) -> Case:
    """Several fluences: converted for good, changed and back, or the same throughout."""
    kind = str(rng.choice(["auger>bc", "auger>bc", "bc>mixed", "bc>auger", "auger", "bc", "mixed", "hc"]))
    case = replace(case, kind=f"sweep {kind}")
    first, high = plain[0].mean_excitation, max(e.mean_excitation for e in plain)
    traps, charging = _traps(rng, case.seed), _charging(rng)
    loss = 1 - case.emitter.beta * case.emitter.charged_ratio
    trap_loss = mean_trapping_loss(traps, case.seed)
    linear = [-np.expm1(-first) / -np.expm1(-e.mean_excitation) for e in plain]
    if kind == "hc":
        steady = Steady((1.0, *(float(x) for x in rng.uniform(0.1, 0.8, 3))), _dwell(rng))
        return replace(case, epochs=tuple(replace(e, steady=steady) for e in plain))
    if kind in ("bc", "mixed"):
        # Spontaneous charging: as frequent at any fluence.
        share = float(rng.uniform(0.25, 0.8))
        both = _for_share(charging, loss, trap_loss, share) if kind == "mixed" else None
        return replace(case, epochs=tuple(replace(e, traps=traps, charging=both) for e in plain))
    if kind in ("auger", "auger>bc"):
        rates = linear if rng.random() < 0.7 else [1.0] * len(plain)
        charged = tuple(
            replace(e, charging=replace(charging, neutral=_slower(charging.neutral, r)))
            for e, r in zip(plain, rates, strict=True)
        )
        return replace(case, epochs=charged) if kind == "auger" else _converted(case, charged, traps, rng)
    share = 0.96 if kind == "bc>auger" else float(rng.uniform(0.4, 0.8))
    strong = _for_share(charging, loss, trap_loss, share)
    changed = []
    for epoch in plain:
        factor = several(high) / several(epoch.mean_excitation)
        slower = replace(strong, neutral=_slower(strong.neutral, factor))
        changed.append(replace(epoch, traps=traps, charging=slower))
    return replace(case, epochs=tuple(changed), reversible=True)


def _converted(case: Case, epochs: tuple[Epoch, ...], traps: Traps, rng: Generator) -> Case:
    """Charging until some time after a step up, trapping from then on, and a little darker for good."""
    strong = [i for i, e in enumerate(epochs) if e.mean_excitation > 0.5]
    at = int(rng.choice(strong))
    epoch = epochs[at]
    latest = 0.7 * (epoch.stop_s - epoch.start_s)
    late = 0.0 if rng.random() < 0.3 else min(float(rng.exponential(3.0)), latest)
    instant, extra = epoch.start_s + late, float(rng.uniform(0.0, 0.2))
    before = [*epochs[:at], replace(epoch, stop_s=instant)] if late > 0 else [*epochs[:at]]
    after = [
        replace(e, start_s=max(e.start_s, instant), charging=None, traps=traps, extra_rate=extra)
        for e in epochs[at:]
    ]
    returns = any(e.mean_excitation == epochs[0].mean_excitation for e in epochs[at:])
    return replace(
        case,
        epochs=(*before, *after),
        reversible=False if returns else None,
        conversion=(instant, "auger", "bc"),
    )
