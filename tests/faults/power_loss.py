"""Cuts the power at any moment of a recording: what was acknowledged as durable is there, nothing is wrong.

`python -m tests.faults.power_loss 400` checks so many states; the test suite a few.
"""

import random
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from streams.formats import FormatError
from streams.messages import PhotonBatch
from streams.recording import SessionWriter, create_session
from tests.faults.fakes import ForgetfulDisk
from tests.streams.recording.sessions import QUICK, assert_no_wrong_photon, everything, read

__all__ = ["power_loss"]

POLICY = replace(QUICK, sync="second", segment_s=6e-3)
CHUNKS_PER_SYNC = 3


def power_loss(parent: Path, rng: random.Random) -> str:
    """One power cut; what came of it, in a word. AssertionError if a promise was broken."""
    messages = everything(batches=80, photons=300)
    disk = ForgetfulDisk()
    folder = create_session(parent, "lost", 0, disk)
    writer = SessionWriter(folder, POLICY, files=disk)
    cut_at = rng.randrange(3, len(messages) + 2)
    flushes = 0
    for message in messages[:cut_at]:
        writer.add(message, 0)
        if writer.due:
            writer.flush()
            flushes += 1
            if flushes % CHUNKS_PER_SYNC == 0:
                writer.sync()
    if cut_at > len(messages):
        writer.close()
    durable = writer.durable
    left = parent / "left"
    disk.after_power_loss(left, rng)
    writer.abandon()
    try:
        found = read(left)
    except FormatError:
        assert not durable.messages
        return "nothing was durable"
    assert_no_wrong_photon(found, messages)
    batches = [m for m in found if isinstance(m, PhotonBatch)]
    kept = sum(len(m.photons) for m in batches if m.stop_pulse <= durable.stop_pulse)
    assert kept == durable.photons, f"{durable.photons} photons were durable, {kept} are there"
    more = sum(len(m.photons) for m in batches) - kept
    return "as durable" if not more else "more than durable"


def main() -> None:
    """Run many cases and print what came of them."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    outcomes: Counter[str] = Counter()
    for case in range(cases):
        with tempfile.TemporaryDirectory() as parent:
            outcomes[power_loss(Path(parent), random.Random(case))] += 1
    print(outcomes)


if __name__ == "__main__":
    main()
