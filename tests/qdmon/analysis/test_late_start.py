"""A viewer that joins late, or a recording begun by hand: nobody looked at the pulses before."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from hardware.types import LossCause, Photons
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.snapshot import Snapshot
from streams.messages import Fluence, Gap, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

LATE_S = 1800.0
BATCH_S = 0.05


@cache
def dot() -> tuple[Photons, int]:
    rng = np.random.default_rng(5)
    return b.photons(rng, b.auger_dot(rng, 6.0), acq=b.acquisition())


@cache
def joined(at_s: float, *, said: bool = False) -> Snapshot:
    """The snapshot of a monitor that sees the dot from so late a pulse on."""
    acq = b.acquisition()
    first = acq.pulses(at_s)
    found, stop = dot()
    moved = Photons(found.pulse + np.uint64(first), found.nanotime, found.channel)
    messages: list[Message] = [
        Session("0" * 32, 0, "test", "simulated"),
        Segment(0, acq),
        Fluence(0, first // 2, 0.1),
    ]
    if said:
        messages.append(Gap(0, 0, first, LossCause.NOT_COVERED))
    width = acq.pulses(BATCH_S)
    edges = [*range(0, stop, width), stop]
    messages += [
        PhotonBatch(0, first + a, first + z, 0, moved.between(first + a, first + z))
        for a, z in pairwise(edges)
    ]
    monitor = Monitor()
    for message in messages:
        monitor.feed(message)
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return snapshot


@pytest.mark.parametrize("said", [False, True])
def test_what_came_before_is_neither_darkness_nor_loss(said: bool) -> None:
    early, late = joined(0.0), joined(LATE_S, said=said)
    assert late.trace.start_s == pytest.approx(LATE_S)
    assert np.array_equal(late.trace.counts, early.trace.counts)
    assert not late.losses
    assert len(late.segments) == 1
    assert late.segments[0].start_s == pytest.approx(LATE_S)


def test_the_dot_is_the_same_as_for_who_was_there_from_the_beginning() -> None:
    early, late = joined(0.0), joined(LATE_S)
    one, other = early.segments[-1], late.segments[-1]
    assert other.call.blinking == one.call.blinking == "auger"
    assert other.mean_rate_cps.value == pytest.approx(one.mean_rate_cps.value)
    assert other.lifetime_ns.value == pytest.approx(one.lifetime_ns.value)
    assert late.g2.zero.value == pytest.approx(early.g2.zero.value)
