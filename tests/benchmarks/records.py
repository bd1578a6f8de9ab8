"""How fast records decode, against ptufile's decoder on the same words in the same run.

Run: `python tests/benchmarks/records.py [photons]`. CPU time per photon, median of alternating runs;
the ratio is the number to watch, since both sides suffer the same neighbours.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import ptufile
from numpy.typing import NDArray

from hardware.records import decoder_for, encoder_for
from hardware.types import Acquisition, Photons, RecordLayout
from streams.formats import write_ptu

PULSE_RATE_HZ = 5e6
BLOCK = 65_536
RUNS = 7


def stream(photons: int, rate_cps: float) -> NDArray[np.uint32]:
    """Generic T3 words of a Poisson stream with an exponential decay."""
    rng = np.random.default_rng(1)
    pulse = np.cumsum(rng.geometric(rate_cps / PULSE_RATE_HZ, photons)).astype(np.uint64)
    nanotime = np.minimum(rng.exponential(400.0, photons), 3000.0).astype(np.uint16)
    channel = rng.integers(0, 2, photons).astype(np.uint8)
    return encoder_for(RecordLayout.GENERIC_T3).feed(Photons(pulse, nanotime, channel), int(pulse[-1]))


def cpu_ns(work: Callable[[], object]) -> int:
    """CPU time of one call."""
    start = time.process_time_ns()
    work()
    return time.process_time_ns() - start


def decode_all(words: NDArray[np.uint32]) -> int:
    """What a live source does: one decoder, block after block."""
    decoder = decoder_for(RecordLayout.GENERIC_T3)
    return sum(len(decoder.feed(words[i : i + BLOCK]).photons) for i in range(0, len(words), BLOCK))


def peer() -> ptufile.PtuFile:
    """ptufile on a file of the same kind, whose decoder can then be given words."""
    acquisition = Acquisition("T3", 1e12 / PULSE_RATE_HZ, 64.0, 3125, (0, 1), RecordLayout.GENERIC_T3, "none")
    with tempfile.TemporaryDirectory() as folder:
        write_ptu(Path(folder) / "empty.ptu", acquisition, [])
        return ptufile.PtuFile(Path(folder) / "empty.ptu")


def main() -> None:
    """Print CPU time per photon of both decoders at three count rates."""
    photons = int(float(sys.argv[1])) if len(sys.argv) > 1 else 4_000_000
    theirs = peer()
    for rate_cps in (2e4, 1e5, 1e6):
        words = stream(photons, rate_cps)
        if decode_all(words) != photons:
            raise SystemExit("the decoder lost photons: nothing to time")
        pairs = [
            (cpu_ns(partial(decode_all, words)), cpu_ns(partial(theirs.decode_records, words)))
            for _ in range(RUNS)
        ]
        mine, peers = (median(column) / photons for column in zip(*pairs, strict=True))
        print(f"{rate_cps:9.0f} cps: {mine:5.2f} ns/photon, ptufile {peers:5.2f}, ratio {peers / mine:4.1f}")


if __name__ == "__main__":
    main()
