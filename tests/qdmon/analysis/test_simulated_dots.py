"""The paper's experiments on simulated dots, in steps shorter than its 25 s: golden rows 10, 11 and 18.

Whole experiments are in the folder golden; how often they come out right over many dots is the business of
tests/benchmarks/paper_experiments.py.
"""

import pytest

from tests.qdmon.analysis.simulated import Experiment, experiment

# A dot that converts early in the second step.
CONVERTING_SEED = 6


def converting() -> Experiment:
    return experiment("cdse-zns-2nm", CONVERTING_SEED, ((0.2, 12.0), (1.4, 10.0), (0.2, 9.0)))


def reversing() -> Experiment:
    return experiment("mapbbr3", 0, ((0.1, 10.0), (1.0, 8.0), (0.1, 7.0)))


def test_row_10_the_converted_dot_has_lost_15_percent_of_its_bright_level() -> None:
    change = converting().watched.snapshot.intensity_change.value
    assert change is not None
    assert -0.17 <= change <= -0.13
    unchanged = reversing().watched.snapshot.intensity_change.value
    assert unchanged == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("step", [0, 2])
def test_row_11_the_blinking_rate_is_that_of_the_dot_to_a_third_of_a_blink_per_second(step: int) -> None:
    found = converting().segments[step].blinking_rate_hz.value
    truth = converting().true_window(step).blinking_rate_hz
    assert found is not None
    assert truth is not None
    assert found == pytest.approx(truth, abs=0.3)


def test_the_charging_rate_of_a_simulated_dot_is_that_of_its_state_path() -> None:
    found = converting().segments[0].charging_rate_hz
    truth = converting().true_window(0).charging_rate_hz
    assert truth is not None
    assert found.value == pytest.approx(truth, rel=0.15)


def test_row_18_the_biexciton_yield_is_read_off_g2_at_low_fluence() -> None:
    dot = reversing()
    g2 = dot.segments[0].g2.zero
    ratio = dot.truth.preset.dot.exciton.biexciton_yield_ratio
    assert g2.value is not None
    assert g2.error is not None
    # Charged and trapped stretches lower or raise it a little: the bright dot's ratio is the scale.
    assert abs(g2.value - ratio) < 4 * g2.error + 0.03
    assert dot.watched.snapshot.g2.single_emitter is True


def test_a_fluence_step_is_no_cluster_alarm() -> None:
    assert all(s.g2.single_emitter is True for s in converting().segments)


def test_rates_after_a_conversion_say_nothing_about_how_charging_grows_with_fluence() -> None:
    assert converting().watched.snapshot.charging.exponent.value is None
