"""Levels, dwells and correlation of a stretch as the monitor tells them, live or in other portions."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from hardware.types import Acquisition, Loss, LossCause, Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.switching.dynamics import ROWS_TO_KEEP, Dynamics
from streams.messages import End, Gap, Message
from tests.qdmon.analysis.builders import acquisition, auger_dot, photons, session

STEPS: list[tuple[float, float | None]] = [(0.0, 0.2), (8.0, 0.4)]


def results(messages: list[Message]) -> tuple[SegmentResult, ...]:
    monitor = Monitor()
    for message in messages:
        monitor.feed(message)
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return snapshot.segments


def told(segment: SegmentResult) -> tuple[object, ...]:
    memory = segment.correlation
    curve = (tuple(memory.lag_s), tuple(memory.g), tuple(memory.error)) if memory is not None else None
    return segment.levels, segment.intensities, segment.on_dwells, segment.off_dwells, curve


@pytest.fixture(scope="module")
def light() -> tuple[Acquisition, Photons, int]:
    acq = acquisition()
    rng = np.random.default_rng(1)
    return (acq, *photons(rng, auger_dot(rng, 16.0), acq=acq))


@dataclass(frozen=True)
class Told:
    """Results before the session ended, and at its end."""

    running: tuple[SegmentResult, ...]
    ended: tuple[SegmentResult, ...]


@pytest.fixture(scope="module")
def stepped(light: tuple[Acquisition, Photons, int]) -> Told:
    """The fluence steps in the middle."""
    monitor = Monitor()
    for message in session(*light, fluence=STEPS):
        monitor.feed(message)
    running = monitor.snapshot()
    monitor.feed(End("done"))
    ended = monitor.snapshot()
    assert running is not None
    assert ended is not None
    return Told(running.segments, ended.segments)


@pytest.fixture(scope="module")
def whole(light: tuple[Acquisition, Photons, int]) -> tuple[SegmentResult, ...]:
    return results([*session(*light, batch_s=1.0), End("done")])


def test_the_dynamics_do_not_depend_on_the_batches(
    light: tuple[Acquisition, Photons, int], stepped: Told
) -> None:
    fine = results([*session(*light, batch_s=0.0137, fluence=STEPS), End("done")])

    assert [told(s) for s in stepped.ended] == [told(s) for s in fine]


def test_the_dynamics_do_not_depend_on_who_asks_when(
    light: tuple[Acquisition, Photons, int], whole: tuple[SegmentResult, ...]
) -> None:
    asked = Monitor()
    for message in [*session(*light, batch_s=1.0), End("done")]:
        asked.feed(message)
        asked.snapshot()
    snapshot = asked.snapshot()
    assert snapshot is not None

    assert [told(s) for s in snapshot.segments] == [told(s) for s in whole]


def test_a_blinking_dot_has_two_intensities_exponential_dwells_and_a_memory(
    whole: tuple[SegmentResult, ...],
) -> None:
    (segment,) = whole

    assert [s.intensity_cps.value for s in segment.intensities] == pytest.approx([76e3, 28e3], rel=0.02)
    assert segment.on_dwells is not None
    assert segment.on_dwells.law == "exponential"
    assert segment.on_dwells.cutoff_s.value == pytest.approx(0.2, rel=0.35)
    assert segment.off_dwells is not None
    assert segment.off_dwells.cutoff_s.value == pytest.approx(0.12, rel=0.35)
    assert segment.correlation is not None
    assert segment.correlation.g[0] > 1.1


def test_a_finished_stretch_has_no_level_going_on(stepped: Told) -> None:
    first, second = stepped.running

    assert not any(level.provisional for level in first.levels)
    assert first.levels[-1].stop_s == pytest.approx(8.0)
    assert second.levels[0].start_s == pytest.approx(8.0)
    assert second.levels[-1].provisional


def test_levels_stop_and_start_again_around_a_loss(light: tuple[Acquisition, Photons, int]) -> None:
    acq, found, stop = light
    a, b = acq.pulses(5.0), acq.pulses(5.2)
    outside = (found.pulse < a) | (found.pulse >= b)
    kept = Photons(found.pulse[outside], found.nanotime[outside], found.channel[outside])
    messages = session(acq, kept, stop)
    loss = Loss(a, b, LossCause.FIFO_OVERRUN)
    at = next(i for i, m in enumerate(messages) if getattr(m, "stop_pulse", 0) > a)
    gap = Gap(0, loss.first_pulse, loss.stop_pulse, loss.cause, None)

    (segment,) = results([*messages[:at], gap, *messages[at:]])

    assert all(level.stop_s <= 5.0 or level.start_s >= 5.2 for level in segment.levels)
    assert any(level.stop_s == pytest.approx(5.0) for level in segment.levels)
    assert any(level.start_s == pytest.approx(5.2) for level in segment.levels)


def test_light_without_nanotimes_still_has_levels(light: tuple[Acquisition, Photons, int]) -> None:
    acq, found, stop = light
    untimed = replace(acq, mode="T2", resolution_ps=None, nanotime_bins=0)
    dynamics = Dynamics(untimed, 0, 120.0)
    table = BinTable(0, untimed.pulses(0.001), 1, ROWS_TO_KEEP)
    dynamics.follow(table, None)
    table.add_counts(found, stop)
    dynamics.advance([])

    levels = dynamics.levels(0.0, 0.0)

    assert len(levels) > 30
    assert all(level.lifetime_ns.value is None for level in levels)


def test_dwells_and_correlation_look_back_so_far_and_no_farther() -> None:
    """The first seconds, ten times as bright, are beyond what is kept."""
    untimed = replace(acquisition(), mode="T2", resolution_ps=None, nanotime_bins=0)
    rng = np.random.default_rng(2)
    pulse = np.sort(
        np.concatenate([rng.integers(0, 5_000_000, 20_000), rng.integers(0, 330_025_000, 132_000)])
    )
    nothing = np.zeros(len(pulse), np.uint8)
    light = Photons(pulse.astype(np.uint64), nothing.astype(np.uint16), nothing)
    dynamics = Dynamics(untimed, 0, 65.0)
    table = BinTable(0, untimed.pulses(0.001), 1, 65_010)
    dynamics.follow(table, None)
    edges = [*range(0, 330_025_000, 2_500_000), 330_025_000]
    for first, stop in pairwise(edges):
        table.add_counts(light.between(first, stop), stop)
        dynamics.advance([])

    dynamics.refit(0, [], undetermined(0.0, 66.0, "counts only"), 0.0, 0.0)

    assert dynamics.correlation is not None
    assert dynamics.correlation.lag_s[-1] == pytest.approx(65.0 / 4, rel=0.25)
    assert dynamics.correlation.g == pytest.approx(1.0, abs=0.02)
    assert dynamics.on_dwells is None


def test_before_the_pulse_is_placed_nothing_is_known() -> None:
    dynamics = Dynamics(acquisition(), 0, 120.0)
    dynamics.advance([])

    assert dynamics.levels(0.0, 0.0) == ()
    assert dynamics.correlation is None
