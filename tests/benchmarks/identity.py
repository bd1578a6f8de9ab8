"""A session of an hour, live and from its recording: the same to the last bit, and at what cost?

    python tests/benchmarks/identity.py [SECONDS] [MEAN_EXCITATION]

A simulated CdSe/ZnS dot runs through the daemon's own classes as fast as they go (no sockets): mostly at the
fluence given (0.03 is about 23 kcps), a tenth of the time at twice that, and for ten seconds at
<N> = 1.4, where it converts. A monitor watches it live while the recorder writes; a fresh one then sees the
recording, and a third one a copy of it that was cut at 70 % of its bytes, as a crash would. Needs about
3 bytes of disk per photon in the folder for temporary files.
"""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from qdmon.daemon.protocol import FluenceProtocol, Step
from streams.messages import PhotonBatch
from streams.recording import RecordingPolicy, open_session
from tests.qdmon.live import Live, Watched, differences, run_live

CUT = 0.7
STRONG = Step(1.4, 10.0)


@dataclass(frozen=True)
class Timed:
    seen: Watched
    wall_s: float


def protocol(seconds: float, mean_excitation: float) -> FluenceProtocol:
    """Ten rounds of a long weak and a short stronger step, and what converts the dot in their middle."""
    rounds = [Step(mean_excitation, 0.09 * seconds), Step(2 * mean_excitation, 0.01 * seconds)]
    return FluenceProtocol("identity", (*rounds * 5, STRONG, *rounds * 5))


def replayed(folder: Path) -> Timed:
    """A fresh monitor over a recording."""
    seen, begun = Watched(), time.perf_counter()
    for message in open_session(folder).messages():
        seen.feed(message)
    return Timed(seen, time.perf_counter() - begun)


def compared(live: Live, again: Watched) -> list[str]:
    """What differs between the live view and the replay, in words; empty if nothing does."""
    found = differences(live.seen.snapshot, again.snapshot)
    found += [] if again.told == live.seen.told else ["the events differ"]
    return found + ([] if again.alerts == live.seen.alerts else ["the alerts in the session differ"])


def compared_up_to_the_cut(live: Live, parent: Path) -> tuple[int, list[str]]:
    """Photons left of a recording that broke off, and what its replay shows otherwise than the live run."""
    cut = parent / "cut"
    shutil.copytree(live.folder, cut)
    files = sorted(cut.glob("*.mcap"))
    left = round(CUT * sum(file.stat().st_size for file in files))
    for file in files:
        size = file.stat().st_size
        if left < size:
            with file.open("r+b") as opened:
                opened.truncate(max(left, 0))
        left -= size
    again = Watched()
    whole = open_session(live.folder).messages()
    until = Watched()
    for message in open_session(cut).messages():
        original = next(whole)
        if type(original) is type(message):
            until.feed(original)
        else:  # the end that reading puts where the file breaks off
            until.feed(message)
        again.feed(message)
    found = differences(until.snapshot, again.snapshot)
    before = [told for told in live.seen.told if told[0] < again.messages - 1]
    return again.photons, found + ([] if again.told[: len(before)] == before else ["the events differ"])


def recorded(folder: Path, photons: int) -> str:
    """Size of a recording in words."""
    files = list(folder.iterdir())
    size = sum(file.stat().st_size for file in files)
    return f"{size / 1e6:.1f} MB in {len(files)} files, {size / photons:.3f} B/photon"


def main(seconds: float, mean_excitation: float) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    plan = protocol(seconds, mean_excitation)
    with tempfile.TemporaryDirectory() as name:
        parent = Path(name)
        begun = time.perf_counter()
        live = asyncio.run(run_live("cdse-zns-2nm", 1, plan, parent, policy=RecordingPolicy()))
        wall_s = time.perf_counter() - begun
        snapshot, photons = live.seen.snapshot, live.seen.photons
        rate_kcps = photons / snapshot.time_s / 1000
        alerts = [event for _, event in live.seen.told if event.severity == "alert"]
        print(f"live: {snapshot.time_s:.0f} s of stream, {photons} photons, {rate_kcps:.1f} kcps")
        print(
            f"      {wall_s:.0f} s with simulation, recorder and monitor (this {live.seen.cpu_s:.0f} s CPU)"
        )
        print(f"      {recorded(live.folder, photons)}")
        told, conversions = len(live.seen.told), len(snapshot.conversions)
        print(f"      {told} events, {len(alerts)} alerts, {conversions} conversions")
        begun = time.perf_counter()
        recording = open_session(live.folder)
        print(
            f"open: {1000 * (time.perf_counter() - begun):.0f} ms, problems: {recording.problems or 'none'}"
        )
        begun = time.perf_counter()
        read = sum(len(m.photons) for m in recording.messages() if isinstance(m, PhotonBatch))
        read_s = time.perf_counter() - begun
        print(f"read: {read} photons in {read_s:.1f} s, {read / read_s / 1e6:.0f} M/s")
        again = replayed(live.folder)
        found = compared(live, again.seen)
        print(
            f"replay: {again.wall_s:.0f} s ({again.seen.cpu_s:.0f} s CPU); {'; '.join(found) or 'identical'}"
        )
        left, broken = compared_up_to_the_cut(live, parent)
        print(f"cut at {CUT:.0%}: {left} photons; {'; '.join(broken) or 'identical up to the cut'}")
        if found or broken:
            sys.exit(1)


if __name__ == "__main__":
    main(*(float(word) for word in (sys.argv[1:] + ["3600", "0.03"][len(sys.argv) - 1 :])))
