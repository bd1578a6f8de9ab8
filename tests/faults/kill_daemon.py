"""Kills a recording daemon outright and compares what is on the disk with what it had acknowledged.

As a script: python -m tests.faults.kill_daemon [RUNS], 200 by default; exit code 1 if anything was lost.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from streams.control import ControlError, give_order
from streams.endpoints import Endpoints, parse_address
from streams.messages import PhotonBatch, RecordingState
from streams.orders import TellState
from streams.recording import list_sessions, open_session, verify
from streams.subscriber import Subscriber

PRESET = "cdse-zns-2nm"
READY_S = 60.0

_fresh = multiprocessing.get_context("spawn")


@dataclass
class Seen:
    """What a viewer of the daemon was shown, and what was acknowledged to it.

    Attributes:
        batches: first pulse -> batch.
        durable: end of what the daemon called safe, in pulses.
    """

    batches: dict[int, PhotonBatch] = field(default_factory=dict)
    durable: int = 0

    def acknowledged(self, state: RecordingState | None) -> None:
        """The daemon said how far it is."""
        if state is not None and state.durable_pulse is not None:
            self.durable = max(self.durable, state.durable_pulse)


@dataclass(frozen=True)
class Outcome:
    """A killed run.

    Attributes:
        acknowledged: pulses that were called safe.
        recorded: pulses on the disk.
        faults: what is wrong, in words; empty if all is well.
    """

    acknowledged: int
    recorded: int
    faults: tuple[str, ...]


def killed_run(seed: int, after_s: float) -> Outcome:
    """Record a simulated dot, kill the daemon after some time, and read what it left."""
    with tempfile.TemporaryDirectory(prefix="qdk") as name:
        folder = Path(name)
        seen, over = Seen(), threading.Event()
        parent, child = _fresh.Pipe()
        process = _fresh.Process(target=_daemon, args=(name, seed, child), daemon=True)
        process.start()
        if not parent.poll(READY_S):
            raise RuntimeError("the daemon did not start")
        endpoints = parse_address(str(folder / "s"))
        viewers = [threading.Thread(target=look, args=(endpoints, seen, over)) for look in (_watch, _ask)]
        for viewer in viewers:
            viewer.start()
        over.wait(after_s)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        over.set()
        for viewer in viewers:
            viewer.join()
        return _compared(folder / "r", seen)


def _daemon(folder: str, seed: int, ready: Connection) -> None:
    from qdmon.config import Config
    from qdmon.daemon.logs import logs
    from qdmon.daemon.service import DaemonOptions, run_daemon

    options = DaemonOptions(
        Config(),
        simulate=PRESET,
        seed=seed,
        bind=f"{folder}/s",
        record=f"{folder}/r",
        ready=lambda _: ready.send("ready"),
    )
    with logs(Path(folder) / "log"):
        run_daemon(options)


def _watch(endpoints: Endpoints, seen: Seen, over: threading.Event) -> None:
    with Subscriber(endpoints) as subscriber:
        while not over.is_set():
            item = subscriber.receive(0.05)
            if isinstance(item, PhotonBatch):
                seen.batches[item.first_pulse] = item
            elif isinstance(item, RecordingState):
                seen.acknowledged(item)


def _ask(endpoints: Endpoints, seen: Seen, over: threading.Event) -> None:
    while not over.wait(0.02):
        with suppress(ControlError):
            seen.acknowledged(give_order(endpoints, TellState(), valid_s=0.5, nobody_s=0.1).recording)


def _compared(folder: Path, seen: Seen) -> Outcome:
    (info,) = list_sessions(folder)
    if info.empty:  # killed before the first block
        return Outcome(seen.durable, 0, ("acknowledged, but nothing is there",) if seen.durable else ())
    report = verify(info.path)
    faults = [] if report.intact else ["verify finds damage"]
    recorded = {m.first_pulse: m for m in open_session(info.path).messages() if isinstance(m, PhotonBatch)}
    stop = max((batch.stop_pulse for batch in recorded.values()), default=0)
    for first, batch in seen.batches.items():
        kept = recorded.get(first)
        if kept is None and batch.stop_pulse <= seen.durable:
            faults.append(f"the acknowledged batch at pulse {first} is gone")
        elif kept is not None and not same(kept, batch):
            faults.append(f"the batch at pulse {first} is another one")
    if stop < seen.durable:
        faults.append(f"acknowledged up to pulse {seen.durable}, recorded up to {stop}")
    return Outcome(seen.durable, stop, tuple(faults))


def same(one: PhotonBatch, other: PhotonBatch) -> bool:
    return (
        one.stop_pulse == other.stop_pulse
        and np.array_equal(one.photons.pulse, other.photons.pulse)
        and np.array_equal(one.photons.nanotime, other.photons.nanotime)
        and np.array_equal(one.photons.channel, other.photons.channel)
    )


def main(runs: int) -> int:
    """Do so many runs at random instants; the number of those that lost something."""
    rng = random.Random(runs)
    bad = 0
    for number in range(runs):
        after_s = rng.uniform(0.0, 5.0)
        outcome = killed_run(number, after_s)
        bad += bool(outcome.faults)
        words = "; ".join(outcome.faults) or "nothing lost"
        print(
            f"{number:4} killed after {after_s:4.2f} s: {outcome.acknowledged} pulses acknowledged, "
            f"{outcome.recorded} recorded: {words}",
            flush=True,
        )
    print(f"{bad} of {runs} lost something")
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 200) else 0)
