"""The simulated card as a card: raw words, pace, order of calls, and its own faults."""

import math

import numpy as np
import pytest

from hardware.protocols import CardError
from hardware.records import decoder_for
from hardware.sim import create_bench
from hardware.sim.card import SimulatedCard
from hardware.sim.faults import Faults
from hardware.sim.simulation import DotSimulation
from hardware.types import Photons, RawBlock, RecordLayout, Verification


class HostTime:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def clock_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def card_at(
    host: HostTime, *, speed: float = 1.0, faults: Faults | None = None, seed: int = 1
) -> SimulatedCard:
    """An open card under <N> = 0.2."""
    simulation = DotSimulation("cdse-zns-2nm", seed, faults=faults)
    card = SimulatedCard(
        simulation, lambda: 0.2, speed=speed, faults=faults, clock_ns=host.clock_ns, sleep=host.sleep
    )
    card.open()
    card.configure()
    return card


def decoded(blocks: list[RawBlock]) -> tuple[Photons, int]:
    """Photons of a whole segment, and how far it is complete."""
    decoder = decoder_for(RecordLayout.GENERIC_T3)
    parts = [decoder.feed(block.words) for block in blocks]
    return Photons.join([part.photons for part in parts]), parts[-1].position


def test_words_decode_to_the_photons_of_the_simulation() -> None:
    card = card_at(HostTime(), speed=math.inf)
    card.start()
    photons, position = decoded([card.read() for _ in range(20)])
    expected = DotSimulation("cdse-zns-2nm", 1).advance(5_000_000, 0.2)
    np.testing.assert_array_equal(photons.pulse, expected.pulse)
    np.testing.assert_array_equal(photons.nanotime, expected.nanotime)
    np.testing.assert_array_equal(photons.channel, expected.channel)
    assert 5_000_000 - 1024 < position <= 5_000_000


@pytest.mark.parametrize("speed", [0.1, 1.0, 20.0])
def test_simulated_time_passes_at_the_chosen_speed(speed: float) -> None:
    host = HostTime()
    card = card_at(host, speed=speed)
    card.start()
    begun = host.now_ns
    blocks: list[RawBlock] = []
    while sum(len(block.words) > 0 for block in blocks) < 10:
        before = host.now_ns
        blocks.append(card.read())
        assert host.now_ns - before <= 101_000_000
    assert (host.now_ns - begun) * 1e-9 == pytest.approx(0.5 / speed, rel=1e-6)


def test_a_host_that_slept_finds_that_simulated_time_has_waited() -> None:
    host = HostTime()
    card = card_at(host)
    card.start()
    card.read()
    host.sleep(3600.0)
    before = host.now_ns
    for _ in range(40):
        card.read()
    assert (host.now_ns - before) * 1e-9 == pytest.approx(1.0, abs=0.06)


def test_stopping_leaves_the_part_of_the_chunk_that_has_passed() -> None:
    host = HostTime()
    card = card_at(host)
    card.start()
    blocks = [card.read(), card.read()]
    host.sleep(0.02)
    card.stop()
    card.stop()
    while len((block := card.read()).words):
        blocks.append(block)
    _, position = decoded(blocks)
    assert position == pytest.approx(0.12 * 5e6, abs=1024)
    assert not len(card.read().words)


def test_a_new_segment_counts_pulses_from_zero_for_the_same_dot() -> None:
    card = card_at(HostTime(), speed=math.inf)
    card.start()
    card.read()
    card.stop()
    card.start()
    photons, position = decoded([card.read()])
    assert int(photons.pulse[0]) < 50_000
    assert position <= 250_000
    assert card.truth.path.stop_s[-1] == pytest.approx(0.1)


def test_fluence_is_asked_once_for_every_chunk() -> None:
    asked: list[float] = []

    def mean_excitation() -> float:
        asked.append(0.1 * (1 + len(asked) % 2))
        return asked[-1]

    card = SimulatedCard(DotSimulation("mapbbr3", 1), mean_excitation, speed=math.inf)
    card.open()
    card.start()
    for _ in range(4):
        card.read()
    assert len(asked) == 4
    assert [step.mean_excitation for step in card.truth.steps] == asked


def test_an_overrun_is_flagged_and_the_pulse_count_goes_on() -> None:
    card = card_at(HostTime(), speed=math.inf, faults=Faults(overruns=((0.21, 0.33),)))
    card.start()
    blocks = [card.read() for _ in range(10)]
    assert [block.overrun for block in blocks] == [False] * 4 + [True] * 3 + [False] * 3
    photons, position = decoded(blocks)
    times_s = photons.pulse / 5e6
    assert not ((times_s >= 0.2) & (times_s < 0.35)).any()
    assert position > 2_500_000 - 1024


def test_without_sync_no_pulse_is_counted() -> None:
    card = card_at(HostTime(), speed=math.inf, faults=Faults(sync_losses=((0.1, 0.2),)))
    card.start()
    blocks = [card.read() for _ in range(10)]
    assert [block.sync_lost for block in blocks] == [False] * 2 + [True] * 2 + [False] * 6
    photons, position = decoded(blocks)
    assert 2_000_000 - 1024 < position <= 2_000_000
    assert int(photons.pulse[-1]) < 2_000_000


def test_calls_out_of_order_are_refused_in_one_line() -> None:
    card = SimulatedCard(DotSimulation("mapbbr3", 1), lambda: 0.1)
    for call in (card.configure, card.start, card.read):
        with pytest.raises(CardError, match="not open"):
            call()
    card.open()
    card.start()
    with pytest.raises(CardError, match="already running"):
        card.start()
    card.close()
    card.close()


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        SimulatedCard(DotSimulation("mapbbr3", 1), lambda: 0.1, speed=speed)


def test_a_bench_is_dark_until_its_laser_emits() -> None:
    bench = create_bench(preset="cdse-zns-2nm", seed=1, speed=math.inf)
    info = bench.card.open()
    assert info.verification is Verification.COMPLETE
    acquisition = bench.card.configure()
    bench.card.start()
    photons, _ = decoded([bench.card.read() for _ in range(20)])
    assert len(photons) == pytest.approx(350, abs=90)
    assert acquisition.simulated
    assert bench.mean_excitation_per_permille == 0.0025
    assert bench.identity["seed"] == "1"
    bench.card.close()


def test_a_bench_without_seed_says_which_dot_it_took() -> None:
    first, second = (create_bench(preset="mapbbr3") for _ in range(2))
    assert first.identity["seed"] != second.identity["seed"]
