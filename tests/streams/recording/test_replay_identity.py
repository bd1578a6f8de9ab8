"""A replay of a recording gives the analysis what the live run gave it, whatever the file went through."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware.types import Photons
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.settings import AnalysisSettings
from qdmon.report import report
from streams.messages import End, Fluence, Message, PhotonBatch
from streams.recording import open_session, recover
from tests.streams.recording.sessions import QUICK, written
from tests.streams.wire_samples import segment, session

PULSES = 250_000
POLICY = replace(QUICK, flush_s=1.0, segment_s=3.0)


def blinking(seconds: float = 7.2) -> list[Message]:
    """A dot that switches between bright and slow, dim and fast, each 0.3 s."""
    rng = np.random.default_rng(3)
    found: list[Message] = [session(), segment(), Fluence(0, 0, 0.1)]
    for i in range(round(seconds / 0.05)):
        bright = i // 6 % 2
        n = rng.poisson(2000 if bright else 300)
        pulse = np.sort(rng.integers(i * PULSES, (i + 1) * PULSES, n)).astype(np.uint64)
        delay = rng.exponential(1500 if bright else 200, n) + 100
        photons = Photons(pulse, (delay % 12_500).astype(np.uint16), rng.integers(0, 2, n).astype(np.uint8))
        found.append(PhotonBatch(0, i * PULSES, (i + 1) * PULSES, i, photons))
        if i == 72:
            found.append(Fluence(0, (i + 1) * PULSES, 0.3))
    return [*found, End("x")]


def analysed(messages: list[Message]) -> tuple[object, object]:
    monitor = Monitor(AnalysisSettings())
    events = [event for message in messages for event in monitor.feed(message)]
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return report(snapshot, "x", AnalysisSettings()), events


def test_live_replay_and_recovered_copy_give_identical_numbers_and_alerts(tmp_path: Path) -> None:
    messages = blinking()
    folder = written(tmp_path, messages, POLICY)
    live = analysed(messages)
    assert analysed(list(open_session(folder).messages())) == live
    assert analysed(list(open_session(recover(folder).folder).messages())) == live
