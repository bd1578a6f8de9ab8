"""Blinks read row by row from a known bright level: right label, right time, whatever the cut."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.reader import BlinkReader
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel, Trion, row_states
from tests.qdmon.analysis import builders as b

BRIGHT = BrightLevel(76e3, 24.7)
FLOOR = Floor(400.0, 0.0)
ROW_S = 0.001


@cache
def dot(kind: str, duration_s: float = 6.0) -> tuple[Photons, int, tuple[b.Dwell, ...]]:
    rng = np.random.default_rng(71)
    dwells = b.DOTS[kind](rng, duration_s)
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    return found, stop, tuple(dwells)


def read(
    found: Photons,
    stop: int,
    *,
    every_s: float = 0.1,
    bright: BrightLevel = BRIGHT,
    losses: list[tuple[int, int]] | None = None,
    floor: Floor = FLOOR,
) -> tuple[list[Mark], list[Mark]]:
    """All blinks, and those that were seen going on."""
    acq = b.acquisition()
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
    table = BinTable(0, acq.pulses(ROW_S), axis.bins.count, 100_000)
    reader = BlinkReader(0)
    marks: list[Mark] = []
    seen: list[Mark] = []
    position, width = 0, acq.pulses(every_s)
    while position < stop:
        upto = min(position + width, stop)
        table.add_decays(found.between(position, upto), upto, axis.micro_bin, axis.arrival_ns)
        position = upto
        new, going_on = reader.read(table, axis.bins, bright, floor, losses or [], ROW_S)
        marks += new
        seen += going_on
    return marks, seen


def clear_dwells(dwells: tuple[b.Dwell, ...], least_s: float = 0.01) -> list[tuple[float, float]]:
    """(start, stop) of the dim dwells that last, with bright ones that last on either side."""
    edges = np.concatenate([[0.0], np.cumsum([d.duration_s for d in dwells])])
    return [
        (float(edges[i]), float(edges[i + 1]))
        for i in range(1, len(dwells) - 1)
        if dwells[i].rate_cps < 0.6 * BRIGHT.cps
        and all(dwells[k].duration_s > least_s for k in (i - 1, i, i + 1))
    ]


@pytest.mark.parametrize(("kind", "sign"), [("auger", 1), ("bc", -1)])
def test_every_clear_dwell_is_read_as_what_it_was(kind: str, sign: int) -> None:
    found, stop, dwells = dot(kind)
    marks, _ = read(found, stop)
    for start_s, stop_s in clear_dwells(dwells):
        (mark,) = [m for m in marks if m.start_s < stop_s - 0.003 and m.stop_s > start_s + 0.003]
        assert mark.start_s == pytest.approx(start_s, abs=0.004)
        assert mark.stop_s == pytest.approx(stop_s, abs=0.004)
        assert sign * mark.odds > 5
    assert all(sign * m.odds > -3 for m in marks)


def test_a_light_foreseen_wrong_by_a_fifth_or_by_ten_is_found_out() -> None:
    found, stop, _ = dot("auger")
    right, _ = read(found, stop)
    for wrong in (0.8, 1.2, 0.1, 10.0):
        marks, _ = read(found, stop, bright=BrightLevel(BRIGHT.cps * wrong, BRIGHT.lifetime_ns))
        assert sum(m.odds > 5 for m in marks) == pytest.approx(sum(m.odds > 5 for m in right), abs=2)
        assert not any(m.odds < -3 for m in marks)


def test_of_light_that_wanders_a_blink_says_less() -> None:
    """The laser may have been a tenth stronger or weaker in it."""
    found, stop, _ = dot("auger")
    surely, _ = read(found, stop)
    hardly, _ = read(found, stop, bright=replace(BRIGHT, wander=0.1))
    assert len(hardly) == pytest.approx(len(surely), abs=3)
    odds = [np.median(np.abs([m.odds for m in marks])) for marks in (surely, hardly)]
    assert odds[1] < 0.9 * odds[0]
    assert all(m.odds > -3 for m in hardly)


@pytest.mark.parametrize("charged", [True, False])
def test_of_a_trion_that_is_known_a_short_blink_says_more(charged: bool) -> None:
    """Most of its light is over at the gate, so that a trap would pass for it; a trap still is one."""
    rng = np.random.default_rng(72)
    trion = Trion(0.13, 1.55)
    dim = b.Dwell(0.03, trion.level * 28e3, (trion.lifetime if charged else trion.level) * 24.7)
    dwells = [b.Dwell(0.1, 28e3, 24.7), dim] * 25
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    bright = replace(BRIGHT, cps=28e3)
    told = [read(found, stop, bright=replace(bright, trion=known))[0] for known in (None, trion)]
    usual, better = (float(np.median([m.odds for m in marks])) for marks in told)
    if charged:
        assert better > usual + 1.5
    else:
        assert better < min(usual + 0.5, -3.0)


@pytest.mark.parametrize(("lifetime", "counts"), [(0.4, True), (0.5, False)])
def test_a_known_trion_is_as_likely_as_all_others_unless_it_is_as_bright_as_the_dot(
    lifetime: float, counts: bool
) -> None:
    bins = TimeAxis.build(b.acquisition(), {0: 4000.0, 1: 4640.0}).bins
    usual, told = row_states(24.7, bins), row_states(24.7, bins, Trion(lifetime, 1.95))
    assert told.weights.sum() == pytest.approx(1.0)
    assert told.charged.sum() - usual.charged.sum() == counts
    charged = np.sort(told.weights[told.charged])
    if counts:
        # Beside them are rows in which the dot switched.
        others = charged[np.isclose(charged, charged[0])]
        assert charged[-1] == pytest.approx(others.sum())
    else:
        np.testing.assert_array_equal(charged, np.sort(usual.weights[usual.charged]))


@pytest.mark.parametrize("ramping", [False, True])
def test_while_the_laser_may_be_on_its_way_a_trap_does_not_pass_for_a_trion(ramping: bool) -> None:
    """A trapped dot in light that is to fall to a third is as bright as a charged one will be."""
    rng = np.random.default_rng(73)
    dwells = [b.Dwell(0.1, 3 * 0.3 * 76e3, 0.3 * 24.7), b.Dwell(0.3, 76e3, 24.7)]
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    told = replace(BRIGHT, before_cps=3 * BRIGHT.cps) if ramping else BRIGHT
    marks, seen = read(found, stop, bright=told)
    assert any(m.odds > 10 for m in (*marks, *seen)) != ramping


def test_after_a_rise_light_that_is_still_weak_is_of_neither_kind() -> None:
    rng = np.random.default_rng(73)
    dwells = [b.Dwell(0.1, 0.3 * 28e3, 5.0), b.Dwell(0.3, 76e3, 24.7)]
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    marks, seen = read(found, stop, bright=replace(BRIGHT, before_cps=0.2 * BRIGHT.cps))
    assert all(abs(m.odds) < 5 for m in (*marks, *seen))


def test_a_dwell_that_begins_later_is_read_in_the_light_that_was_foreseen() -> None:
    rng = np.random.default_rng(74)
    dwells = [b.Dwell(0.7, 76e3, 24.7), b.Dwell(0.1, 28e3, 5.0), b.Dwell(0.3, 76e3, 24.7)]
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    (mark,), _ = read(found, stop, bright=replace(BRIGHT, before_cps=3 * BRIGHT.cps))
    assert mark.odds > 20


def test_a_dwell_is_seen_while_it_goes_on_and_told_once() -> None:
    acq = b.acquisition()
    rng = np.random.default_rng(72)
    dwells = [b.Dwell(0.25, 76e3, 24.7), b.Dwell(1.0, 28e3, 5.0), b.Dwell(0.25, 76e3, 24.7)]
    found, stop = b.photons(rng, dwells, acq=acq)
    marks, seen = read(found, stop)
    assert len(marks) == 1
    assert 8 <= len(seen) <= 11
    assert all(m.start_s == pytest.approx(0.25, abs=0.004) for m in seen)
    assert seen[1].odds > 20


def test_a_dwell_longer_than_is_read_at_once_counts_as_one() -> None:
    acq = b.acquisition()
    rng = np.random.default_rng(73)
    dwells = [b.Dwell(0.5, 76e3, 24.7), b.Dwell(9.0, 28e3, 5.0), b.Dwell(0.5, 76e3, 24.7)]
    found, stop = b.photons(rng, dwells, acq=acq)
    marks, _ = read(found, stop, every_s=0.5)
    assert len(marks) == 1


def test_looking_more_often_changes_no_label() -> None:
    found, stop, _ = dot("mixed")
    often, rarely = (read(found, stop, every_s=s)[0] for s in (0.05, 0.5))
    clear = [[m for m in marks if abs(m.odds) > 10] for marks in (often, rarely)]
    assert [m.odds > 0 for m in clear[0]] == [m.odds > 0 for m in clear[1]]
    assert np.allclose([m.start_s for m in clear[0]], [m.start_s for m in clear[1]], atol=0.004)


def test_time_without_photons_through_loss_is_no_dim_dwell() -> None:
    found, stop, _ = dot("auger")
    acq = b.acquisition()
    gap = acq.pulses(2.0), acq.pulses(2.2)
    kept = (found.pulse < gap[0]) | (found.pulse >= gap[1])
    lossy = Photons(found.pulse[kept], found.nanotime[kept], found.channel[kept])
    marks, _ = read(lossy, stop, losses=[gap])
    assert not any(m.odds < -3 for m in marks)


def test_a_bright_dot_does_not_blink() -> None:
    acq = b.acquisition()
    rng = np.random.default_rng(74)
    found, stop = b.photons(rng, [b.Dwell(3.0, 76e3, 24.7)], acq=acq)
    marks, seen = read(found, stop)
    assert marks == []
    assert seen == []


def test_a_long_trapped_start_is_not_taken_for_a_charged_state_of_a_dimmer_dot() -> None:
    acq = b.acquisition()
    rng = np.random.default_rng(75)
    q = 0.387
    dwells = [b.Dwell(1.0, 76e3 * q, 24.7 * q), b.Dwell(0.5, 76e3, 24.7), b.Dwell(0.1, 76e3 * q, 24.7 * q)]
    found, stop = b.photons(rng, [*dwells, b.Dwell(0.2, 76e3, 24.7)], acq=acq)
    marks, seen = read(found, stop)
    assert len(marks) == 2
    assert all(m.odds < -5 for m in marks)
    assert not any(m.odds > 0 for m in seen)
    assert marks[0].lost_s == pytest.approx(1.0 - q, abs=0.05)


def test_a_dot_that_charges_while_it_is_trapped_makes_a_blink_of_either_kind() -> None:
    rng = np.random.default_rng(76)
    q = 0.387
    bright, trapped, charged = b.Dwell(0.5, 76e3, 24.7), b.Dwell(0.2, 76e3 * q, 24.7 * q), (28e3, 5.0)
    dwells = [bright, trapped, b.Dwell(0.15, *charged), trapped, bright]
    found, stop = b.photons(rng, dwells, acq=b.acquisition())
    marks, _ = read(found, stop)
    assert [m.odds > 0 for m in marks] == [False, True, False]
    assert all(abs(m.odds) > 10 for m in marks)
    assert marks[1].start_s == pytest.approx(0.7, abs=0.01)
    assert [m.stop_s for m in marks[:2]] == [m.start_s for m in marks[1:]]


@pytest.mark.parametrize(("light", "life"), [(0.5, 0.4), (0.5, 1.0), (0.25, 1.0)])
def test_a_dwell_that_lies_on_neither_line_is_evidence_of_neither(light: float, life: float) -> None:
    """Between both, or at the lifetime of the bright level: hot carriers, a laser that falls."""
    rng = np.random.default_rng(77)
    bright, between = b.Dwell(0.5, 76e3, 24.7), b.Dwell(0.1, 76e3 * light, 24.7 * life)
    found, stop = b.photons(rng, [bright, between, bright], acq=b.acquisition())
    (mark,), _ = read(found, stop)
    assert abs(mark.odds) < 8


def test_a_bright_trion_is_told_by_its_decay() -> None:
    rng = np.random.default_rng(78)
    bright, charged = b.Dwell(0.5, 76e3, 24.7), b.Dwell(0.1, 76e3 * 0.85, 24.7 * 0.4)
    found, stop = b.photons(rng, [bright, charged, bright], acq=b.acquisition())
    (mark,), _ = read(found, stop)
    assert mark.odds > 10


def test_a_long_dwell_of_traps_of_all_strengths_is_no_charged_one() -> None:
    rng = np.random.default_rng(79)
    depths = np.exp(rng.uniform(np.log(0.08), np.log(0.25), 1500))
    long = [b.Dwell(0.002, 76e3 * q, 24.7 * q) for q in depths.tolist()]
    bright = b.Dwell(0.5, 76e3, 24.7)
    found, stop = b.photons(rng, [bright, *long, bright], acq=b.acquisition())
    marks, seen = read(found, stop)
    assert all(m.odds < 5 for m in (*marks, *seen))


@pytest.mark.parametrize("duration_s", [0.05, 2.5])
def test_darkness_says_nothing_of_its_cause(duration_s: float) -> None:
    rng = np.random.default_rng(80)
    bright, dark = b.Dwell(0.5, 76e3, 24.7), b.Dwell(duration_s, 1e-3, 24.7)
    found, stop = b.photons(rng, [bright, dark, bright], acq=b.acquisition())
    marks, seen = read(found, stop)
    assert marks
    assert all(abs(m.odds) < 8 for m in (*marks, *seen))


def test_a_dwell_told_in_part_for_its_length_is_known_to_go_on() -> None:
    rng = np.random.default_rng(82)
    acq, dwells = (
        b.acquisition(),
        [b.Dwell(0.5, 76e3, 24.7), b.Dwell(6.0, 1e-3, 24.7), b.Dwell(0.5, 76e3, 24.7)],
    )
    found, stop = b.photons(rng, dwells, acq=acq)
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
    table = BinTable(0, acq.pulses(ROW_S), axis.bins.count, 100_000)
    reader = BlinkReader(0)
    dim, going_on, position = [], [], 0
    while position < stop:
        upto = min(position + acq.pulses(0.1), stop)
        table.add_decays(found.between(position, upto), upto, axis.micro_bin, axis.arrival_ns)
        position = upto
        going_on.append(reader.read(table, axis.bins, BRIGHT, FLOOR, [], ROW_S)[1] != [])
        dim.append(reader.dim)
    assert dim == [False] * 5 + [True] * 60 + [False] * 5
    assert going_on[5:40] == [True] * 35
    assert not any(going_on[50:])


def test_no_dwell_is_told_from_another_by_a_background_that_nobody_knows() -> None:
    rng = np.random.default_rng(81)
    dim = BrightLevel(12e3, 24.7)
    found, stop = b.photons(rng, [b.Dwell(0.5, dim.cps, dim.lifetime_ns)], acq=b.acquisition())
    believed, unsure = (
        [m.odds for part in read(found, stop, bright=dim, floor=floor) for m in part]
        for floor in (Floor(8000.0, 0.0), Floor(4400.0, 0.0, 4000.0))
    )
    assert min(believed) < -10
    assert all(abs(odds) < 3 for odds in unsure)


def test_blinks_stay_clear_under_a_background_known_as_well_as_a_second_of_light_tells_it() -> None:
    found, stop, _ = dot("auger")
    sure, usual = (read(found, stop, floor=Floor(400.0, 0.0, error))[0] for error in (0.0, 150.0))
    assert len(usual) == len(sure)
    assert sum(m.odds > 10 for m in usual) >= 0.9 * sum(m.odds > 10 for m in sure)
