"""Kills a recording process at random instants: everything acknowledged is there, bit for bit.

`python -m tests.faults.kill 200` does it so often; the test suite less.
"""

import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from streams.messages import Gap, PhotonBatch
from streams.recording import Position, Recorder, RecordingPolicy, open_session, verify
from tests.streams.wire_samples import PULSES_PER_BATCH, batch, same, segment, session

POLICY = RecordingPolicy(flush_s=2e-3, sync_s=0.02, segment_s=0.05, ballast_bytes=1 << 20)
PHOTONS = 200
SHARED = struct.Struct("<Q")


def record_until_killed(parent: Path, shared: mmap.mmap) -> None:
    """Record batch after batch; note in shared memory what the recorder acknowledges."""

    def acknowledged(written: Position, durable: Position) -> None:
        SHARED.pack_into(shared, 0, written.stop_pulse)
        SHARED.pack_into(shared, 8, durable.stop_pulse)

    recorder = Recorder(parent, "killed", POLICY, on_acknowledged=acknowledged)
    recorder.put_all([session(), segment()])
    for number in range(1 << 40):
        recorder.room(10.0)
        recorder.put(batch(number, PHOTONS))


def kill_one(parent: Path, rng: random.Random) -> str:
    """One killed process; what came of it, in a word. AssertionError if a promise was broken."""
    shared = mmap.mmap(-1, 16)
    child = os.fork()
    if not child:
        try:
            record_until_killed(parent, shared)
        finally:
            os._exit(1)
    while not SHARED.unpack_from(shared, 0)[0]:
        time.sleep(0.001)
    time.sleep(rng.uniform(0.0, 0.3))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    [folder] = parent.iterdir()
    acknowledged = max(SHARED.unpack_from(shared, 0)[0], SHARED.unpack_from(shared, 8)[0])
    report = verify(folder)
    assert report.intact, report
    found = list(open_session(folder).messages())
    assert not any(isinstance(message, Gap) for message in found)
    batches = [message for message in found if isinstance(message, PhotonBatch)]
    assert all(same(message, batch(number, PHOTONS)) for number, message in enumerate(batches))
    assert len(batches) * PULSES_PER_BATCH >= acknowledged
    return "unfinished block" if any(file.unfinished_bytes for file in report.files) else "whole blocks"


def main() -> None:
    """Kill many and print what came of them."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    outcomes: Counter[str] = Counter()
    for case in range(kills):
        with tempfile.TemporaryDirectory() as parent:
            outcomes[kill_one(Path(parent), random.Random(case))] += 1
    print(dict(outcomes))


if __name__ == "__main__":
    main()
