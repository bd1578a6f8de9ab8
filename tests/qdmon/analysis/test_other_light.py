"""A lamp is switched on in the middle: told, left out, and the dot is what it was."""

from functools import cache

import numpy as np
import pytest

from hardware.types import Acquisition, Photons
from streams.messages import End
from tests.qdmon.analysis import builders as b

LAMP_S, LAMP_CPS = (4.0, 6.0), 30e3


def with_lamp(acq: Acquisition, dot: Photons, cps: float, seed: int = 3) -> Photons:
    """Steady light of so many counts/s in both detectors together, for two seconds."""
    rng = np.random.default_rng(seed)
    first, stop = (acq.pulses(t) for t in LAMP_S)
    n = rng.poisson(cps * (LAMP_S[1] - LAMP_S[0]))
    pulse = np.concatenate([dot.pulse, rng.integers(first, stop, n).astype(np.uint64)])
    order = np.argsort(pulse, kind="stable")
    nanotime = np.concatenate([dot.nanotime, rng.integers(0, acq.nanotime_bins, n).astype(np.uint16)])
    channel = np.concatenate([dot.channel, rng.integers(0, 2, n).astype(np.uint8)])
    return Photons(pulse[order], nanotime[order], channel[order])


@cache
def lit(kind: str, cps: float = LAMP_CPS) -> b.Watched:
    rng = np.random.default_rng(12)
    acq = b.acquisition()
    dwells = b.DOTS[kind](rng, 8.9)
    found, stop = b.photons(rng, dwells, acq=acq)
    return b.watch([*b.session(acq, with_lamp(acq, found, cps), stop), End("done")], dwells=dwells)


@pytest.mark.parametrize("kind", ["auger", "bc"])
def test_a_lamp_moves_neither_the_levels_nor_the_type(kind: str) -> None:
    call = lit(kind).segment.call
    leaning = max(call.probabilities, key=lambda t: call.probabilities[t])
    assert call.blinking in (kind, "undetermined")
    if call.blinking == kind:
        assert leaning == kind
    assert call.states[0].intensity_cps.value == pytest.approx(76e3, rel=0.02)
    assert call.states[0].lifetime_ns.value == pytest.approx(24.7, rel=0.02)


def test_a_lamp_is_told_once_with_its_time() -> None:
    (told,) = [e for e in lit("auger").events if e.kind == "other light"]
    assert told.severity == "warning"
    assert told.time_s == pytest.approx(LAMP_S[0], abs=0.3)
    assert "left out" in told.text


def test_a_lamp_is_no_second_emitter() -> None:
    assert "second emitter" not in lit("auger", 100e3).kinds()
    call = lit("auger", 100e3).segment.call
    assert call.blinking == "auger" or "light that is not the dot's" in (call.reason or "")


def test_a_dot_without_a_lamp_has_no_other_light() -> None:
    assert "other light" not in b.watched_dot("mixed", 8.9).kinds()
