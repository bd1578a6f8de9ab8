"""Golden rows 21-23: dots that others have described, none of them of the paper's types alone.

The rows are those of the table of golden checks in the science notes.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hardware.sim.controls import b_type
from hardware.sim.dot import Charging
from hardware.sim.presets import Preset
from qdmon.analysis.levels.groups import distinct_levels
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.results.intensity import Level
from streams.messages import End
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.levels.test_levels import sorted_dot
from tests.qdmon.analysis.simulated import experiment

CONFIDENT = 0.9


@cache
def amolf(seed: int) -> tuple[list[b.Dwell], tuple[Level, ...]]:
    """A minute of the dot, and the levels found in it."""
    rng = np.random.default_rng(seed)
    dwells = b.amolf_dot(rng, 60.0)
    _, _, levels = sorted_dot(dwells, rng, period_ns=100.0, background_cps=100.0)
    return dwells, levels


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_row_21_the_amolf_demonstration_dot_has_four_levels_with_their_rates(seed: int) -> None:
    _, levels = amolf(seed)

    # Two dwells of 10 ms that pass for one have an intensity of their own, for hundredths of a per cent.
    states = [s for s in distinct_levels(levels) if s.occupancy is not None and s.occupancy > 0.01]
    expected = sorted(b.AMOLF_LEVELS.items(), reverse=True)
    assert [s.intensity_cps.value for s in states] == pytest.approx([i for i, _ in expected], rel=0.05)
    assert [s.lifetime_ns.value for s in states] == pytest.approx([tau for _, tau in expected], rel=0.05)


def test_row_21_its_changes_of_light_are_found_and_none_is_made_up() -> None:
    dwells, levels = amolf(1)
    changes = np.cumsum([d.duration_s for d in dwells])[:-1]

    found = np.array([level.start_s for level in levels[1:]])
    distance = np.abs(found[:, None] - changes[None, :])

    assert np.mean(distance.min(axis=0) < 5e-3) >= 0.95
    assert np.mean(distance.min(axis=1) < 5e-3) >= 0.98


def confidently_of_the_paper(call: BlinkingCall) -> bool:
    """Called a type that the lifetime-constant blinks of this dot contradict, as if it were certain."""
    return call.blinking in ("auger", "bc", "mixed") and call.probabilities[call.blinking] >= CONFIDENT


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_row_22_a_dot_that_dims_at_constant_lifetime_is_hc_and_nothing_else(seed: int) -> None:
    dot = experiment(b_type(), seed, ((0.1, 8.0),))
    (segment,) = dot.segments
    assert dot.true_window(0).blinking == "hc"
    assert segment.call.blinking == "hc"
    assert max(segment.call.probabilities[t] for t in ("auger", "bc", "mixed")) < 0.1
    assert not confidently_of_the_paper(dot.watched.snapshot.window)


def trinh_dot() -> Preset:
    """Ionised as by single excitons, and hot carriers are caught: A and B-HC blinking in one dot."""
    base = b_type()
    charging = Charging(single=1.2e-5, multiple=0.0, neutralisation_hz=(6.0, 50.0))
    return replace(base, name="a-and-hc", dot=replace(base.dot, charging=charging))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_row_23_a_simulated_dot_with_a_and_hc_blinks_is_given_no_type_of_the_paper_with_confidence(
    seed: int,
) -> None:
    dot = experiment(trinh_dot(), seed, ((0.1, 8.0),))
    truth = dot.true_window(0)
    assert truth.hot_share is not None
    assert 0.3 < truth.hot_share < 0.95
    assert not confidently_of_the_paper(dot.segments[0].call)


@pytest.mark.parametrize("charged_fraction", [0.15, 0.3, 0.5])
def test_row_23_nor_is_a_textbook_one(charged_fraction: float) -> None:
    rng = np.random.default_rng(23)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_and_hc_dot(rng, 8.0, charged_fraction=charged_fraction), acq=acq)
    call = b.watch([*b.session(acq, found, stop), End("done")]).segment.call
    assert not confidently_of_the_paper(call)
