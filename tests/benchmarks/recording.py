"""Size and speed of the native recording: `python tests/benchmarks/recording.py [--hour]`.

Bytes per photon of a steady dot beside PTU, Photon-HDF5 and the entropy limit; encoding speed per CPU
second; with `--hour` the time to open a one-hour recording and to reach the first second of photons
after a seek.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hardware.types import Acquisition, Photons, RecordLayout
from streams.formats import write_ptu
from streams.formats.photon_hdf5_writer import PhotonHdf5Writer
from streams.formats.provenance import Provenance
from streams.messages import End, Fluence, LaserState, Message, PhotonBatch, Segment, Session
from streams.recording import RecordingPolicy, SessionWriter, archive, create_session, open_session

BATCH_S = 0.05
LIFETIME_NS = 25.0
IRF_NS = 0.12
POLICY = RecordingPolicy(sync="never")


def acquisition(pulse_rate_hz: float, resolution_ps: float) -> Acquisition:
    """A card with two detectors."""
    period_ps = 1e12 / pulse_rate_hz
    bins = math.ceil(period_ps / resolution_ps)
    return Acquisition("T3", period_ps, resolution_ps, bins, (0, 1), RecordLayout.GENERIC_T3, "benchmark")


def steady_dot(acq: Acquisition, rate_cps: float, seconds: float, variety: int = 40) -> Iterator[Message]:
    """A session of Poisson photons with an exponential decay; repeats `variety` different batches."""
    yield Session("ab" * 16, 1_700_000_000_000_000_000, "benchmark", "simulated")
    yield Segment(0, acq)
    yield LaserState(0, 0, True, True, 500, 500)
    yield Fluence(0, 0, 0.1, 500)
    rng = np.random.default_rng(1)
    pulses = acq.pulses(BATCH_S)
    made = [_photons(rng, acq, rate_cps, pulses) for _ in range(variety)]
    for number in range(round(seconds / BATCH_S)):
        first, photons = number * pulses, made[number % variety]
        shifted = Photons(photons.pulse + np.uint64(first), photons.nanotime, photons.channel)
        yield PhotonBatch(0, first, first + pulses, number * 50_000_000, shifted)
    yield End("over")


def _photons(rng: np.random.Generator, acq: Acquisition, rate_cps: float, pulses: int) -> Photons:
    n = rng.poisson(rate_cps * BATCH_S)
    pulse = np.sort(rng.integers(0, pulses, n)).astype(np.uint64)
    period_ns = acq.macro_tick_ps / 1e3
    arrival_ns = rng.exponential(LIFETIME_NS, n) + rng.normal(1.0, IRF_NS, n)
    background = rng.random(n) < 1000.0 / rate_cps
    arrival_ns[background] = rng.uniform(0, period_ns, background.sum())
    nanotime = (arrival_ns % period_ns * 1e3 / (acq.resolution_ps or 1.0)).astype(np.uint16)
    return Photons(pulse, nanotime, rng.integers(0, 2, n).astype(np.uint8))


def entropy_limit(acq: Acquisition, rate_cps: float) -> float:
    """Bytes per photon of independent photons: pulse index, nanotime, detector."""
    mu = rate_cps * acq.macro_tick_ps / 1e12
    k = np.arange(200)
    log_p = -mu + k * math.log(mu) - np.array([math.lgamma(i + 1) for i in k])
    pulse_bits = float(-(np.exp(log_p) * log_p).sum()) / math.log(2) / mu
    edges = np.arange(acq.nanotime_bins + 1) * (acq.resolution_ps or 1.0) / 1e3
    density = np.diff(-np.exp(-edges / LIFETIME_NS))
    dark = 1000.0 / rate_cps
    p = (1 - dark) * density / density.sum() + dark / len(density)
    return (pulse_bits - float((p * np.log2(p)).sum()) + 1.0) / 8


def write(folder: Path, messages: Iterator[Message]) -> tuple[Path, int, int]:
    """A session directory; its photons and bytes."""
    session = create_session(folder, "benchmark", 1_700_000_000_000_000_000)
    writer = SessionWriter(session, POLICY)
    for message in messages:
        writer.add(message, 0)
        if writer.due:
            writer.flush()
    writer.close()
    return session, writer.written.photons, writer.bytes


def sizes(folder: Path) -> None:
    """Print bytes per photon of every format we can write here."""
    acq = acquisition(5e6, 16.0)
    session, photons, size = write(folder, steady_dot(acq, 1e5, 60.0, variety=1200))
    rows = {"native": size / photons}
    if find_spec("pcodec"):
        rows["native, archived"] = archive(session).size_bytes / photons
    recording = open_session(session)
    ptu, hdf5 = folder / "x.ptu", folder / "x.h5"
    write_ptu(ptu, acq, ((block.photons, block.position) for block in recording.blocks()))
    rows["PTU"] = ptu.stat().st_size / photons
    if find_spec("h5py"):
        with PhotonHdf5Writer(hdf5, acq, Provenance("benchmark", "", "benchmark", 0)) as writer:
            for block in recording.blocks():
                writer.append(block.photons, block.position)
        rows["Photon-HDF5"] = hdf5.stat().st_size / photons
    rows["entropy limit"] = entropy_limit(acq, 1e5)
    print("bytes per photon at 100 kcps, 5 MHz, 16 ps:")
    for name, value in rows.items():
        print(f"  {name:<18}{value:6.3f}")


def speed(folder: Path) -> None:
    """Print how many photons a CPU second writes, and what share of a core a rate takes."""
    print("writing (CPU time of this process, disk included):")
    for rate_cps in (1e5, 1e7, 4e7):
        acq = acquisition(4e7 if rate_cps > 1e6 else 5e6, 16.0)
        seconds = 60.0 if rate_cps < 1e6 else 4.0
        messages = list(steady_dot(acq, rate_cps, seconds, variety=20))
        start_s, start_wall_s = time.process_time(), time.perf_counter()
        _, photons, size = write(folder, iter(messages))
        cpu_s, wall_s = time.process_time() - start_s, time.perf_counter() - start_wall_s
        print(
            f"  {rate_cps:9.0f} cps: {photons / cpu_s / 1e6:6.1f} M photons per CPU s, "
            f"{cpu_s / seconds:6.1%} of a core, {size / photons:.2f} B/photon, "
            f"{photons / wall_s / 1e6:.1f} M photons per s"
        )


def hour(folder: Path) -> None:
    """Print how long opening and seeking in a one-hour recording take."""
    acq = acquisition(5e6, 16.0)
    session, photons, size = write(folder, steady_dot(acq, 1e5, 3600.0, variety=200))
    print(f"one hour: {photons / 1e6:.0f} M photons, {size / 1e6:.0f} MB")
    opened = []
    for _ in range(5):
        start_s = time.perf_counter()
        recording = open_session(session)
        opened.append(time.perf_counter() - start_s)
    sought = []
    for at_s in np.random.default_rng(2).uniform(0.0, 3590.0, 200):
        start_s, stop_pulse = time.perf_counter(), acq.pulses(at_s + 1.0)
        for message in recording.messages_from(at_s):
            if isinstance(message, PhotonBatch) and message.stop_pulse >= stop_pulse:
                break
        sought.append(time.perf_counter() - start_s)
    print(f"  open {1e3 * float(np.median(opened)):.0f} ms, first {1e3 * opened[0]:.0f} ms")
    p50, p99 = np.percentile(sought, [50, 99]) * 1e3
    print(f"  seek and 1 s of photons: {p50:.1f} ms p50, {p99:.1f} ms p99")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hour", action="store_true", help="needs 1 GB of disk and half a minute")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        sizes(Path(parent) / "sizes")
        speed(Path(parent) / "speed")
        if options.hour:
            hour(Path(parent) / "hour")


if __name__ == "__main__":
    main()
