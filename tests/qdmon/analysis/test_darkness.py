"""How long it has been dark: to the row, whatever the background scatters, and no light is overlooked."""

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.darkness import LEAST_LIGHT, dark_tail_s, light_ends

ROW_S, PULSES = 0.001, 5000
BRIGHT_CPS, BACKGROUND_CPS = 28.7e3, 1425.0
THRESHOLD_CPS = LEAST_LIGHT * BRIGHT_CPS
LONGEST_S = 11.0


def table_of(
    rng: np.random.Generator, *parts: tuple[float, float], background_cps: float = BACKGROUND_CPS
) -> BinTable:
    """Rows of a dot that gives so much light (cps) for so long (s), one part after the other."""
    light = np.concatenate([np.full(round(seconds / ROW_S), cps) for seconds, cps in parts])
    counts = rng.poisson((light + background_cps) * ROW_S)
    pulse = np.repeat(np.arange(len(counts)) * PULSES, counts).astype(np.uint64)
    table = BinTable(0, PULSES, 1, 100_000)
    nothing = np.zeros(len(pulse))
    photons = Photons(pulse, nothing.astype(np.uint16), nothing.astype(np.uint8))
    table.add_counts(photons, len(counts) * PULSES)
    return table


def tail_s(
    table: BinTable, losses: list[tuple[int, int]] | None = None, *, background_cps: float = BACKGROUND_CPS
) -> float:
    return dark_tail_s(table, ROW_S, background_cps, THRESHOLD_CPS, LONGEST_S, losses or [])


@pytest.mark.parametrize("background_cps", [20.0, BACKGROUND_CPS, 8000.0])
def test_the_noise_of_a_background_is_no_light(background_cps: float) -> None:
    for seed in range(150):
        table = table_of(
            np.random.default_rng(seed), (1.0, BRIGHT_CPS), (10.5, 0.0), background_cps=background_cps
        )
        assert tail_s(table, background_cps=background_cps) == pytest.approx(10.5, abs=0.03)


@pytest.mark.parametrize(("seconds", "share"), [(0.005, 1.0), (0.05, 0.3), (0.5, 0.1)])
def test_a_last_blink_before_the_darkness_counts(seconds: float, share: float) -> None:
    for seed in range(20):
        parts = (1.0, BRIGHT_CPS), (3.0, 0.0), (seconds, share * BRIGHT_CPS), (6.0, 0.0)
        assert tail_s(table_of(np.random.default_rng(seed), *parts)) == pytest.approx(6.0, abs=0.02)


def test_a_dim_dwell_that_the_darkness_ends_is_light() -> None:
    for seed in range(20):
        parts = (1.0, BRIGHT_CPS), (0.03, 0.25 * BRIGHT_CPS), (6.0, 0.0)
        assert tail_s(table_of(np.random.default_rng(seed), *parts)) == pytest.approx(6.0, abs=0.005)


def test_a_light_that_is_on_is_no_darkness() -> None:
    assert tail_s(table_of(np.random.default_rng(1), (3.0, 0.0), (2.0, BRIGHT_CPS))) == 0.0


def test_one_looks_back_no_further_than_asked_for() -> None:
    found = tail_s(table_of(np.random.default_rng(1), (1.0, BRIGHT_CPS), (20.0, 0.0)))
    assert found == pytest.approx(LONGEST_S, abs=0.1)


def test_time_with_losses_proves_nothing() -> None:
    table = table_of(np.random.default_rng(1), (1.0, BRIGHT_CPS), (8.0, 0.0))
    lost = [(5000 * PULSES, 6000 * PULSES)]
    assert tail_s(table, lost) == pytest.approx(3.0, abs=0.1)


def test_light_ends_where_its_last_photons_are() -> None:
    counts = np.array([9.0, 0.0, 0.0, 8.0, 10.0, 1.0, 0.0, 1.0, 0.0])
    assert light_ends(counts, 0.5, 4.5) == 5
    assert light_ends(np.zeros(5), 0.0, 5.0) == 0
    assert light_ends(np.full(5, 9.0), 0.5, 5.0) == 5
