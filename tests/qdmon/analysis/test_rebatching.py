"""The verdict does not depend on how the stream was cut into batches."""

import itertools
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.types import LossCause, Photons
from qdmon.analysis.settings import AnalysisSettings
from streams.messages import End, Fluence, Gap, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

STEPS_S = ((0.0, 0.1), (2.0, None), (2.2, 0.5))
GAP_S = (3.0, 3.12)
LAST_S = 4.6


@cache
def dot() -> tuple[Photons, int]:
    """An Auger dot and then a BC dot, with a stretch of photons lost."""
    rng = np.random.default_rng(21)
    acq = b.acquisition()
    dwells = [*b.auger_dot(rng, 2.4), *b.bc_dot(rng, 2.4)]
    found, stop = b.photons(rng, dwells, acq=acq)
    lost = [acq.pulses(t) for t in GAP_S]
    kept = (found.pulse < lost[0]) | (found.pulse >= lost[1])
    return Photons(found.pulse[kept], found.nanotime[kept], found.channel[kept]), min(
        stop, acq.pulses(LAST_S)
    )


def cut_at(cuts: list[int]) -> Iterator[Message]:
    """The session of the dot with batches that end at these pulses, and where messages must stand."""
    acq = b.acquisition()
    found, stop = dot()
    steps = [(acq.pulses(t), n) for t, n in STEPS_S]
    lost = [acq.pulses(t) for t in GAP_S]
    edges = sorted({0, stop, lost[0], *(p for p, _ in steps), *(c for c in cuts if 0 < c < stop)})
    yield Session("0" * 32, 0, "test", "simulated")
    yield Segment(0, acq)
    for first, last in itertools.pairwise(edges):
        for pulse, n in steps:
            if pulse == first:
                yield Fluence(0, pulse, n)
        if first == lost[0]:
            yield Gap(0, lost[0], lost[1], LossCause.FIFO_OVERRUN)
        yield PhotonBatch(0, first, last, 0, found.between(first, last))
    yield End("done")


def differences(one: Any, other: Any, name: str = "snapshot") -> list[str]:
    """Names of all numbers that are not exactly equal."""
    if is_dataclass(one):
        found = [
            differences(getattr(one, f.name), getattr(other, f.name), f"{name}.{f.name}") for f in fields(one)
        ]
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            return [name]
        found = [differences(one[k], other[k], f"{name}[{k}]") for k in one]
    elif isinstance(one, tuple):
        if len(one) != len(other):
            return [name]
        found = [differences(x, y, f"{name}[{i}]") for i, (x, y) in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, np.ndarray):
        return [] if np.array_equal(one, other, equal_nan=one.dtype.kind == "f") else [name]
    else:
        return [] if one == other else [name]
    return [d for part in found for d in part]


@cache
def steady() -> b.Watched:
    """The reference: batches of 50 ms."""
    acq = b.acquisition()
    return b.watch(cut_at(list(range(0, acq.pulses(LAST_S), acq.pulses(0.05)))))


def test_the_reference_has_something_to_compare() -> None:
    snapshot = steady().snapshot
    assert [s.mean_excitation for s in snapshot.segments] == [0.1, 0.5]
    assert snapshot.segments[0].call.blinking == "auger"
    assert len(snapshot.losses) == 1
    assert snapshot.g2.single_emitter is True


def test_a_difference_would_be_found() -> None:
    other = b.watched_dot("auger", 3.0).snapshot
    found = differences(steady().snapshot, other)
    assert "snapshot.photons" in found
    assert "snapshot.trace.counts" in found
    assert "snapshot.segments" in found


STOP = 23_000_000


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, STOP - 1), max_size=40, unique=True))
@example(cuts=[])
@example(cuts=[1, 2, 3, 9_999_999, 10_000_000, 10_000_001, 11_000_001, 14_999_999, 15_000_001])
@example(cuts=list(range(0, STOP, 61_803)))
def test_any_cut_of_the_stream_gives_the_same_snapshot_and_the_same_events(cuts: list[int]) -> None:
    cut = b.watch(cut_at(cuts))
    assert differences(steady().snapshot, cut.snapshot) == []
    assert cut.events == steady().events


def test_what_is_let_go_to_bound_the_memory_does_not_depend_on_the_cut_either() -> None:
    short = AnalysisSettings(trace_kept_s=1.0, segment_kept_s=1.5)
    one, other = (b.watch(cut_at(cuts), short) for cuts in ([], list(range(0, STOP, 61_803))))
    assert len(one.snapshot.trace.counts) == 100
    assert differences(one.snapshot, other.snapshot) == []
    assert one.events == other.events
