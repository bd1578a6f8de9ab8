"""A run on the simulated bench, against what the simulator knows to have happened."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hardware.protocols import CardError
from hardware.sim import create_bench
from hardware.sim.card import SimulatedCard
from hardware.sim.simulation import DotSimulation
from hardware.types import DeviceInfo, Photons
from qdmon.config import Config
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.levels import levels_for
from qdmon.daemon.protocol import FluenceProtocol, Step
from qdmon.daemon.run import Run
from qdmon.daemon.service import DaemonOptions, serve
from qdmon.daemon.warm import warm_simulation
from streams.messages import Fluence, PhotonBatch
from tests.qdmon.daemon.tape import Tape

PROTOCOL = FluenceProtocol("short", (Step(0.2, 2.0), Step(1.4, 2.0), Step(0.2, 2.0)))


async def run_protocol(seed: int) -> tuple[Tape, SimulatedCard]:
    bench = create_bench(preset="cdse-zns-2nm", seed=seed, speed=40.0)
    assert isinstance(bench.card, SimulatedCard)
    instruments = Instruments(bench, max_permille=1000, consent=True)
    await instruments.compile(lambda: warm_simulation("cdse-zns-2nm"))
    acquisition = await instruments.open({})
    tape = Tape()
    run = Run(
        instruments,
        acquisition,
        tape,
        levels=levels_for(PROTOCOL, acquisition, bench.mean_excitation_per_permille),
        after="exit",
        mean_excitation_per_permille=bench.mean_excitation_per_permille,
    )
    try:
        await run.run()
    finally:
        await instruments.close()
    return tape, bench.card


async def test_the_true_step_lies_between_the_two_marks() -> None:
    tape, card = await run_protocol(seed=1)
    truth = [
        (round(step.start_s * card.truth.preset.setup.pulse_rate_hz), step.mean_excitation)
        for step in card.truth.steps
    ]
    claims = tape.of(Fluence)
    assert [claim.mean_excitation for claim in claims] == [0.2, None, 1.4, None, 0.2, None]
    for (before, after), (pulse, mean_excitation) in zip(
        [(claims[1], claims[2]), (claims[3], claims[4])], truth[1:3], strict=True
    ):
        assert before.pulse <= pulse <= after.pulse
        assert after.mean_excitation == pytest.approx(mean_excitation)


async def test_the_rate_follows_the_claimed_fluence() -> None:
    tape, _ = await run_protocol(seed=2)
    claims = tape.of(Fluence)
    batches = tape.of(PhotonBatch)

    def rate(first: int, stop: int) -> float:
        inside = [b for b in batches if first <= b.first_pulse and b.stop_pulse <= stop]
        pulses = sum(b.stop_pulse - b.first_pulse for b in inside)
        return sum(len(b.photons) for b in inside) / pulses

    weak = rate(claims[0].pulse, claims[1].pulse)
    strong = rate(claims[2].pulse, claims[3].pulse)
    assert strong > 2 * weak


async def test_batches_are_contiguous_and_photons_ordered_at_high_speed() -> None:
    tape, _ = await run_protocol(seed=3)
    batches = tape.of(PhotonBatch)
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
    pulse = np.concatenate([batch.photons.pulse for batch in batches])
    assert np.all(np.diff(pulse.astype(np.int64)) >= 0)


async def test_everything_is_compiled_before_the_card_has_to_answer_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    advance = DotSimulation.advance

    def first_use(simulation: DotSimulation, pulses: int, mean_excitation: float) -> Photons:
        happened.append("kernels run")
        return advance(simulation, pulses, mean_excitation)

    def opened(card: SimulatedCard) -> DeviceInfo:
        happened.append("card opens")
        raise CardError("enough was seen")

    monkeypatch.setattr(DotSimulation, "advance", first_use)
    monkeypatch.setattr(SimulatedCard, "open", opened)
    with pytest.raises(CardError, match="enough"):
        await serve(DaemonOptions(Config(), simulate="mapbbr3", seed=1, bind=str(tmp_path / "s")))
    assert happened == ["kernels run", "card opens"]
