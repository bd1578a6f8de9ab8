"""From <N> to power levels."""

import pytest

from hardware.protocols import LaserError
from hardware.types import Acquisition, RecordLayout
from qdmon.daemon.levels import levels_for
from qdmon.daemon.protocol import FluenceProtocol, Step

T3 = Acquisition("T3", 200_000.0, 16.0, 4096, (0, 1), RecordLayout.GENERIC_T3, "card")
T2 = Acquisition("T2", 1.0, None, 0, (0, 1), RecordLayout.GENERIC_T2, "card")


def plan(*steps: tuple[float, float]) -> FluenceProtocol:
    return FluenceProtocol("plan", tuple(Step(n, s) for n, s in steps))


def test_a_level_says_the_excitation_its_whole_steps_really_give() -> None:
    (level,) = levels_for(plan((0.2, 25.0)), T3, 0.0065)
    assert level.power_permille == 31
    assert level.mean_excitation == pytest.approx(31 * 0.0065)


def test_seconds_become_pulses_of_the_acquisition() -> None:
    (level,) = levels_for(plan((0.2, 25.0)), T3, 0.01)
    assert level.duration_pulses == 125_000_000


def test_an_uncalibrated_laser_is_refused_with_the_key_to_set() -> None:
    with pytest.raises(LaserError, match=r"laser\.mean_excitation_per_permille"):
        levels_for(plan((0.2, 1.0)), T3, None)


@pytest.mark.parametrize("mean_excitation", [11.0, 0.004])
def test_what_the_laser_cannot_reach_is_refused_with_what_it_can(mean_excitation: float) -> None:
    with pytest.raises(LaserError, match=r"out of the laser's reach \(0\.01 to 10\)"):
        levels_for(plan((mean_excitation, 1.0)), T3, 0.01)


def test_a_card_that_counts_no_pulses_cannot_time_a_protocol() -> None:
    with pytest.raises(LaserError, match="T3"):
        levels_for(plan((0.2, 1.0)), T2, 0.01)


def test_dark_is_a_level() -> None:
    (level,) = levels_for(plan((0.0, 1.0)), T3, 0.01)
    assert level.power_permille == 0
