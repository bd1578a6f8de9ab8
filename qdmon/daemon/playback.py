"""A file in the place of instruments: the same session, published again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qdmon.analysis.snapshot import FluenceStep
from qdmon.daemon.stopping import end_by_signal, stop_signals, watch_parent
from qdmon.fluence import with_fluence
from streams.endpoints import Endpoints, parse_address
from streams.formats import open_recording
from streams.messages import End, Message
from streams.publisher import Publisher
from streams.replay import replay

__all__ = ["ReplayOptions", "run_replay", "serve_replay"]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to publish, where and how fast.

    Attributes:
        file: the recording.
        bind: address.
        speed: recorded seconds per second; infinity waits for nobody but the viewers.
        steps: fluence steps that the file does not hold.
        with_parent: end when standard input does.
        ready: called with the endpoints once viewers can connect.
    """

    file: Path
    bind: str
    speed: float = 1.0
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

    def on_signal(number: int) -> None:
        caught.append(number)
        stop.set()

    async with Publisher(endpoints, session) as publisher, asyncio.TaskGroup() as tasks:
        with stop_signals(on_signal):
            if options.with_parent:
                watch_parent(stop.set)
            serving = tasks.create_task(publisher.serve())
            stopped = tasks.create_task(stop.wait())
            messages = with_fluence(recording.messages(), options.steps)
            playing = tasks.create_task(_play(publisher, messages, options.speed))
            if options.ready is not None:
                options.ready(endpoints)
            await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                playing.cancel()
                publisher.publish(End("replay stopped"))
            elif options.with_parent:  # viewers may come and go, and look back, until the parent ends
                await stopped
            serving.cancel()
            stopped.cancel()
    return caught[0] if caught else None


async def _play(publisher: Publisher, messages: Iterable[Message], speed: float) -> None:
    await publisher.followed()
    await replay(messages, publisher.publish, speed=speed, room=publisher.room)
    await publisher.delivered()
