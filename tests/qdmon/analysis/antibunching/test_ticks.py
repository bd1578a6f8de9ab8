"""Correlation without a sync: the period and the detector delay come out of the pairs themselves."""

import itertools

import numpy as np
import pytest

from hardware.types import Acquisition, Photons, RecordLayout
from qdmon.analysis.antibunching.ticks import TickPairs, comb_period_ns, g2_from_ticks
from streams.messages import PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

TICK_PS = 1.0
PERIOD_NS = 12.5
DELAY_NS = 31.2


def pulsed(rng: np.random.Generator, seconds: float, *, emitters: int = 1, rate_cps: float = 3e5) -> Photons:
    """A pulsed emitter with a 1.5 ns decay on two detectors, the second one DELAY_NS late."""
    pulses = int(seconds * 1e9 / PERIOD_NS)
    each = [rng.integers(0, pulses, rng.poisson(rate_cps * seconds / emitters)) for _ in range(emitters)]
    # One photon a pulse and emitter.
    pulse = np.concatenate([np.unique(p) for p in each])
    channel = rng.integers(0, 2, len(pulse))
    t_ns = pulse * PERIOD_NS + rng.exponential(1.5, len(pulse)) + DELAY_NS * channel
    return ordered(t_ns, channel)


def continuous(rng: np.random.Generator, seconds: float, rate_cps: float = 3e5) -> Photons:
    n = rng.poisson(rate_cps * seconds)
    return ordered(rng.uniform(0, seconds * 1e9, n), rng.integers(0, 2, n))


def ordered(t_ns: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", channel: object) -> Photons:
    order = np.argsort(t_ns)
    tick = (t_ns[order] * 1e3 / TICK_PS).astype(np.uint64)
    return Photons(tick, np.zeros(len(tick), np.uint16), np.asarray(channel)[order].astype(np.uint8))


def pairs_of(photons: Photons, pieces: int = 20) -> TickPairs:
    pairs = TickPairs((0, 1), TICK_PS)
    edges = np.linspace(0, int(photons.pulse[-1]) + 1, pieces + 1).astype(np.int64).tolist()
    for first, stop in itertools.pairwise(edges):
        pairs.add(photons.between(first, stop), first, stop)
    return pairs


def test_the_period_and_the_missing_peak_of_a_pulsed_emitter_are_found() -> None:
    pairs = pairs_of(pulsed(np.random.default_rng(1), 2.0))
    assert comb_period_ns(pairs.histogram, pairs.bin_ns) == pytest.approx(PERIOD_NS, rel=1e-3)
    found = g2_from_ticks(pairs, None)
    assert found.delay_origin == "missing peak"
    assert found.detector_delay_ns == pytest.approx(DELAY_NS, abs=0.2)
    assert found.zero.value == pytest.approx(0.0, abs=0.02)
    assert found.single_emitter is True
    assert found.delay_significance is not None
    assert found.delay_significance > 10
    assert found.gated_zero.value is None


def test_two_equal_emitters_still_show_the_delay() -> None:
    found = g2_from_ticks(pairs_of(pulsed(np.random.default_rng(9), 2.0, emitters=2)), None)
    assert found.delay_origin == "missing peak"
    assert found.detector_delay_ns == pytest.approx(DELAY_NS, abs=0.2)
    assert found.single_emitter is not True


def test_a_given_delay_picks_the_peak() -> None:
    found = g2_from_ticks(pairs_of(pulsed(np.random.default_rng(2), 1.0)), DELAY_NS)
    assert found.delay_origin == "given"
    assert found.zero.value == pytest.approx(0.0, abs=0.03)
    beside = g2_from_ticks(pairs_of(pulsed(np.random.default_rng(2), 1.0)), DELAY_NS + PERIOD_NS)
    assert beside.zero.value == pytest.approx(1.0, abs=0.2)
    assert beside.delay_significance is not None
    assert abs(beside.delay_significance) < 4


def test_two_emitters_are_not_called_single() -> None:
    found = g2_from_ticks(pairs_of(pulsed(np.random.default_rng(3), 2.0, emitters=2)), DELAY_NS)
    assert found.zero.value == pytest.approx(0.5, abs=0.08)
    assert found.single_emitter is not True


def test_many_emitters_miss_no_peak() -> None:
    found = g2_from_ticks(pairs_of(pulsed(np.random.default_rng(4), 1.0, emitters=30)), None)
    assert found.zero.value is None
    assert found.single_emitter is None


def test_continuous_light_has_no_comb_and_an_unknown_g2() -> None:
    pairs = pairs_of(continuous(np.random.default_rng(5), 2.0))
    assert comb_period_ns(pairs.histogram, pairs.bin_ns) is None
    found = g2_from_ticks(pairs, None)
    assert found.zero.value is None
    assert found.upper_limit_99 is None
    assert found.single_emitter is None


def test_every_pair_within_reach_is_counted_once_wherever_the_stream_is_cut() -> None:
    photons = pulsed(np.random.default_rng(6), 0.02)
    whole, cut = pairs_of(photons, 1), pairs_of(photons, 137)
    assert np.array_equal(whole.histogram, cut.histogram)
    first, later = (photons.pulse[photons.channel == c].astype(np.int64) for c in (0, 1))
    reach = int(len(whole.histogram) / 2 * whole.bin_ns * 1e3 / TICK_PS)
    assert whole.histogram.sum() == np.count_nonzero(np.abs(later[:, None] - first) <= reach)


def test_a_t2_session_has_g2_but_no_lifetime_and_no_type() -> None:
    photons = pulsed(np.random.default_rng(7), 1.0)
    acq = Acquisition("T2", TICK_PS, None, 0, (0, 1), RecordLayout.GENERIC_T2, "card")
    stop = acq.pulses(1.01)
    watched = b.watch(
        [
            Session("0" * 32, 0, "test", "replay"),
            Segment(0, acq),
            PhotonBatch(0, 0, stop, 0, photons),
        ]
    )
    assert watched.snapshot.g2.single_emitter is True
    assert watched.snapshot.lifetime_ns.value is None
    assert watched.segment.call.blinking == "undetermined"
    assert "T2" in (watched.snapshot.window.reason or "")
