"""When a recording begins, what it holds from before, what is said of it, and how it is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qdmon.daemon.outlet import Outlet
from qdmon.daemon.recording import Recording
from streams.control import Refused
from streams.messages import Alert, End, Fluence, Message, PhotonBatch, RecordingState, Segment, Session
from streams.orders import PlayReplay, StartRecording, StopRecording, TellState
from streams.recording import Recorder, RecordingPolicy, list_sessions, open_session
from tests.qdmon.daemon.tape import Tape
from tests.streams import wire_samples as samples

BATCH_S = 1000 * 200e-9
POLICY = RecordingPolicy(flush_s=0.02, sync_s=0.02, ballast_bytes=0, least_free_s=0.0)


class Bench:
    """A recording with an outlet, fed by hand."""

    def __init__(self, folder: Path, pre_trigger_s: float, recorder: type[Recorder] = Recorder) -> None:
        self.folder = folder
        self.tape = Tape()
        self.recording = Recording(
            samples.session(),
            folder,
            POLICY,
            pre_trigger_s=pre_trigger_s,
            publish=self.tape.publish,
            recorder=recorder,
        )
        self.outlet = Outlet(self.tape, self.recording)

    def feed(self, *messages: Message) -> None:
        for message in messages:
            self.outlet.publish(message)

    def kept(self, number: int = 0) -> list[Message]:
        """The messages of a session on the disk."""
        return list(open_session(list_sessions(self.folder)[number].path).messages())


@asynccontextmanager
async def bench(folder: Path, pre_trigger_s: float = 1.0) -> AsyncIterator[Bench]:
    made = Bench(folder, pre_trigger_s)
    try:
        yield made
    finally:
        await made.recording.close(End("test over"))


def numbers(messages: list[Message]) -> list[int]:
    return [m.first_pulse // 1000 for m in messages if isinstance(m, PhotonBatch)]


def opening() -> tuple[Message, ...]:
    return samples.segment(), Fluence(0, 0, 0.2)


async def test_a_recording_holds_the_last_seconds_before_its_start_and_all_after_it(tmp_path: Path) -> None:
    async with bench(tmp_path, pre_trigger_s=4.5 * BATCH_S) as made:
        made.feed(*opening(), *(samples.batch(n) for n in range(10)))
        await made.recording.start("dot 7")
        made.feed(*(samples.batch(n) for n in range(10, 20)))
        await made.recording.stop()
        made.feed(samples.batch(20))
    kept = made.kept()
    assert numbers(kept) == list(range(5, 20))
    assert isinstance(kept[0], Session)
    assert kept[0].title == "dot 7"
    assert kept[0].session_id == samples.session().session_id
    assert samples.segment() in kept
    assert Fluence(0, 0, 0.2) in kept
    assert kept[-1] == End("recording stopped")


async def test_what_comes_while_a_recording_is_being_closed_is_not_part_of_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        await made.recording.start()
        made.feed(*opening(), samples.batch(0))
        stopping = asyncio.ensure_future(made.recording.stop())
        for number in range(1, 500):
            await asyncio.sleep(0)
            made.feed(samples.batch(number))
        await stopping
    kept = made.kept()
    assert isinstance(kept[-1], End)
    assert numbers(kept) == list(range(len(numbers(kept))))
    assert made.recording.state.duration_s == pytest.approx(len(numbers(kept)) * BATCH_S)


async def test_nothing_is_written_before_somebody_asks(tmp_path: Path) -> None:
    async with bench(tmp_path / "r") as made:
        made.feed(*opening(), samples.batch(0))
        assert made.recording.state == RecordingState("off")
    assert not (tmp_path / "r").exists()


async def test_recordings_follow_one_another_and_each_is_whole(tmp_path: Path) -> None:
    async with bench(tmp_path, pre_trigger_s=0.0) as made:
        made.feed(*opening())
        for take in range(2):
            await made.recording.start(f"take {take}")
            with pytest.raises(Refused, match="already recording"):
                await made.recording.start("again")
            made.feed(*(samples.batch(n) for n in range(10 * take, 10 * take + 10)))
            await made.recording.stop()
            with pytest.raises(Refused, match="nothing is being recorded"):
                await made.recording.stop()
    found = {session.path.name.split("-", 2)[2][:6]: session for session in list_sessions(tmp_path)}
    assert set(found) == {"take-0", "take-1"}
    for take in range(2):
        assert numbers(list(open_session(found[f"take-{take}"].path).messages())) == list(
            range(10 * take, 10 * take + 10)
        )


async def test_what_is_called_safe_grows_to_the_last_batch(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        await made.recording.start()
        made.feed(*opening(), *(samples.batch(n) for n in range(50)))
        async with asyncio.timeout(10):
            while made.recording.state.durable_pulse != 50_000:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        state = made.recording.state
        assert (state.state, state.durable_segment, state.durable_age_s) == ("on", 0, 0.0)
        assert state.photons == 250
        assert state.duration_s == pytest.approx(50 * BATCH_S)
        assert state.size_bytes > 0


async def test_the_end_of_a_run_closes_the_recording_with_its_last_word(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        await made.recording.start()
        made.feed(*opening(), samples.batch(0))
        await made.outlet.record_end(End("signal"))
        made.feed(End("signal"))
    assert made.kept()[-1] == End("signal")
    said = [m for m in made.tape.messages if isinstance(m, RecordingState | End)]
    assert isinstance(said[-2], RecordingState)
    assert said[-2].state == "off"
    assert said[-1] == End("signal")


async def test_the_disk_gets_every_message_before_the_viewers(tmp_path: Path) -> None:
    order: list[tuple[str, type]] = []

    class Noting(Recorder):
        def put(self, message: Message) -> bool:
            order.append(("disk", type(message)))
            return super().put(message)

    made = Bench(tmp_path, 1.0, Noting)
    await made.recording.start()
    order.clear()
    made.tape.then = lambda message: order.append(("viewer", type(message)))
    alert = Alert("a", 0, 0, "conversion", "alert", "auger -> bc")
    made.feed(*opening(), samples.batch(0), alert)
    kinds = (Segment, Fluence, PhotonBatch, Alert)
    assert order == [(where, kind) for kind in kinds for where in ("disk", "viewer")]
    await made.recording.close(End("over"))
    assert alert in made.kept()


async def test_orders_start_stop_and_ask_and_a_replays_orders_are_refused(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        begun = (await made.outlet.do(StartRecording("../../etc/passwd \x1b[31m"))).recording
        assert begun is not None
        assert begun.state == "on"
        assert (await made.outlet.do(TellState())).recording is not None
        ended = (await made.outlet.do(StopRecording())).recording
        assert ended is not None
        assert (ended.state, ended.name) == ("off", begun.name)
        with pytest.raises(Refused, match="live session"):
            await made.outlet.do(PlayReplay())
    assert [path.name for path in tmp_path.iterdir()] == [begun.name]  # noqa: ASYNC240
    assert "etc-passwd" in begun.name
