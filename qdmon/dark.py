"""Background measured without the dot's light: a recording made in the dark, or dark spans of one."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from hardware.types import Acquisition
from qdmon.analysis.bins import count_nanotimes
from qdmon.analysis.calibration.timing import rising_edge
from qdmon.analysis.results.estimate import Estimate
from qdmon.insertion import inserted
from streams.formats import FormatError, Recording, open_recording
from streams.messages import Gap, LaserState, Message, PhotonBatch

__all__ = ["DarkError", "Span", "dark_rates", "parse_spans", "read_dark", "with_darkness"]

Span = tuple[float, float]
"""Start and stop in s."""

LEAST_S = 0.5


class DarkError(ValueError):
    """Darkness that cannot be used; one line that says why."""


def parse_spans(text: str) -> tuple[Span, ...]:
    """Spans, in order, from START:STOP,... in seconds.

    Raises:
        DarkError: not so, or they overlap, or one is too short.
    """
    spans: list[Span] = []
    for part in text.split(","):
        start, _, stop = part.partition(":")
        try:
            spans.append((float(start), float(stop)))
        except ValueError:
            raise DarkError(f"--dark-span {text!r}: give START:STOP or START:STOP,... in seconds") from None
    spans.sort()
    if not all(start >= 0 and start + LEAST_S <= stop < 1e9 for start, stop in spans):
        raise DarkError(f"--dark-span {text!r}: spans begin at 0 or later and last {LEAST_S:g} s or more")
    if any(one[1] > other[0] for one, other in pairwise(spans)):
        raise DarkError(f"--dark-span {text!r}: the spans overlap")
    return tuple(spans)


def read_dark(path: Path, acquisition: Acquisition) -> dict[int, Estimate]:
    """Counts per second of each detector in a recording made without light from the dot.

    Args:
        path: any photon recording.
        acquisition: of the recording it is for; its detectors are looked for.

    Raises:
        DarkError: it cannot be read, is too short, or is not dark.
    """
    try:
        recording = open_recording(path)
    except (FormatError, OSError) as error:
        raise DarkError(str(error)) from None
    rates = dark_rates(recording, [(0.0, recording.duration_s)])
    return {c: rates.get(c, Estimate(0.0)) for c in acquisition.channels}


def dark_rates(recording: Recording, spans: Sequence[Span]) -> dict[int, Estimate]:
    """Counts per second of each detector in spans of a recording, with Poisson errors.

    Raises:
        DarkError: the spans hold less than half a second, or photons in them follow the laser's pulses.
    """
    acq = recording.acquisition
    inside = [(acq.pulses(start), acq.pulses(stop)) for start, stop in spans]
    counts = np.zeros((max(acq.channels, default=0) + 1, max(acq.nanotime_bins, 1)), np.int64)
    pulses = 0
    for message in recording.messages():
        if isinstance(message, Gap):
            pulses -= _overlap(inside, message.first_pulse, message.stop_pulse)
        if not isinstance(message, PhotonBatch):
            continue
        pulses += _overlap(inside, message.first_pulse, message.stop_pulse)
        for first, stop in inside:
            if first < message.stop_pulse and stop > message.first_pulse:
                photons = message.photons.between(first, stop)
                count_nanotimes(counts, photons.nanotime, photons.channel)
    seconds = acq.seconds(pulses)
    if seconds < LEAST_S:
        raise DarkError(f"{recording.path}: {max(seconds, 0):.2g} s of darkness, {LEAST_S:g} are needed")
    if acq.resolution_ps is not None and any(rising_edge(c, acq.resolution_ps) is not None for c in counts):
        raise DarkError(f"{recording.path}: not dark: photons follow the laser's pulses")
    totals = counts.sum(axis=1).tolist()
    return {
        c: Estimate(totals[c] / seconds, float(np.sqrt(max(totals[c], 1))) / seconds) for c in acq.channels
    }


def _overlap(inside: Sequence[tuple[int, int]], first_pulse: int, stop_pulse: int) -> int:
    return sum(max(min(stop, stop_pulse) - max(first, first_pulse), 0) for first, stop in inside)


def with_darkness(messages: Iterator[Message], spans: Sequence[Span]) -> Iterator[Message]:
    """The same messages with the laser off during spans of the first segment; batches are cut there."""

    def wanted(acquisition: Acquisition) -> list[tuple[int, Callable[[int], Message]]]:
        edges = [(t, on) for start, stop in spans for t, on in ((start, False), (stop, True))]
        return [(acquisition.pulses(t), partial(_emission, on)) for t, on in edges]

    return inserted(messages, wanted)


def _emission(on: bool, pulse: int) -> Message:
    return LaserState(0, pulse, on, None, None, None)
