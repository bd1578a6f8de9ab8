"""The charging rate of a stretch, with the dwells that are too short for its bins."""

import numpy as np
import pytest

from qdmon.analysis.switching.blinks import Blink, find_blinks
from qdmon.analysis.switching.charging_rate import ChargingRate, charging_rate
from tests.qdmon.analysis.switching.switching import Draw, charged_share, exponential, spread_rates, switching

# What a charged bin loses, of the bright level's light.
LOSS = 0.63


def seen(
    rng: np.random.Generator, rate_hz: float, charged: Draw, bin_s: float, stop_s: float
) -> ChargingRate:
    edges = switching(rng, exponential(1 / rate_hz), charged, int(1.5 * rate_hz * stop_s) + 30)
    auger = LOSS * charged_share(edges, bin_s, stop_s)
    found = charging_rate(find_blinks(auger, np.zeros(len(auger))), len(auger), bin_s)
    assert found is not None
    return found


@pytest.mark.parametrize("bin_s", [0.0015, 0.005])
@pytest.mark.parametrize(
    "charged",
    [exponential(1 / 30), spread_rates(6.0, 50.0), spread_rates(1.0, 200.0)],
    ids=["exponential", "power law", "wide power law"],
)
def test_the_rate_makes_up_for_what_is_missed_whatever_the_law_of_the_charged_dwells(
    charged: Draw, bin_s: float
) -> None:
    """Fifteen chargings a second, of which up to a quarter are not seen and a tenth run together."""
    rng = np.random.default_rng(1)
    rates = [seen(rng, 15.0, charged, bin_s, 25.0).rate_hz for _ in range(24)]
    values = np.array([r.value for r in rates], np.float64)
    errors = np.array([r.error for r in rates], np.float64)

    assert float(values.mean()) == pytest.approx(15.0, rel=0.06)
    held = np.abs(values - 15.0) < errors
    assert 0.5 <= float(held.mean()) <= 0.9
    assert float(np.mean(np.abs(values - 15.0) < 2 * errors)) >= 0.85


def test_long_dwells_need_no_correction_and_the_error_is_that_of_counting() -> None:
    rng = np.random.default_rng(2)

    found = seen(rng, 1.0, exponential(0.5), 0.001, 600.0)

    rate = found.rate_hz
    assert found.seen > 0.99
    assert rate.value is not None
    assert rate.error is not None
    assert rate.value == pytest.approx(1.0, abs=3 * rate.error)
    assert rate.error == pytest.approx(rate.value / np.sqrt(found.events), rel=0.01)


@pytest.mark.parametrize("loss", [0.27, 0.45, 0.8])
def test_the_rate_is_that_of_the_trion_the_dot_blinks_to_not_of_the_darkest_it_has(loss: float) -> None:
    """Dwells in a bright trion, beside bins in which noise takes some light, and one in a dark trion."""
    rng = np.random.default_rng(4)
    edges = switching(rng, exponential(1 / 6.0), exponential(0.037), 1000)
    auger = loss * charged_share(edges, 0.01, 60.0)
    auger[2000:2010] = 0.8
    auger += np.abs(rng.normal(0.0, 0.03 * loss, len(auger)))

    found = charging_rate(find_blinks(auger, np.zeros(len(auger)), 0.8), len(auger), 0.01)

    assert found is not None
    assert found.rate_hz.value == pytest.approx(6.0, rel=0.15)


def test_a_dwell_of_a_bin_is_seen_wherever_the_edges_of_the_bins_fall() -> None:
    first = 10.0 * np.arange(1, 100) + np.linspace(0, 1, 99)
    long = 10.0 * np.arange(100, 110)
    edges = np.sort(np.concatenate([first, first + 1.02, long, long + 5.0]))
    auger = LOSS * charged_share(edges, 1.0, 1200.0)

    found = charging_rate(find_blinks(auger, np.zeros(len(auger)), LOSS), len(auger), 0.002)

    assert found is not None
    assert found.events == 109


def test_a_rate_is_not_told_where_most_of_it_would_be_made_up() -> None:
    """Dwells of 3 ms in bins of 10: of ten hardly two are seen."""
    found = seen(np.random.default_rng(5), 5.0, exponential(0.003), 0.01, 100.0)

    assert found.seen < 0.5
    assert (found.rate_hz.value, found.rate_hz.error) == (None, None)
    count = found.at(0.1)
    assert count is not None
    assert count.log_error > 0.1


def test_what_is_not_known_of_short_dwells_makes_the_error_larger() -> None:
    found = seen(np.random.default_rng(3), 15.0, exponential(0.008), 0.005, 25.0)

    rate = found.rate_hz
    assert rate.value is not None
    assert rate.error is not None
    assert rate.error > 1.5 * rate.value / np.sqrt(found.events)


def test_a_stretch_that_begins_charged_did_not_see_that_charging() -> None:
    blinks = (Blink(0, 20, 1.0, 12.0), Blink(100, 120, 1.0, 12.0))

    found = charging_rate(blinks, 1000, 0.001)

    assert found is not None
    assert found.events == 1
    assert found.exposure_s == pytest.approx(0.96, rel=0.15)


def test_trapped_dwells_are_no_charging_events() -> None:
    trapped = tuple(Blink(a, a + 10, 0.2, 6.0) for a in range(10, 900, 50))

    none = charging_rate(trapped, 1000, 0.001)
    assert none is not None
    assert (none.events, none.rate_hz.value) == (0, None)
    found = charging_rate((*trapped, Blink(910, 950, 1.0, 25.0), Blink(970, 999, 1.0, 18.0)), 1000, 0.001)
    assert found is not None
    assert found.events == 2


def test_no_charging_in_a_second_is_no_rate_but_evidence_for_a_low_one() -> None:
    found = charging_rate((), 1000, 0.001)

    assert found is not None
    assert found.rate_hz.value is None
    count = found.at(0.1)
    assert count is not None
    assert count.events == 0
    assert count.neutral_s == pytest.approx(1.0)


def test_a_dot_that_is_never_neutral_has_no_rate() -> None:
    assert charging_rate((Blink(0, 1000, 1.0, 600.0),), 1000, 0.001) is None


def test_a_count_for_comparison_needs_a_fluence() -> None:
    found = ChargingRate(20, 4.0, 0.1, 0.9)

    assert found.at(None) is None
    count = found.at(0.2)
    assert count is not None
    assert (count.mean_excitation, count.events, count.neutral_s, count.log_error) == (0.2, 20, 4.0, 0.1)
