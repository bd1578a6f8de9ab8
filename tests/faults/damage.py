"""Damages a recording in every way and asks: is it found, is only the block hit lost, is nothing wrong?

`python -m tests.faults.damage 3000` runs so many cases of each kind; the test suite runs a few.
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from streams.formats import FormatError
from streams.messages import Message, PhotonBatch
from streams.recording import open_session, recover, verify
from streams.recording.scan import SegmentFile, scan
from tests.streams.recording.sessions import all_same, assert_no_wrong_photon, everything, read, written

__all__ = ["KINDS", "Victim"]

PAGE = 4096
KINDS = ("flip", "truncate", "zero page")


class Victim:
    """A recording of one segment file that is damaged again and again.

    Args:
        parent: folder to work in.
        closed: whether the recording was ended in good order.
    """

    def __init__(self, parent: Path, *, closed: bool) -> None:
        self.messages: list[Message] = everything(batches=80, photons=300)
        folder = written(parent, self.messages, close=closed)
        [self._path] = folder.iterdir()
        self._good = self._path.read_bytes()
        chunks = scan(SegmentFile(self._path)).chunks
        self._blocks = [(c.offset, c.stop, c.photons.batches if c.photons else 0) for c in chunks]
        self._most = max(batches for *_, batches in self._blocks)
        self._folder = folder
        self._closed = closed
        assert verify(folder).intact

    def damaged(self, kind: str, rng: random.Random) -> tuple[int, int]:
        """Damage the file; the bytes [first, stop) are no longer what they were."""
        data = bytearray(self._good)
        at = rng.randrange(len(data))
        stop = at + 1
        if kind == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "truncate":
            del data[at:]
            stop = len(self._good)
        else:
            at -= at % PAGE
            stop = min(at + PAGE, len(data))
            data[at:stop] = bytes(stop - at)
        self._path.write_bytes(data)
        return at, stop

    def check(self, kind: str, rng: random.Random) -> str:
        """One case; what came of it, in a word. AssertionError if a promise was broken."""
        at, stop = self.damaged(kind, rng)
        hit = sum(batches for first, end, batches in self._blocks if first < stop and at < end)
        try:
            report = verify(self._folder)
            found = read(self._folder)
        except FormatError:
            assert kind == "truncate"
            assert at < next(end for _, end, batches in self._blocks if batches)
            return "nothing left"
        cut_open = not self._closed and kind == "truncate"
        assert cut_open or not report.intact, f"{kind} at {at} was not found"
        missing = assert_no_wrong_photon(found, self.messages)
        assert missing <= hit, f"{kind} at {at}: {missing} batches lost, {hit} hit"
        if missing and kind != "truncate":
            assert report.gaps or self._at_the_end(stop)
        self._recover(found)
        return "found, nothing lost" if not missing else "found, its block lost"

    def _at_the_end(self, stop: int) -> bool:
        return stop > self._blocks[-2][0]

    def _recover(self, found: list[Message]) -> None:
        with tempfile.TemporaryDirectory() as parent:
            copied = recover(self._folder, Path(parent))
            assert verify(copied.folder).intact
            assert all_same(list(open_session(copied.folder).messages()), found)
            assert copied.photons == sum(len(m.photons) for m in found if isinstance(m, PhotonBatch))


def main() -> None:
    """Run many cases and print what came of them."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as parent:
        for closed in (True, False):
            victim = Victim(Path(parent) / str(closed), closed=closed)
            for kind in KINDS:
                rng = random.Random(7)
                outcomes = Counter(victim.check(kind, rng) for _ in range(cases))
                print("closed" if closed else "never closed", kind, dict(outcomes), flush=True)


if __name__ == "__main__":
    main()
