"""Bright biexcitons at high fluence: their light is neither a shorter lifetime nor another mechanism."""

from dataclasses import replace

import pytest

from hardware.sim.presets import find_preset
from tests.qdmon.analysis.simulated import Experiment, experiment

BIEXCITON_YIELD, MEAN_EXCITATION = 0.3, 1.4


@pytest.fixture(scope="module")
def strong() -> Experiment:
    paper = find_preset("cdse-zns-2nm")
    exciton = replace(paper.dot.exciton, biexciton_yield_ratio=BIEXCITON_YIELD)
    steady = replace(paper.dot, exciton=exciton, conversion=None)
    preset = replace(paper, name="bright biexcitons", dot=steady)
    return experiment(preset, 1, ((MEAN_EXCITATION, 6.0),))


def test_the_type_is_sure(strong: Experiment) -> None:
    call = strong.segments[-1].call
    assert call.blinking == strong.true_window(-1).blinking == "auger"
    assert call.probabilities["auger"] > 0.9


def test_the_bright_lifetime_is_that_of_the_exciton(strong: Experiment) -> None:
    exciton_ns = find_preset("cdse-zns-2nm").dot.exciton.lifetime_ns
    assert strong.segments[-1].call.states[0].lifetime_ns.value == pytest.approx(exciton_ns, rel=0.01)


def test_the_loss_is_that_of_single_excitons(strong: Experiment) -> None:
    loss = strong.segments[-1].call.loss
    assert loss.value == pytest.approx(strong.true_window(-1).loss, abs=2 * (loss.error or 0.0))
    assert (loss.error or 0.0) < 0.02
