"""A file in the place of instruments: the same session, published again."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qdmon.analysis.results.segment import FluenceStep
from qdmon.daemon.player import Player
from qdmon.daemon.stopping import end_by_signal, stop_signals, watch_parent
from qdmon.fluence import with_fluence
from streams.control import ControlServer
from streams.endpoints import Endpoints, parse_address
from streams.formats import Recording, open_recording
from streams.messages import End, Message
from streams.publisher import Publisher
from streams.recording import NativeRecording
from streams.replay import begun_at

__all__ = ["ReplayOptions", "run_replay", "serve_replay"]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to publish, where and how fast.

    Attributes:
        file: the recording.
        bind: address.
        speed: recorded seconds per second; infinity waits for nobody but the viewers.
        start_s: where to begin.
        paused: stand still there.
        loop: begin again at the end.
        steps: fluence steps that the file does not hold.
        with_parent: end when standard input does.
        ready: called with the endpoints once viewers can connect.
    """

    file: Path
    bind: str
    speed: float = 1.0
    start_s: float = 0.0
    paused: bool = False
    loop: bool = False
    steps: Sequence[FluenceStep] = ()
    with_parent: bool = False
    ready: Callable[[Endpoints], None] | None = None


def run_replay(options: ReplayOptions) -> None:
    """Publish until the end or until told to stop; ends the process by the signal that stopped it."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        number = runner.run(serve_replay(options))
    if number is not None:
        end_by_signal(number)


async def serve_replay(options: ReplayOptions) -> int | None:
    """One replay; the signal that ended it, if any. Raises FormatError, OSError or EndpointError."""
    caught: list[int] = []
    stop = asyncio.Event()
    recording = open_recording(options.file)
    session = replace(recording.session, source="replay")
    endpoints = parse_address(options.bind)

    def messages(start_s: float) -> Iterator[Message]:
        return begun_at(_without_end(recording, options.steps, start_s), start_s)

    def on_signal(number: int) -> None:
        caught.append(number)
        stop.set()

    async with Publisher(endpoints, session) as publisher:
        player = Player(
            publisher,
            messages,
            recording.duration_s,
            speed=options.speed,
            start_s=options.start_s,
            paused=options.paused,
            loop=options.loop,
        )
        async with ControlServer(endpoints, player.do) as control, asyncio.TaskGroup() as tasks:
            with stop_signals(on_signal):
                if options.with_parent:
                    watch_parent(stop.set)
                service = [
                    tasks.create_task(work()) for work in (publisher.serve, control.serve, player.watch)
                ]
                # With a parent viewers may come and go, look back and seek, until it ends.
                playing = tasks.create_task(player.run(stay=options.with_parent))
                if options.ready is not None:
                    options.ready(endpoints)
                stopped = tasks.create_task(stop.wait())
                await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not playing.done():
                    playing.cancel()
                    if player.state.state != "ended":
                        publisher.publish(End("replay stopped"))
                for task in (*service, stopped):
                    task.cancel()
    return caught[0] if caught else None


def _without_end(recording: Recording, steps: Sequence[FluenceStep], start_s: float) -> Iterator[Message]:
    """The messages from somewhere before a time; our own recordings need not be read from their beginning."""
    if isinstance(recording, NativeRecording) and not steps and start_s > 0:
        told = recording.messages_from(start_s)
    else:
        told = with_fluence(recording.messages(), steps)
    return (message for message in told if not isinstance(message, End))
