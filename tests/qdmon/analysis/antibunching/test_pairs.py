"""Pairs of two detectors: every one once, at the pulse and the gate it belongs to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import Photons
from qdmon.analysis.antibunching.pairs import (
    GATES_NS,
    MAX_LAG,
    OWN_LAGS,
    PairCounter,
    Pairs,
    shortest_delay,
)
from tests.qdmon.analysis.antibunching import pulsed

PULSES = 20_000
# Delays of the detectors on both sides of the pulse they are counted from.
CABLES = [(4.0, 4.64), (0.3, 199.0), (150.0, 20.0)]


def dense(seed: int, t0_ns: tuple[float, float] = (4.0, 4.64)) -> Photons:
    return pulsed.emitter(np.random.default_rng(seed), PULSES, 0.1, 0.3, t0_ns=t0_ns)


@pytest.mark.parametrize("t0_ns", CABLES)
def test_all_pairs_are_counted_by_the_pulse_whose_light_they_can_be(t0_ns: tuple[float, float]) -> None:
    photons, at = dense(1, t0_ns), pulsed.axis(t0_ns=t0_ns)
    pairs = pulsed.pairs_of(photons, [0, PULSES], at)
    resolution = at.resolution_ns
    delay_ns, _ = shortest_delay(at, (0, 1))
    clicks = []
    for c, zero_ns in ((0, t0_ns[0]), (1, t0_ns[0] + delay_ns)):
        mine = photons.channel == c
        since_ns = (photons.nanotime[mine] + 0.5) * resolution - zero_ns
        clicks.append(photons.pulse[mine].astype(np.int64) + np.floor((since_ns + 1.0) / 200.0).astype(int))
    lag = (clicks[1][None, :] - clicks[0][:, None]).ravel()
    expected = np.bincount(lag[np.abs(lag) <= MAX_LAG] + MAX_LAG, minlength=2 * MAX_LAG + 1)
    assert np.array_equal(pairs.lags.sum(axis=1), expected)
    assert pairs.decay.sum() == expected.sum()
    assert pairs.clicks.sum(axis=1).tolist() == [len(clicks[0]), len(clicks[1])]
    own = (clicks[0][None, :] - clicks[0][:, None])[np.triu_indices(len(clicks[0]), 1)]
    assert pairs.own[0].sum() == np.count_nonzero((own >= 0) & (own <= OWN_LAGS))


def test_the_photons_of_a_pulse_stay_together_whatever_the_cables() -> None:
    rng = np.random.default_rng(2)
    for t0_ns in CABLES:
        photons = pulsed.emitter(rng, 400_000, 0.05, 0.0, t0_ns=t0_ns)
        at = pulsed.axis(t0_ns=t0_ns)
        lags = pulsed.pairs_of(photons, [0, 400_000], at).lags.sum(axis=1)
        delay_ns, _ = shortest_delay(at, (0, 1))
        assert lags.argmin() - MAX_LAG == round((t0_ns[1] - t0_ns[0] - delay_ns) / pulsed.PERIOD_NS)
        assert lags.min() < 0.01 * np.median(lags)


@settings(max_examples=25, deadline=None)
@given(
    pulse_ns=st.floats(0, pulsed.PERIOD_NS, exclude_max=True),
    delay_ns=st.floats(-0.45 * pulsed.PERIOD_NS, 0.45 * pulsed.PERIOD_NS),
    jitter_ns=st.floats(-0.3, 0.3),
)
def test_a_pulse_anywhere_on_the_axis_has_its_pairs_at_lag_zero(
    pulse_ns: float, delay_ns: float, jitter_ns: float
) -> None:
    # One photon of each detector per pulse, and edges found a little off.
    pulse = np.arange(5, 400, 40).repeat(2)
    channel = np.tile([0, 1], len(pulse) // 2)
    photons = pulsed.clicks(pulse, pulse_ns + 1.0 + np.where(channel == 1, delay_ns, 0.0), channel, 500)
    found_ns = [(pulse_ns + jitter_ns) % pulsed.PERIOD_NS, (pulse_ns + delay_ns) % pulsed.PERIOD_NS]
    at = pulsed.axis(t0_ns=found_ns)
    assert shortest_delay(at, (0, 1))[0] == pytest.approx(delay_ns, abs=0.31)
    lags = pulsed.pairs_of(photons, [0, 500], at).lags.sum(axis=1)
    assert lags[MAX_LAG] == len(pulse) // 2
    # The nearest of the others are forty pulses away.
    assert not lags[MAX_LAG - 39 : MAX_LAG].any()
    assert not lags[MAX_LAG + 1 : MAX_LAG + 40].any()


def test_time_zero_that_drifts_over_the_end_of_the_axis_does_not_tear_pairs_apart() -> None:
    photons = pulsed.emitter(np.random.default_rng(6), 400_000, 0.05, 0.0, t0_ns=(0.0, 5.0))
    counter = PairCounter((0, 1), pulsed.axis(t0_ns=(0.05, 5.0)))
    counter.add(photons.between(0, 200_000), 0, 200_000)
    counter.use_axis(pulsed.axis(t0_ns=(199.95, 5.0)))
    counter.add(photons.between(200_000, 400_000), 200_000, 400_000)
    lags = counter.pairs.lags.sum(axis=1)
    assert lags.argmin() == MAX_LAG
    assert lags.min() < 0.01 * np.median(lags)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, PULSES - 1), max_size=15, unique=True), t0_ns=st.sampled_from(CABLES))
def test_pairs_are_counted_once_wherever_the_stream_is_cut(
    cuts: list[int], t0_ns: tuple[float, float]
) -> None:
    photons, at = dense(3, t0_ns), pulsed.axis(t0_ns=t0_ns)
    whole = pulsed.pairs_of(photons, [0, PULSES], at)
    cut = pulsed.pairs_of(photons, [0, *sorted(cuts), PULSES], at)
    for name in ("lags", "fine", "decay", "own", "clicks"):
        assert np.array_equal(getattr(whole, name), getattr(cut, name)), name
    assert whole.pulses == cut.pulses


def test_a_pair_is_behind_a_gate_if_its_earlier_photon_is() -> None:
    photons = dense(4)
    pairs = pulsed.pairs_of(photons, [0, PULSES], pulsed.axis())
    gate = 9
    resolution = pulsed.axis().resolution_ns
    arrival = (photons.nanotime + 0.5) * resolution - np.asarray(pulsed.T0_NS)[photons.channel]
    late = arrival >= GATES_NS[gate]
    kept = Photons(photons.pulse[late], photons.nanotime[late], photons.channel[late])
    behind = pulsed.pairs_of(kept, [0, PULSES], pulsed.axis())
    assert np.array_equal(pairs.lags[:, gate + 1 :].sum(axis=1), behind.lags.sum(axis=1))
    assert pairs.clicks[:, gate + 1 :].sum() == np.count_nonzero(late)


def test_pairs_of_two_stretches_add_up() -> None:
    pairs = pulsed.pairs_of(dense(5), [0, PULSES], pulsed.axis())
    twice = Pairs.none() + pairs + pairs
    assert np.array_equal(twice.lags, 2 * pairs.lags)
    assert twice.pulses == 2 * PULSES
