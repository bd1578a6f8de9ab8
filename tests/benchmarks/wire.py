"""Cost of the wire per photon: `python tests/benchmarks/wire.py`.

Compares encoding, decoding, packing and unpacking of one batch with msgpack lists and with a copy of
the same bytes in memory.
"""

import time
from collections.abc import Callable

import msgpack
import numpy as np

from hardware.types import Photons
from streams.messages import PhotonBatch
from streams.wire import Envelope, decode, encode

SIZES = (100, 1_000, 5_000, 65_536, 1_000_000)
HERE = Envelope("00" * 16, 0, 0, 0)


def dot(n: int, rate_cps: float = 1e5, pulse_rate_hz: float = 5e6) -> PhotonBatch:
    """A batch of n photons of a steady dot with a lifetime of 25 ns."""
    rng = np.random.default_rng(1)
    pulse = np.cumsum(rng.geometric(rate_cps / pulse_rate_hz, n)).astype(np.uint64)
    nanotime = np.minimum(rng.exponential(25_000 / 16, n) + 60, 12_499).astype(np.uint16)
    photons = Photons(pulse, nanotime, rng.integers(0, 2, n).astype(np.uint8))
    return PhotonBatch(0, 0, int(pulse[-1]) + 1, 0, photons)


def ns_per_photon(action: Callable[[], object], n: int, budget_s: float = 0.2) -> float:
    """Best of as many runs as fit in the budget."""
    best_s, stop_s = float("inf"), time.perf_counter() + budget_s
    while time.perf_counter() < stop_s:
        start_s = time.perf_counter()
        action()
        best_s = min(best_s, time.perf_counter() - start_s)
    return best_s * 1e9 / n


def measure(n: int) -> dict[str, float]:
    """ns per photon of each way to handle a batch of n, and bytes per photon when packed."""
    batch = dot(n)
    columns = (batch.photons.pulse, batch.photons.nanotime, batch.photons.channel)
    raw = [bytes(frame) for frame in encode(batch, HERE)]
    packed = [bytes(frame) for frame in encode(batch, HERE, "planes-zstd")]
    lists = msgpack.packb([column.tolist() for column in columns])
    actions: dict[str, Callable[[], object]] = {
        "encode": lambda: encode(batch, HERE),
        "decode": lambda: decode(raw),
        "pack": lambda: encode(batch, HERE, "planes-zstd"),
        "unpack": lambda: decode(packed),
        "lists out": lambda: msgpack.packb([column.tolist() for column in columns]),
        "lists in": lambda: [np.array(column) for column in msgpack.unpackb(lists)],
        "copy": lambda: [column.copy() for column in columns],
    }
    return {name: ns_per_photon(action, n) for name, action in actions.items()} | {
        "B/photon": sum(map(len, packed)) / n
    }


def main() -> None:
    """Print the table."""
    rows = {n: measure(n) for n in SIZES}
    names = list(rows[SIZES[0]])
    print(f"{'photons':>9}" + "".join(f"{name:>10}" for name in names))
    for n, row in rows.items():
        print(f"{n:>9}" + "".join(f"{row[name]:>10.2f}" for name in names))


if __name__ == "__main__":
    main()
