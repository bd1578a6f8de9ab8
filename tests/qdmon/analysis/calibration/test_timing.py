"""Where the laser pulse is on the time axis, and the coarse bins counted from it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import Acquisition, RecordLayout
from qdmon.analysis.calibration.after_pulses import AfterPulses
from qdmon.analysis.calibration.timing import LEFT_OUT, MicroBins, TimeAxis, rising_edge
from qdmon.analysis.monitor import Monitor
from tests.qdmon.analysis import builders as b


def histogram_of(
    seed: int, resolution_ps: float, t0_ns: tuple[float, float], seconds: float = 0.4
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    rng = np.random.default_rng(seed)
    acq = b.acquisition(200.0, resolution_ps)
    found, _ = b.photons(rng, b.auger_dot(rng, seconds), acq=acq, t0_ns=t0_ns)
    return np.stack(
        [np.bincount(found.nanotime[found.channel == c], minlength=acq.nanotime_bins) for c in (0, 1)]
    )


@pytest.mark.parametrize("resolution_ps", [4.0, 16.0, 64.0, 128.0])
@pytest.mark.parametrize("t0_ns", [(4.0, 4.64), (57.3, 55.1), (0.3, 199.5)])
def test_the_pulse_is_found_to_60_ps_on_either_detector(
    resolution_ps: float, t0_ns: tuple[float, float]
) -> None:
    for seed in range(3):
        counts = histogram_of(seed, resolution_ps, t0_ns)
        for channel, expected_ns in enumerate(t0_ns):
            edge = rising_edge(counts[channel], resolution_ps)
            assert edge is not None
            off = (edge.at_ps - expected_ns * 1e3 + 100e3) % 200e3 - 100e3
            assert abs(off) < 60


def test_uniform_light_shows_no_pulse() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert rising_edge(rng.poisson(40.0, 3125), 64.0) is None


def test_a_handful_of_photons_shows_no_pulse() -> None:
    assert rising_edge(np.bincount([60] * 200, minlength=3125), 64.0) is None


@given(period_ns=st.floats(8, 1000), tau_share=st.floats(0.005, 0.5), late=st.floats(0, 0.1))
def test_a_decay_and_uniform_light_are_shared_out_completely(
    period_ns: float, tau_share: float, late: float
) -> None:
    bins = MicroBins(MicroBins.for_period(period_ns).edges_ns, period_ns, late)
    assert np.all(np.diff(bins.edges_ns) > 0)
    assert bins.uniform_share.sum() == pytest.approx(1.0)
    # What a decay leaves for the guard before the next pulse is all that is missing.
    tau = tau_share * period_ns
    missing = (np.exp(-(period_ns - 1) / tau) - np.exp(-period_ns / tau)) / -np.expm1(-period_ns / tau)
    share = float(bins.share_of(np.array([tau])).sum())
    assert share == pytest.approx((1 - late) * (1 - missing) + late, abs=1e-9)


def test_every_nanotime_of_a_period_has_its_place_on_each_detectors_own_axis() -> None:
    acq = b.acquisition(100.0, 32.0)
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 90_640.0})
    assert (axis.micro_bin != LEFT_OUT).all()
    for channel, t0_ns in ((0, 4.0), (1, 90.64)):
        at_pulse = int(t0_ns * 1e3 / 32)
        assert axis.arrival_ns[channel, at_pulse] == pytest.approx(0, abs=0.04)
        assert axis.micro_bin[channel, at_pulse] == 0
        inside = (
            axis.micro_bin[channel]
            == np.searchsorted(axis.bins.edges_ns, axis.arrival_ns[channel], side="right") - 1
        )
        # Single precision may put a nanotime on the other side of an edge, never further.
        assert inside.mean() > 0.99


def test_nanotimes_beyond_the_pulse_period_and_dark_detectors_are_left_out() -> None:
    acq = Acquisition("T3", 100e3, 32.0, 4000, (0, 1), RecordLayout.GENERIC_T3, "card")
    axis = TimeAxis.build(acq, {0: 4000.0})
    assert (axis.micro_bin[0, 3126:] == LEFT_OUT).all()
    assert (axis.micro_bin[1] == LEFT_OUT).all()


def test_a_t2_recording_has_no_time_axis() -> None:
    acq = Acquisition("T2", 1.0, None, 0, (0, 1), RecordLayout.GENERIC_T2, "card")
    with pytest.raises(ValueError, match="no nanotimes"):
        TimeAxis.build(acq, {0: 0.0})


def test_a_faint_long_lived_dot_is_calibrated_on_both_detectors_or_waits() -> None:
    acq = b.acquisition()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        dwells = b.alternating(rng, 12.0, [lambda: b.Dwell(0.3, 6e3, 37.0), lambda: b.Dwell(0.1, 1e3, 6.0)])
        found, stop = b.photons(rng, dwells, acq=acq, background_cps=50.0)
        monitor = Monitor()
        for message in b.session(acq, found, stop):
            monitor.feed(message)
            snapshot = monitor.snapshot()
            if snapshot is not None and snapshot.calibration.t0_ps:
                assert sorted(snapshot.calibration.t0_ps) == [0, 1]
                break
        else:
            pytest.fail("12 s of light were not enough to place the pulse")


@settings(max_examples=60, deadline=None)
@given(
    period_ns=st.floats(20.0, 400.0),
    resolution_ps=st.sampled_from([4.0, 16.0, 64.0, 97.3, 128.0, 256.0, 512.0]),
    t0_share=st.tuples(st.floats(0.0, 0.999), st.floats(0.0, 0.999)),
    light=st.floats(0.1, 0.9),
    tau_share=st.floats(0.02, 0.35),
)
def test_the_shares_of_a_decay_are_those_of_the_tcspc_bins_its_light_falls_into(
    period_ns: float, resolution_ps: float, t0_share: tuple[float, float], light: float, tau_share: float
) -> None:
    acq = Acquisition(
        "T3",
        period_ns * 1e3,
        resolution_ps,
        int(np.ceil(period_ns * 1e3 / resolution_ps)),
        (0, 1),
        RecordLayout.GENERIC_T3,
        "card",
    )
    t0_ns = [share * period_ns for share in t0_share]
    weight = {0: light, 1: 1 - light}
    axis = TimeAxis.build(acq, {c: 1e3 * t for c, t in enumerate(t0_ns)}, light=weight)
    tau_ns = tau_share * period_ns
    # Light at equal steps of probability, folded into the period.
    chance = (np.arange(200_000) + 0.5) / 200_000
    delay_ns = -tau_ns * np.log1p(-chance)
    seen = np.zeros(axis.bins.count)
    uniform = np.zeros(axis.bins.count)
    for channel, t0 in enumerate(t0_ns):
        nanotime = ((t0 + delay_ns) % period_ns * 1e3 / resolution_ps).astype(np.int64)
        even = (chance * period_ns * 1e3 / resolution_ps).astype(np.int64)
        for counts, at in ((seen, nanotime), (uniform, even)):
            micro = axis.micro_bin[channel, np.minimum(at, acq.nanotime_bins - 1)]
            assert (micro != LEFT_OUT).all()
            counts += weight[channel] * np.bincount(micro, minlength=axis.bins.count) / len(chance)
    np.testing.assert_allclose(axis.bins.share_of(np.array([tau_ns]))[0, 1:], seen[1:], atol=1e-4)
    np.testing.assert_allclose(axis.bins.uniform_share, uniform, atol=1e-4)


@pytest.mark.parametrize("resolution_ps", [16.0, 128.0, 256.0])
@pytest.mark.parametrize("t0_ns", [0.0, 0.05, 99.9])
def test_a_pulse_at_the_end_of_a_period_that_cuts_a_bin_short_is_found(
    resolution_ps: float, t0_ns: float
) -> None:
    rng = np.random.default_rng(3)
    time_ns = (t0_ns + rng.exponential(20.0, 60_000) + rng.normal(0, 0.1, 60_000)) % 100.1
    counts = np.bincount((time_ns * 1e3 / resolution_ps).astype(np.int64))
    edge = rising_edge(counts, resolution_ps, 100.1e3)
    assert edge is not None
    assert 0 <= edge.at_ps < 100.1e3
    off_ps = (edge.at_ps - t0_ns * 1e3 + 50e3) % 100.1e3 - 50e3
    assert abs(off_ps) < max(60, resolution_ps / 2)


def test_after_pulses_that_were_counted_come_on_top_of_the_decay() -> None:
    bins = MicroBins.for_period(200.0)
    after = AfterPulses(np.array([77.0]), np.array([50.0]), np.ones(1), (0.02, 0.001), measured=True)
    more = replace(bins, after_pulses=after).share_of(np.array([5.0]))[0] - bins.share_of(np.array([5.0]))[0]
    assert more.sum() == pytest.approx(0.02, rel=0.01)
    assert more[bins.edges_ns[1:] < 70].sum() < 0.2 * more.sum()
    unknown = replace(bins, after_pulses=replace(after, measured=False))
    np.testing.assert_array_equal(unknown.share_of(np.array([5.0])), bins.share_of(np.array([5.0])))
    assert not bins.same_as(unknown)
