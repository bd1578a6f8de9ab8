"""Photons of a stretch: each is sorted once, and time without them is no time looked at."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.types import Photons
from qdmon.analysis.antibunching.pairs import PairCounter
from qdmon.analysis.calibration.after_pulses import USUAL_AFTER_PULSES, USUAL_DEAD_NS
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.stretch.photons import BASE_BIN_S, StretchPhotons
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
AXIS = TimeAxis.build(ACQ, {0: 4000.0, 1: 4640.0})
WIDTH = ACQ.pulses(BASE_BIN_S)
BINS, PER_BIN = 20, 120


def some_light(seed: int = 1, *, bins: int = BINS, from_pulse: int = 0) -> Photons:
    rng = np.random.default_rng(seed)
    n = PER_BIN * bins
    return Photons(
        np.sort(rng.integers(from_pulse, from_pulse + bins * WIDTH, n)).astype(np.uint64),
        (rng.exponential(300.0, n) + 62).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
    )


def looked_at(light: Photons, *edges: int, axis: TimeAxis = AXIS, kept_s: float = 1.0) -> StretchPhotons:
    """A stretch that saw some light in portions between these pulses."""
    found = StretchPhotons(ACQ, edges[0], kept_s)
    found.use_axis(axis, (0, 1))
    for first, stop in pairwise(edges):
        part = light.between(first, stop)
        found.count(part)
        found.sort(part, stop)
    return found


PULSE = st.integers(0, 300)


@settings(deadline=None)
@given(
    first=PULSE,
    looked=PULSE,
    losses=st.lists(st.tuples(PULSE, PULSE).map(lambda ends: (min(ends), max(ends))), max_size=6),
)
def test_time_looked_at_is_every_pulse_that_no_loss_holds(
    first: int, looked: int, losses: list[tuple[int, int]]
) -> None:
    found = StretchPhotons(ACQ, 0, 1.0)
    found.stop_pulse = looked
    lost = {pulse for start, stop in losses for pulse in range(start, stop)}
    assert found.seen_s(first, losses) == ACQ.seconds(len(set(range(first, looked)) - lost))


def test_a_rate_is_that_of_the_time_looked_at_and_errs_by_counting() -> None:
    found = looked_at(some_light(), 0, BINS * WIDTH)
    rate = found.mean_rate([(0, 5 * WIDTH)])
    assert rate.value == pytest.approx(PER_BIN * BINS / (0.75 * BINS * BASE_BIN_S))
    assert rate.error == pytest.approx((rate.value or 0.0) / np.sqrt(PER_BIN * BINS))


def test_a_rate_of_no_time_is_unknown() -> None:
    assert StretchPhotons(ACQ, 0, 1.0).mean_rate([]).value is None
    assert looked_at(some_light(), 0, BINS * WIDTH).mean_rate([(0, BINS * WIDTH)]).value is None


@settings(max_examples=20, deadline=None)
@given(cuts=st.sets(st.integers(1, BINS * WIDTH - 1), max_size=6))
def test_portions_do_not_show(cuts: set[int]) -> None:
    light, stop = some_light(), BINS * WIDTH
    whole, cut = looked_at(light, 0, stop), looked_at(light, 0, *sorted(cuts), stop)
    assert whole.table is not None
    assert cut.table is not None
    assert np.array_equal(whole.table.rows, cut.table.rows)
    assert np.array_equal(whole.histogram, cut.histogram)
    assert whole.total == cut.total == len(light)
    alone = PairCounter((0, 1), AXIS)
    alone.add(light, 0, stop)
    for found in (whole, cut):
        assert found.pairs is not None
        assert np.array_equal(found.pairs.pairs.lags, alone.pairs.lags)
        assert found.pairs.pairs.pulses == stop


def test_bins_hold_their_own_photons_and_begin_where_the_stretch_did() -> None:
    start = 7 * WIDTH + 123
    light = some_light(from_pulse=start)
    binned = looked_at(light, start, start + BINS * WIDTH).binned(start, None, [])
    assert binned is not None
    data, starts = binned
    per_bin = round(data.bin_s / BASE_BIN_S)
    assert starts[0] == pytest.approx(ACQ.seconds(start))
    assert np.diff(starts) == pytest.approx(data.bin_s)
    bin_of = (light.pulse.astype(np.int64) - start) // (per_bin * WIDTH)
    left_in = AXIS.micro_bin[light.channel, light.nanotime] != 255
    assert data.counts.sum(axis=1).tolist() == np.bincount(bin_of[left_in]).tolist()
    assert data.background_cps == 0.0


def test_bins_with_what_is_left_out_are_missing_and_the_others_stay_where_they_were() -> None:
    found = looked_at(some_light(bins=40), 0, 40 * WIDTH)
    whole, holed = found.binned(0, None, []), found.binned(0, None, [(10 * WIDTH + 1, 14 * WIDTH - 1)])
    assert whole is not None
    assert holed is not None
    assert whole[0].bin_s == BASE_BIN_S
    kept = [i for i in range(40) if not 10 <= i < 14]
    assert holed[1].tolist() == whole[1][kept].tolist()
    assert np.array_equal(holed[0].counts, whole[0].counts[kept])


def test_no_more_is_looked_back_on_than_is_to_be_kept() -> None:
    binned = looked_at(some_light(bins=40), 0, 40 * WIDTH, kept_s=0.015).binned(0, None, [])
    assert binned is not None
    assert binned[1].tolist() == pytest.approx([i * BASE_BIN_S for i in range(25, 40)])


def test_two_photons_meet_the_same_detector_as_often_as_its_light_makes_them() -> None:
    light = some_light()
    channel = (np.arange(len(light)) % 4 == 0).astype(np.uint8)
    binned = looked_at(replace(light, channel=channel), 0, BINS * WIDTH).binned(0, None, [])
    assert binned is not None
    assert binned[0].same_detector == pytest.approx(0.75**2 + 0.25**2)


def test_dead_time_is_that_of_usual_detectors_until_more_is_known_and_then_their_mean() -> None:
    found = StretchPhotons(ACQ, 0, 1.0)
    assert found.dead_time_ns == USUAL_DEAD_NS
    after = replace(USUAL_AFTER_PULSES, dead_ns=np.array([20.0, 50.0]), share=np.full(2, 0.5))
    found.use_axis(replace(AXIS, bins=replace(AXIS.bins, after_pulses=after)), None)
    assert found.dead_time_ns == pytest.approx(35.0)


def test_before_the_pulse_is_placed_photons_are_only_counted() -> None:
    found = StretchPhotons(ACQ, 0, 1.0)
    light = some_light()
    found.count(light)
    found.sort(light, BINS * WIDTH)
    assert found.binned(0, None, []) is None
    assert found.histogram.sum() == found.total == len(light)
    assert found.stop_pulse == BINS * WIDTH


def test_where_time_zero_moves_what_follows_is_sorted_by_it_and_what_was_stays() -> None:
    later = TimeAxis.build(ACQ, {0: 12_000.0, 1: 12_640.0})
    light, half, stop = some_light(), BINS // 2 * WIDTH, BINS * WIDTH
    found = looked_at(light, 0, half)
    found.move_axis(later)
    found.sort(light.between(half, stop), stop)
    first, second = looked_at(light, 0, half), looked_at(light, half, stop, axis=later)
    assert found.table is not None
    assert first.table is not None
    assert second.table is not None
    assert np.array_equal(found.table.rows, np.concatenate([first.table.rows, second.table.rows]))
    pairs = PairCounter((0, 1), AXIS)
    pairs.add(light.between(0, half), 0, half)
    pairs.use_axis(later)
    pairs.add(light.between(half, stop), half, stop)
    assert found.pairs is not None
    assert np.array_equal(found.pairs.pairs.decay, pairs.pairs.decay)


def test_light_without_nanotimes_is_counted_in_rows_and_has_no_decays() -> None:
    untimed = replace(ACQ, mode="T2", resolution_ps=None, nanotime_bins=0)
    light = some_light()
    found = StretchPhotons(untimed, 0, 1.0)
    found.count(light)
    found.sort(light, BINS * WIDTH)
    assert found.table is not None
    assert found.table.rows.sum() == len(light)
    assert found.binned(0, None, []) is None
