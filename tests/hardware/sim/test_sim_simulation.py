"""One seed is one dot: reproducible, in order, complete to its position, however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.sim.presets import find_preset
from hardware.sim.simulation import DotSimulation, simulate
from hardware.sim.truth import FluenceStep
from hardware.types import Photons


def same(first: Photons, second: Photons) -> bool:
    """Every photon equal."""
    return (
        np.array_equal(first.pulse, second.pulse)
        and np.array_equal(first.nanotime, second.nanotime)
        and np.array_equal(first.channel, second.channel)
    )


def test_the_same_seed_and_chunks_give_the_same_photons() -> None:
    first, second = (DotSimulation("cdse-zns-2nm", 7) for _ in range(2))
    for pulses, mean_excitation in ((250_000, 0.1), (123_457, 1.4), (1, 0.2), (250_000, 0.0)):
        assert same(first.advance(pulses, mean_excitation), second.advance(pulses, mean_excitation))
    assert first.truth.to_json() == second.truth.to_json()


def test_another_seed_is_another_dot() -> None:
    first, second = (DotSimulation("mapbbr3", seed).advance(500_000, 0.1) for seed in (1, 2))
    assert not same(first, second)


def test_one_long_call_is_many_chunks() -> None:
    long, short = DotSimulation("mapbbr3", 3), DotSimulation("mapbbr3", 3)
    whole = long.advance(2_000_000, 0.3)
    parts = [short.advance(500_000, 0.3) for _ in range(4)]
    assert same(whole, Photons.join(parts))


@settings(max_examples=20, deadline=None)
@given(
    chunks=st.lists(st.tuples(st.integers(0, 400_000), st.sampled_from([0.0, 0.1, 1.4])), max_size=6),
    seed=st.integers(0, 100),
)
def test_photons_are_in_order_and_within_their_chunk(chunks: list[tuple[int, float]], seed: int) -> None:
    simulation = DotSimulation("cspbbr3-small", seed)
    for pulses, mean_excitation in chunks:
        first = simulation.position
        photons = simulation.advance(pulses, mean_excitation)
        assert simulation.position == first + pulses
        assert (np.diff(photons.pulse.astype(np.int64)) >= 0).all()
        assert ((photons.pulse >= first) & (photons.pulse < simulation.position)).all()
        times = photons.pulse.astype(np.int64) * 6250 + photons.nanotime
        assert (np.diff(times) >= 0).all()


def test_a_run_takes_each_step_from_its_exact_pulse_and_is_dark_before_the_first() -> None:
    simulation = DotSimulation("cdse-zns-2nm", 1)
    steps = [FluenceStep(0.1234, 0.2), FluenceStep(0.3, 1.0)]
    positions = [position for _, position in simulation.run(steps, 0.5)]
    assert positions[-1] == 2_500_000
    assert {617_000, 1_500_000} <= set(positions)
    assert max(np.diff(positions)) <= 250_000
    assert simulation.truth.steps == ((0.0, 0.0), (0.1234, 0.2), (0.3, 1.0))


def test_simulate_gives_what_a_simulation_advanced_by_hand_gives() -> None:
    photons = Photons.join([p for p, _ in simulate("cdse-zns-3nm", [FluenceStep(0.0, 0.2)], 0.4, seed=9)])
    assert same(photons, DotSimulation("cdse-zns-3nm", 9).advance(2_000_000, 0.2))


def test_a_bleached_dot_leaves_the_background() -> None:
    simulation = DotSimulation("cdse-zns-small", 2)
    rate_hz = simulation.preset.setup.pulse_rate_hz
    while simulation.truth.bleaching_s is None:
        simulation.advance(round(rate_hz), 2.5)
        assert simulation.position < 200 * rate_hz
    dark = len(simulation.advance(round(5 * rate_hz), 0.2)) / 5
    assert dark == pytest.approx(2 * (25 + 150 + 80) + 5e6 * 4e-5 * 0.2, rel=0.15)


def test_the_memory_of_a_long_run_is_bounded() -> None:
    simulation = DotSimulation("mapbbr3", 1, history_s=2.0)
    simulation.advance(round(7.3 * simulation.preset.setup.pulse_rate_hz), 0.1)
    path = simulation.truth.path
    assert path.stop_s[-1] == pytest.approx(7.3)
    assert 2.0 <= path.stop_s[-1] - path.start_s[0] <= 4.0
    np.testing.assert_array_equal(path.start_s[1:], path.stop_s[:-1])


@pytest.mark.parametrize(("pulses", "mean_excitation"), [(-1, 0.1), (10, -0.1), (10, float("nan"))])
def test_nonsense_is_refused_in_one_line(pulses: int, mean_excitation: float) -> None:
    with pytest.raises(ValueError, match="cannot simulate"):
        DotSimulation("mapbbr3", 1).advance(pulses, mean_excitation)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        DotSimulation("mapbbr3", -1)


def test_the_acquisition_states_the_time_base() -> None:
    acquisition = DotSimulation("mapbbr3", 1).acquisition()
    assert acquisition.pulse_rate_hz == find_preset("mapbbr3").setup.pulse_rate_hz
    assert acquisition.macro_tick_ps == 100_000.0
    assert acquisition.nanotime_bins * (acquisition.resolution_ps or 0.0) == acquisition.macro_tick_ps
    assert acquisition.simulated
