"""A whole run on a bench that remembers: order of calls and messages, and what is claimed of fluence."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest

from hardware.protocols import Bench, CardError, LaserError
from hardware.types import LossCause
from qdmon.daemon import excitation
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.run import Run
from qdmon.daemon.steps import Level
from streams.messages import End, Fluence, Gap, LaserState, Marker, Message, PhotonBatch, Segment, Status
from tests.qdmon.daemon.bench import PULSES_PER_BLOCK, RATE_HZ, make_bench
from tests.qdmon.daemon.tape import Tape

LEVELS = (
    Level(0.2, 20, int(2 * RATE_HZ)),
    Level(1.4, 140, int(2 * RATE_HZ)),
    Level(0.2, 20, int(2 * RATE_HZ)),
)


TAPES: list[Tape] = []


async def run_bench(
    bench: Bench,
    *,
    levels: Sequence[Level] = LEVELS,
    consent: bool = True,
    after: Literal["hold", "off", "exit"] = "exit",
    stop_at_pulse: int | None = None,
    max_permille: int = 1000,
) -> Tape:
    """Run to the end; the tape is kept in the exception's place when the run fails."""
    instruments = Instruments(bench, max_permille=max_permille, consent=consent)
    acquisition = await instruments.open({})

    def then(message: Message) -> None:
        late = isinstance(message, PhotonBatch) and message.stop_pulse > (stop_at_pulse or np.inf)
        if late and not stops:
            stops.append(message)
            run.stop("enough")

    stops: list[Message] = []
    tape = Tape(then)
    TAPES.append(tape)
    run = Run(instruments, acquisition, tape, levels=levels, after=after, mean_excitation_per_permille=0.01)
    try:
        await run.run()
    finally:
        await instruments.close()
    return tape


async def test_photons_are_published_once_each_without_a_hole_between_batches() -> None:
    bench, card, _, _ = make_bench()
    tape = await run_bench(bench)
    batches = tape.of(PhotonBatch)
    assert batches[0].first_pulse == 0
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
    pulses = np.concatenate([batch.photons.pulse for batch in batches])
    np.testing.assert_array_equal(pulses, np.arange(0, card.position, 1000))


async def test_the_session_opens_with_the_segment_and_closes_with_end() -> None:
    bench, *_ = make_bench()
    tape = await run_bench(bench)
    assert isinstance(tape.messages[0], Segment)
    assert isinstance(tape.messages[-1], End)
    assert tape.messages[-1].reason == "protocol finished"


async def test_the_first_level_is_set_before_emission_and_emission_precedes_the_first_pulse() -> None:
    bench, _, _, log = make_bench()
    await run_bench(bench)
    assert log.order("card start", "emission on", "power 20") == ["power 20", "emission on", "card start"]


async def test_photons_between_the_two_marks_of_a_step_are_the_only_ones_of_doubtful_level() -> None:
    """The card stamps the true level on each photon: outside [p0, p1) it must be the one claimed."""
    bench, *_ = make_bench()
    tape = await run_bench(bench)
    claims = tape.of(Fluence)
    assert [claim.mean_excitation for claim in claims] == [0.2, None, 1.4, None, 0.2, None]
    photons = [batch.photons for batch in tape.of(PhotonBatch)]
    pulse = np.concatenate([part.pulse for part in photons])
    level = np.concatenate([part.nanotime for part in photons])
    starts = [claim.pulse for claim in claims]
    assert starts == sorted(starts)
    for claim, stop in zip(claims, [*starts[1:], int(pulse[-1]) + 1], strict=True):
        inside = (pulse >= claim.pulse) & (pulse < stop)
        if claim.mean_excitation is not None:
            assert inside.any()
            assert set(level[inside].tolist()) == {claim.power_permille}


async def test_a_slow_laser_widens_the_doubtful_stretch_and_nothing_else() -> None:
    bench, _, laser, _ = make_bench()
    laser.delay_s = 0.02
    tape = await run_bench(bench)
    claims = tape.of(Fluence)
    doubtful = claims[2].pulse - claims[1].pulse
    assert doubtful > 5 * PULSES_PER_BLOCK
    batches = tape.of(PhotonBatch)
    new = [batch for batch in batches if claims[2].pulse <= batch.first_pulse < claims[3].pulse]
    assert {int(level) for batch in new for level in batch.photons.nanotime} == {140}


async def test_each_fluence_is_announced_before_its_first_photon_and_after_the_last_one_before() -> None:
    bench, *_ = make_bench()
    tape = await run_bench(bench)
    published = 0
    for message in tape.messages:
        if isinstance(message, PhotonBatch):
            published = message.stop_pulse
        elif isinstance(message, Fluence):
            assert message.pulse == published


async def test_every_level_is_held_for_at_least_its_seconds() -> None:
    bench, *_ = make_bench()
    claims = (await run_bench(bench)).of(Fluence)
    assert claims[1].pulse - claims[0].pulse >= LEVELS[0].duration_pulses
    assert claims[3].pulse - claims[2].pulse >= LEVELS[1].duration_pulses


async def test_each_step_leaves_a_marker() -> None:
    bench, *_ = make_bench()
    texts = [marker.text for marker in (await run_bench(bench)).of(Marker)]
    assert texts == ["step 1/3: <N> = 0.2", "step 2/3: <N> = 1.4", "step 3/3: <N> = 0.2"]


async def test_the_end_is_laser_first_then_card_then_ports() -> None:
    bench, _, _, log = make_bench()
    await run_bench(bench, stop_at_pulse=PULSES_PER_BLOCK * 5)
    order = log.order("emission off", "card stop", "laser close", "card close")
    assert order == ["emission off", "card stop", "laser close", "card close"]


