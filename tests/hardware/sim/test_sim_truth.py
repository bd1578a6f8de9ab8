"""The hidden state, and the types it is called by."""

import json

import numpy as np
import pytest

from hardware.sim.controls import b_type, never_blinks, two_trions
from hardware.sim.presets import find_preset
from hardware.sim.simulation import DotSimulation, slow_truth
from hardware.sim.state import Charge, StatePath
from hardware.sim.truth import Truth, blinking_type
from tests.hardware.sim import sim_measures as measure


def truth_of(*, charge: list[int], trapping: list[float], seconds: list[float]) -> Truth:
    """A 2 nm dot with a path written by hand, under <N> = 0.1."""
    stop = np.cumsum(seconds)
    zeros = np.zeros(len(stop))
    path = StatePath(
        stop - seconds, stop, zeros + 0.1, np.array(charge, np.int8), np.array(trapping, float), zeros, zeros
    )
    return Truth(find_preset("cdse-zns-2nm"), 0, path, None, None)


def test_loss_and_share_of_a_path_written_by_hand() -> None:
    # A quarter of the time a trion (I2/I1 = 0.3684), a quarter a trap as fast as the decay (q = 0.5).
    truth = truth_of(charge=[0, 1, 0, 0], trapping=[0.0, 0.0, 0.0, 1 / 24.7], seconds=[1, 1, 1, 1])
    window = truth.window(0.0, 4.0)
    auger, traps = 0.25 * (1 - 1.82 * 5.0 / 24.7), 0.25 * 0.5
    assert window.loss == pytest.approx(auger + traps)
    assert window.auger_share == pytest.approx(auger / (auger + traps))
    assert window.blinking == "mixed"
    assert window.charging_events == 1
    assert window.charging_rate_hz == pytest.approx(1 / 3)
    assert window.blinking_rate_hz == pytest.approx(2 / 4)


def test_a_window_cuts_the_stretches_it_begins_and_ends_in() -> None:
    truth = truth_of(charge=[0, 1, 0], trapping=[0.0, 0.0, 0.0], seconds=[1, 1, 1])
    assert truth.window(0.5, 1.5).loss == pytest.approx(0.5 * (1 - 1.82 * 5.0 / 24.7))
    assert truth.window(2.0, 3.0).blinking == "none"
    np.testing.assert_allclose(truth.trace(0.5, 2.5, 1.0), [0.5 + 0.1842, 0.5 + 0.1842], atol=1e-3)


@pytest.mark.parametrize(
    ("loss", "auger", "hot", "expected"),
    [
        (0.02, 1.0, 0.0, "none"),
        (0.2, 0.95, 0.0, "auger"),
        (0.2, 0.1, 0.0, "bc"),
        (0.2, 0.75, 0.0, "mixed"),
        (0.2, 0.0, 0.9, "hc"),
        (0.0, None, None, "none"),
    ],
)
def test_types_follow_share_and_loss(
    loss: float, auger: float | None, hot: float | None, expected: str
) -> None:
    assert blinking_type(loss, auger, hot) == expected


def test_a_dot_without_traps_and_charges_does_not_blink() -> None:
    truth = slow_truth(never_blinks(), 1, measure.protocol([0.2]), 25.0)
    assert truth.window(0.0, 25.0).blinking == "none"


def test_a_b_type_dot_loses_intensity_at_constant_lifetime() -> None:
    preset = measure.quiet(b_type())
    simulation = DotSimulation(preset, 4)
    photons = simulation.advance(100_000_000, 0.1)
    window = simulation.truth.window(0.0, 20.0)
    assert window.blinking == "hc"
    assert (window.loss or 0.0) > 0.05
    counts = measure.binned(photons, preset, 20.0)
    per_photon = np.repeat(counts, counts)
    dim = photons.nanotime[per_photon < 500]
    bright = photons.nanotime[per_photon > 700]
    assert len(dim) > 10_000
    assert dim.mean() == pytest.approx(bright.mean(), rel=0.03)


def test_two_trions_have_two_charged_lifetimes() -> None:
    truth = slow_truth(two_trions(), 1, measure.protocol([0.2]), 25.0)
    assert {Charge.TRION, Charge.GREY} <= set(truth.path.charge.tolist())
    assert truth.window(0.0, 25.0).blinking == "auger"


def test_a_dot_that_never_charges_cannot_have_two_trions() -> None:
    with pytest.raises(ValueError, match="never charges"):
        two_trions("cdse-zns-1.2nm")


def test_the_record_is_json_with_every_step_and_the_path() -> None:
    preset = find_preset("cdse-zns-2nm")
    record = json.loads(slow_truth(preset, 1, measure.protocol(preset.fluences), 75.0).to_json())
    assert [step["mean_excitation"] for step in record["steps"]] == [0.2, 1.4, 0.2]
    assert [step["blinking"] for step in record["steps"]][::2] == ["auger", "bc"]
    assert 25.0 < record["conversion_s"] < 50.0
    assert record["steps"][2]["peak_nm"] == pytest.approx(641.0, abs=0.01)
    assert all(0.0 < row[3] <= 1.0 for row in record["path"])


def test_a_dot_that_has_not_lived_has_an_empty_record() -> None:
    record = json.loads(DotSimulation("mapbbr3", 1).truth.to_json())
    assert record["steps"] == record["path"] == []


def test_a_window_without_light_says_nothing() -> None:
    simulation = DotSimulation("cdse-zns-2nm", 1)
    simulation.advance(1_000_000, 0.0)
    window = simulation.truth.window(0.0, 0.2)
    assert (window.loss, window.blinking, window.charging_rate_hz) == (None, None, None)


def test_neutralisation_follows_a_power_law_between_its_bounds() -> None:
    truth = slow_truth(find_preset("cspbbr3-large"), 1, measure.protocol([1.0], 400.0), 400.0)
    path = truth.path
    charged = path.charge == Charge.TRION
    begins = path.start_s[1:][charged[1:] & ~charged[:-1]]
    ends = path.stop_s[:-1][charged[:-1] & ~charged[1:]]
    dwell = ends - begins[: len(ends)]  # it begins neutral
    low, high = 6.0, 50.0  # mean of 1/k for k^-0.5 on [low, high]
    expected = (low**-0.5 - high**-0.5) / (high**0.5 - low**0.5)
    assert dwell.mean() == pytest.approx(expected, rel=0.12)
