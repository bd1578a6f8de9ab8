"""A simulated run of the daemon's own classes, recorded to disk, with a monitor that watches it live.

Everything is real but the sockets: instruments, run, outlet, recording, recorder and its thread.
"""

import asyncio
import queue
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.sim import create_bench
from hardware.types import Acquisition
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.analysis.snapshot import Snapshot
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.levels import levels_for
from qdmon.daemon.outlet import Outlet
from qdmon.daemon.protocol import FluenceProtocol
from qdmon.daemon.recording import Recording
from qdmon.daemon.run import Run
from qdmon.daemon.warm import warm_simulation
from streams.messages import Alert, Heartbeat, Message, PhotonBatch, RecordingState, ReplayState, Session
from streams.recording import RecordingPolicy

__all__ = ["Live", "Watched", "differences", "run_live", "watched"]

AHEAD = 40  # messages a viewer may be behind: 2 s of stream
_PASSING = (Heartbeat, RecordingState, ReplayState)


@dataclass
class Watched:
    """What a monitor made of a session.

    Attributes:
        told: each event with the number of the recorded message that caused it.
        alerts: the alerts that travel in the session itself.
        messages: how many of the session's recorded messages it was fed.
        photons: in them.
        cpu_s: spent in the monitor.
    """

    monitor: Monitor = field(default_factory=Monitor)
    told: list[tuple[int, Event]] = field(default_factory=list)
    alerts: list[tuple[int, Alert]] = field(default_factory=list)
    messages: int = 0
    photons: int = 0
    cpu_s: float = 0.0

    def feed(self, message: Message) -> None:
        if isinstance(message, _PASSING):
            return
        if isinstance(message, PhotonBatch):
            self.photons += len(message.photons)
        if isinstance(message, Alert):
            self.alerts.append((self.messages, message))
        begun = time.thread_time()
        self.told += [(self.messages, event) for event in self.monitor.feed(message)]
        self.cpu_s += time.thread_time() - begun
        self.messages += 1

    @property
    def snapshot(self) -> Snapshot:
        snapshot = self.monitor.snapshot()
        assert snapshot is not None
        return snapshot


def watched(messages: Iterable[Message]) -> Watched:
    """A fresh monitor that has seen these messages."""
    seen = Watched()
    for message in messages:
        seen.feed(message)
    return seen


class _Viewer:
    """In the place of the publisher and of a screen: what is sent is seen in another thread, as there.

    The event loop never waits for the monitor, else the laser would miss its daemon and switch off.
    """

    def __init__(self, also: Callable[[Message], None]) -> None:
        self.seen = Watched()
        self._also = also
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._looking = asyncio.create_task(asyncio.to_thread(self._look))
        self._looking.add_done_callback(lambda _: self._moved.set())

    def publish(self, message: Message) -> None:
        self._queue.put(message)
        self._also(message)

    async def room(self) -> None:
        while self._queue.qsize() > AHEAD and not self._looking.done():
            self._moved.clear()
            await self._moved.wait()

    async def delivered(self) -> None:
        """Not waited for here."""

    async def close(self) -> Watched:
        """Everything that was seen, once all of it is."""
        self._queue.put(None)
        await self._looking
        return self.seen

    def _look(self) -> None:
        while (message := self._queue.get()) is not None:
            self.seen.feed(message)
            self._loop.call_soon_threadsafe(self._moved.set)


class _Outlet(Outlet):
    """The daemon's, which here waits for the viewer as well: the simulated card is faster than any."""

    def __init__(self, viewer: _Viewer, recording: Recording) -> None:
        super().__init__(viewer, recording)
        self._viewer = viewer

    async def room(self) -> None:
        await super().room()
        await self._viewer.room()


@dataclass(frozen=True)
class Live:
    """A run that is over.

    Attributes:
        seen: the monitor that watched it.
        folder: its recording.
    """

    seen: Watched
    folder: Path


async def run_live(
    preset: str,
    seed: int,
    protocol: FluenceProtocol,
    parent: Path,
    *,
    policy: RecordingPolicy,
    also: Callable[[Message, Outlet], None] = lambda message, outlet: None,
) -> Live:
    """Run a protocol on the simulated bench as fast as it goes, recorded from the first message on.

    Args:
        preset: kind of dot.
        seed: which dot.
        protocol: fluence steps; the run ends with them.
        parent: folder of the recording.
        policy: of the recording.
        also: sees every message sent, and may publish more.
    """
    warm_simulation(preset)  # the first time it compiles, and a card must answer in time
    bench = create_bench(preset=preset, seed=seed, speed=float("inf"))
    instruments = Instruments(bench, max_permille=1000, consent=True)
    acquisition = await instruments.open({})
    session = Session("5" * 32, 1_800_000_000_000_000_000, "qdmon test", "simulated", preset)
    viewer = _Viewer(lambda message: also(message, outlet))
    recording = Recording(session, parent, policy, pre_trigger_s=0.0, publish=viewer.publish)
    outlet = _Outlet(viewer, recording)
    viewer.publish(session)
    try:
        await recording.start()
        await _run(instruments, acquisition, protocol, outlet, bench.mean_excitation_per_permille).run()
    finally:
        seen = await viewer.close()
        await instruments.close()
    return Live(seen, parent / recording.state.name)


def _run(
    instruments: Instruments,
    acquisition: Acquisition,
    protocol: FluenceProtocol,
    outlet: Outlet,
    per_permille: float | None,
) -> Run:
    return Run(
        instruments,
        acquisition,
        outlet,
        levels=levels_for(protocol, acquisition, per_permille),
        after="exit",
        mean_excitation_per_permille=per_permille,
    )


def differences(one: Any, other: Any, name: str = "snapshot") -> list[str]:
    """The fields in which two results differ, to the last bit; NaN equals NaN."""
    if type(one) is not type(other):
        return [f"{name}: {type(one).__name__} and {type(other).__name__}"]
    if is_dataclass(one):
        pairs = [(f".{f.name}", getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    elif isinstance(one, dict):
        if list(one) != list(other):
            return [f"{name}: keys {list(one)} and {list(other)}"]
        pairs = [(f"[{key!r}]", one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            return [f"{name}: {len(one)} and {len(other)} entries"]
        pairs = [(f"[{i}]", a, b) for i, (a, b) in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, np.ndarray):
        nan = one.dtype.kind == "f"
        equal = one.dtype == other.dtype and np.array_equal(one, other, equal_nan=nan)
        return [] if equal else [f"{name}: arrays differ"]
    else:
        return [] if one == other or (one != one and other != other) else [f"{name}: {one!r} and {other!r}"]
    return [found for at, a, b in pairs for found in differences(a, b, name + at)]