async def test_without_consent_nothing_is_emitted_and_the_message_says_how_to_consent() -> None:
    bench, _, laser, log = make_bench()
    with pytest.raises(LaserError, match="--arm"):
        await run_bench(bench, consent=False)
    assert not laser.emission
    assert "emission on" not in log.calls


async def test_a_level_beyond_the_limit_is_refused_before_emission() -> None:
    bench, _, _, log = make_bench()
    with pytest.raises(LaserError, match=r"beyond laser\.max_permille = 100"):
        await run_bench(bench, max_permille=100)
    assert "emission on" not in log.calls


async def test_a_failing_card_makes_the_laser_safe_and_keeps_its_photons() -> None:
    bench, _, laser, log = make_bench(fail_at_block=10)
    with pytest.raises(CardError, match="pulled out"):
        await run_bench(bench)
    tape = TAPES[-1]
    assert not laser.emission
    assert log.order("emission off", "card stop") == ["emission off", "card stop"]
    assert sum(len(batch.photons) for batch in tape.of(PhotonBatch)) == 10 * PULSES_PER_BLOCK // 1000
    assert Status("fault", "the card was pulled out") in tape.messages
    assert tape.messages[-1] == End("the card was pulled out")


async def test_a_laser_that_refuses_a_step_ends_the_run_with_emission_off() -> None:
    bench, card, laser, _ = make_bench()
    reads = card.read

    def refuse_later() -> object:
        laser.refuse_power = card.blocks > 5
        return reads()

    card.read = refuse_later  # type: ignore[method-assign, assignment]
    with pytest.raises(LaserError, match="refused the power level"):
        await run_bench(bench)
    assert not laser.emission
    assert TAPES[-1].of(LaserState)[-1].emission is False


async def test_cancelling_a_run_leaves_the_laser_safe() -> None:
    bench, _, laser, log = make_bench()
    running = asyncio.create_task(run_bench(bench, after="hold"))
    await log.reached("card start")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not laser.emission
    assert log.order("emission off", "card stop") == ["emission off", "card stop"]
    assert isinstance(TAPES[-1].messages[-1], End)


async def test_a_laser_that_falls_silent_is_reported_as_unknown_and_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(excitation, "LOOK_S", 0.001)
    bench, card, laser, _ = make_bench()
    reads = card.read

    def pull_cable() -> object:
        laser.silent = card.blocks > 5
        return reads()

    card.read = pull_cable  # type: ignore[method-assign, assignment]
    with pytest.raises(LaserError, match="assume it is ON"):
        await run_bench(bench, after="hold")
    assert None in [state.emission for state in TAPES[-1].of(LaserState)]


async def test_emission_that_ends_by_itself_makes_the_fluence_unknown_and_stops_the_protocol(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(excitation, "LOOK_S", 0.001)
    bench, card, laser, log = make_bench()
    reads = card.read

    def trip() -> object:
        if card.blocks == 5:
            laser.emission = False
        return reads()

    card.read = trip  # type: ignore[method-assign, assignment]
    tape = await run_bench(bench, stop_at_pulse=200 * PULSES_PER_BLOCK)
    assert [claim.mean_excitation for claim in tape.of(Fluence)] == [0.2, None]
    assert any(status.state == "fault" and "by itself" in status.text for status in tape.of(Status))
    assert log.calls.count("emission on") == 1, "nothing switches it on again"


async def test_after_off_the_light_goes_out_and_the_run_goes_on() -> None:
    bench, card, laser, _ = make_bench()
    tape = await run_bench(bench, after="off", stop_at_pulse=200 * PULSES_PER_BLOCK)
    assert not laser.emission
    assert tape.of(Fluence)[-1].mean_excitation is None
    assert card.position > tape.of(Fluence)[-1].pulse + PULSES_PER_BLOCK


async def test_an_overrun_becomes_a_gap_between_the_words_around_it() -> None:
    bench, card, _, _ = make_bench()
    card.overrun_blocks = {3}
    (gap,) = (await run_bench(bench)).of(Gap)
    assert gap.cause is LossCause.FIFO_OVERRUN
    assert gap.first_pulse <= 4 * PULSES_PER_BLOCK <= gap.stop_pulse


async def test_lost_sync_becomes_a_gap_and_is_said_in_words() -> None:
    bench, card, _, _ = make_bench()
    card.dark_blocks = {4, 5}
    tape = await run_bench(bench)
    first, last = tape.of(Gap)
    assert {first.cause, last.cause} == {LossCause.SYNC_LOST}
    assert first.first_pulse <= 4 * PULSES_PER_BLOCK
    assert last.first_pulse <= first.stop_pulse
    assert last.stop_pulse >= 6 * PULSES_PER_BLOCK - 1024, "known to the last overflow word"
    texts = [status.text for status in tape.of(Status)]
    assert "the card sees no laser pulses: check the sync cable" in texts
    assert "laser pulses are back" in texts


async def test_a_gap_is_sent_before_the_batches_it_falls_in() -> None:
    bench, card, _, _ = make_bench()
    card.dark_blocks = {4, 5}
    tape = await run_bench(bench)
    index = next(i for i, message in enumerate(tape.messages) if isinstance(message, Gap))
    gap = tape.messages[index]
    assert isinstance(gap, Gap)
    before = [message for message in tape.messages[:index] if isinstance(message, PhotonBatch)]
    assert all(batch.stop_pulse <= gap.first_pulse for batch in before)


async def test_without_a_protocol_the_laser_is_adopted_as_found() -> None:
    bench, _, laser, log = make_bench()
    laser.emission, laser.level = True, 70
    tape = await run_bench(bench, levels=(), consent=False, stop_at_pulse=PULSES_PER_BLOCK)
    assert tape.of(Fluence)[0].mean_excitation == pytest.approx(0.7)
    assert "emission on" not in log.calls
