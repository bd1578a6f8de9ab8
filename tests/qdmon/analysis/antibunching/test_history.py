"""g2 of a segment in stretches: each with its own background, all with the same delay."""

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.antibunching.chance import Counted, SteadyLight
from qdmon.analysis.antibunching.history import PairHistory
from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.settings import AnalysisSettings
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.antibunching import pulsed

PULSES = 1_000_000
# Clicks of the dot and of the background, per detector and pulse, at a low and at a high fluence.
SWEEP = ((0.02, 0.0005), (0.05, 0.01))


def history(acq_period_ns: float = pulsed.PERIOD_NS) -> PairHistory:
    acq = b.acquisition(acq_period_ns)
    calibrator = Calibrator(acq, AnalysisSettings())
    calibrator.axis, calibrator.correlated = pulsed.axis(acq_period_ns), (0, 1)
    return PairHistory(acq, calibrator, None)


def lit(rng: np.random.Generator, dot: float, background: float, g2: float, shift: int = 0) -> Pairs:
    """Pairs of a stretch: an emitter on steady background."""
    light = pulsed.emitter(rng, PULSES, dot, g2, shift=shift)
    n = rng.poisson(2 * background * PULSES)
    steady = pulsed.clicks(
        rng.integers(0, PULSES, n), rng.uniform(0, pulsed.PERIOD_NS, n), rng.integers(0, 2, n), PULSES
    )
    both = Photons.join([light, steady])
    order = np.argsort(both.pulse, kind="stable")
    photons = Photons(both.pulse[order], both.nanotime[order], both.channel[order])
    return pulsed.pairs_of(photons, [0, PULSES], pulsed.axis())


def light_of(background: float, *, known: bool = True) -> SteadyLight:
    cps = background / (pulsed.PERIOD_NS * 1e-9)
    return SteadyLight(dict.fromkeys((0, 1), Estimate(cps, 0.01 * cps)), known=known)


def swept(g2: float) -> tuple[G2, list[G2]]:
    """g2 of a sweep that ends at high fluence, and of its two stretches."""
    rng, of_all = np.random.default_rng(3), history()
    alone = []
    for dot, background in SWEEP:
        here = lit(rng, dot, background, g2)
        light = light_of(background)
        alone.append(of_all.g2_of(here, here, light))
        whole = of_all.g2(here, light)
        of_all.keep(here, light)
    return whole, alone


def test_one_emitter_stays_one_while_the_background_grows_with_the_laser() -> None:
    whole, alone = swept(0.02)
    assert [g2.single_emitter for g2 in (whole, *alone)] == [True] * 3


def test_one_background_for_all_fluences_would_feign_a_second_emitter() -> None:
    rng = np.random.default_rng(3)
    dim, bright = (lit(rng, dot, background, 0.02) for dot, background in SWEEP)
    assert history().g2(dim + bright, light_of(SWEEP[0][1])).single_emitter is False


def test_two_emitters_stay_two_while_the_background_grows_with_the_laser() -> None:
    whole, alone = swept(0.5)
    assert whole.single_emitter is False
    assert True not in [g2.single_emitter for g2 in alone]


@pytest.mark.parametrize("truth", [0.0, 0.1, 0.5])
def test_the_whole_lies_between_its_stretches(truth: float) -> None:
    whole, alone = swept(truth)
    values = [g2.zero.value or 0.0 for g2 in alone]
    assert min(values) <= (whole.zero.value or 0.0) <= max(values)
    assert abs((whole.zero.value or 0.0) - truth) < 3 * (whole.zero.error or 0.0)


def test_a_single_stretch_is_the_whole_and_so_it_stays_once_it_is_over() -> None:
    here, light = lit(np.random.default_rng(1), 0.02, 0.002, 0.1), light_of(0.002)
    of_all = history()
    whole, alone = of_all.g2(here, light), of_all.g2_of(here, here, light)
    of_all.keep(here, light)
    after = of_all.g2(Pairs.none(), light_of(0.0, known=False))
    for name in ("zero", "gated_zero", "upper_limit_99", "single_probability", "single_emitter"):
        assert getattr(whole, name) == getattr(alone, name) == getattr(after, name), name


