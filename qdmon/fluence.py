"""Fluence steps that a user knows of a recording: a table of them, and where they fall among the photons."""

import csv
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from hardware.types import Acquisition
from qdmon.analysis.results.segment import FluenceStep
from qdmon.insertion import inserted
from streams.messages import Fluence, Message

__all__ = ["StepsError", "read_steps", "with_fluence"]


class StepsError(ValueError):
    """A table of fluence steps cannot be used; one line that says why."""


def read_steps(path: Path) -> tuple[FluenceStep, ...]:
    """Fluence steps from a CSV table with the header `time_s,mean_excitation`.

    An empty <N> says that it is changing or unknown from then on.

    Raises:
        StepsError: the file is missing, or a line is not two finite non-negative numbers in order of time.
    """
    try:
        # Spreadsheets put a byte order mark in front.
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StepsError(f"{path}: cannot be read as a table of fluence steps ({error})") from None
    if not rows or [c.strip() for c in rows[0]] != ["time_s", "mean_excitation"]:
        raise StepsError(f"{path}: the first line must be time_s,mean_excitation")
    steps: list[FluenceStep] = []
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        try:
            time_text, excitation_text = row
            time_s = float(time_text)
            mean_excitation = float(excitation_text) if excitation_text.strip() else None
        except ValueError:
            raise StepsError(f"{path}:{number}: needs two numbers, found {','.join(row)[:40]!r}") from None
        if not (0 <= time_s < 1e9 and 0 <= (mean_excitation or 0.0) < 1e4):
            raise StepsError(f"{path}:{number}: time and <N> must be finite and not negative")
        if steps and time_s <= steps[-1].start_s:
            raise StepsError(f"{path}:{number}: times must increase")
        steps.append(FluenceStep(time_s, mean_excitation))
    if not steps:
        raise StepsError(f"{path}: no steps in it")
    return tuple(steps)


def with_fluence(messages: Iterator[Message], steps: Sequence[FluenceStep]) -> Iterator[Message]:
    """The same messages with a `Fluence` at each step of the first segment; batches are cut there."""

    def wanted(acquisition: Acquisition) -> list[tuple[int, Callable[[int], Message]]]:
        return [(acquisition.pulses(step.start_s), partial(_fluence, step.mean_excitation)) for step in steps]

    return inserted(messages, wanted)


def _fluence(mean_excitation: float | None, pulse: int) -> Message:
    return Fluence(0, pulse, mean_excitation, origin="file")