def test_a_stretch_of_unknown_background_waits_until_it_is_known() -> None:
    rng, of_all = np.random.default_rng(2), history()
    (dim, little), (bright, much) = SWEEP
    of_all.keep(lit(rng, dim, little, 0.0), light_of(little))
    here = lit(rng, bright, much, 0.0)
    before = of_all.g2(Pairs.none(), light_of(little))
    guessed = of_all.g2(here, light_of(little, known=False))
    known = of_all.g2(here, light_of(much))
    assert guessed.zero == before.zero
    assert guessed.single_emitter is True
    assert (known.delay_significance or 0.0) > (guessed.delay_significance or 0.0)


def test_without_any_known_background_all_pairs_count() -> None:
    rng = np.random.default_rng(5)
    parts = [
        Counted.of(lit(rng, 0.02, 0.0, 0.1), (0, 1), pulsed.axis(), light_of(0.0, known=False))
        for _ in range(2)
    ]
    together = Counted.none().with_those_of(parts[0]).with_those_of(parts[1])
    assert not together.known
    assert together.pairs.lags.sum() == sum(p.pairs.lags.sum() for p in parts)


def test_a_stretch_of_few_pairs_has_the_delay_that_the_others_showed() -> None:
    rng, of_all = np.random.default_rng(7), history()
    of_all.keep(lit(rng, 0.03, 0.0, 0.0, shift=4), light_of(0.0))
    here = lit(rng, 0.004, 0.0, 0.0, shift=4)
    found = of_all.g2_of(here, here, light_of(0.0))
    assert found.detector_delay_ns == pytest.approx(0.64 + 4 * pulsed.PERIOD_NS)
    assert found.zero.value == pytest.approx(0.0, abs=0.3)


def test_nothing_is_known_before_the_pulse_is_found() -> None:
    acq = b.acquisition()
    calibrator = Calibrator(acq, AnalysisSettings())
    found = PairHistory(acq, calibrator, None).g2(Pairs.none(), light_of(0.0))
    assert found.zero.value is None
    assert found.single_emitter is None


def test_a_sweep_whose_background_grows_leaves_a_single_emitter_single_and_the_short_delay() -> None:
    rng, acq = np.random.default_rng(8), b.acquisition()
    edges, parts = [0], []
    for background_cps in (200.0, 5000.0, 200.0):
        # The pulse falls on the very start of the axis, the second detector is a little late.
        light, stop = b.photons(
            rng, b.auger_dot(rng, 4.0), acq=acq, background_cps=background_cps, t0_ns=(0.0, 4.3)
        )
        parts.append(Photons(light.pulse + np.uint64(edges[-1]), light.nanotime, light.channel))
        edges.append(edges[-1] + stop)
    steps = [(acq.seconds(edge), n) for edge, n in zip(edges, (0.1, 1.0, 0.1), strict=False)]
    snapshot = b.watch(
        b.session(acq, Photons.join(parts), edges[-1], fluence=steps), AnalysisSettings()
    ).snapshot
    assert snapshot.g2.single_emitter is True
    for g2 in (snapshot.g2, *(s.g2 for s in snapshot.segments)):
        assert g2.detector_delay_ns == pytest.approx(4.3, abs=0.15)
    assert [s.call.reason for s in snapshot.segments if "emitter" in (s.call.reason or "")] == []


def test_g2_of_the_same_pairs_is_made_once_and_anew_with_other_pairs_light_axis_or_a_stretch_before() -> None:
    rng, of_all = np.random.default_rng(3), history()
    here = lit(rng, *SWEEP[0], 0.02)
    light = light_of(SWEEP[0][1])
    first = of_all.g2(here, light)
    assert of_all.g2_of(here, here, light) is of_all.g2(here, light_of(SWEEP[0][1])) is first
    more = of_all.g2(here + here, light)
    assert int(more.coincidences.sum()) == 2 * int(first.coincidences.sum())
    assert of_all.g2(here, light_of(0.001)).zero.value != first.zero.value
    of_all._calibrator.axis = None
    assert of_all.g2(here, light_of(0.001)).zero.value is None
    of_all._calibrator.axis = pulsed.axis()
    of_all.keep(here, light)
    assert int(of_all.g2(here, light).coincidences.sum()) == 2 * int(first.coincidences.sum())
