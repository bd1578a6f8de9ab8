"""The report of `qdmon analyze` against the truth."""

import contextlib
import io
import json
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any

from qdmon.cli.analyze import analyze
from tests.benchmarks.independent.dot import Case
from tests.benchmarks.independent.files import simulate, write
from tests.benchmarks.independent.path import Path
from tests.benchmarks.independent.truth import Realised, realised

__all__ = ["Change", "Judged", "Verdict", "judge"]

SURE = 0.9
LATE_S = 6.0  # a conversion found this long after it happened is not that conversion
SHORT_S = 2.0
NOTHING: dict[str, Any] = {"segments": [], "conversions": []}  # an analysis that failed said nothing


@dataclass(frozen=True)
class Verdict:
    """One fluence step.

    Attributes:
        truth: what happened.
        called, leaning: what was said; the likeliest type, called or not.
        probability, reason: of the likeliest type; why it was not called.
        share: of the loss, as said.
        outcome: "right", "border" (an accepted type), "undetermined" or "wrong".
        report: the segment of the report.
    """

    truth: Realised
    called: str
    leaning: str
    probability: float
    reason: str | None
    share: float | None
    outcome: str
    report: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A conversion, true or reported: found, missed, false; and by how much it was off."""

    outcome: str
    before: str
    after: str
    time_s: float
    error_s: float | None = None
    reversible: str = "-"


@dataclass(frozen=True)
class Judged:
    """One case with its verdicts, conversions and cost."""

    case: Case
    verdicts: list[Verdict]
    changes: list[Change]
    seconds: float
    photons: int
    report: dict[str, Any]


def judge(case: Case, folder: FilePath) -> Judged:
    """Simulate a case, analyse its file and compare."""
    path, photons = simulate(case)
    file, table = write(case, path, photons, folder)
    printed = io.StringIO()
    began = time.process_time()
    with contextlib.redirect_stdout(printed):
        analyze(file, json_lines=True, fluence=table)
    seconds = time.process_time() - began
    report = json.loads(printed.getvalue()) if printed.getvalue() else NOTHING
    file.unlink()
    return Judged(
        case, _verdicts(case, path, report), _changes(case, path, report), seconds, len(photons), report
    )


def _verdicts(case: Case, path: Path, report: dict[str, Any]) -> list[Verdict]:
    """Each step against the segment of the report that covers its middle."""
    stop = float(path.edges[-1])
    edges = [*(t for t, _ in case.steps), stop]
    found = []
    for start, end in pairwise(edges):
        truths = [realised(path, start, end)]
        instant = case.conversion[0] if case.conversion is not None else None
        if instant is not None and start < instant < end - SHORT_S:
            truths.insert(0, realised(path, instant, end))
        middle = (start + end) / 2
        segments = report["segments"]
        said = [s for s in segments if s["start_s"] <= middle < s["stop_s"]] or segments[-1:]
        if truths[0] is None:
            continue
        if not said:
            unsaid = "undetermined"
            found.append(Verdict(truths[0], unsaid, "none", 0.0, "no result", None, unsaid, {}))
            continue
        accepted = frozenset().union(*(t.accepted for t in truths if t is not None))
        called, chances = said[-1]["blinking"], said[-1]["probabilities"]
        outcome = (
            "undetermined"
            if called == "undetermined"
            else "right"
            if called == truths[0].blinking
            else "border"
            if called in accepted
            else "wrong"
        )
        found.append(
            Verdict(
                truths[0],
                called,
                max(chances, key=lambda t: chances[t]),
                float(chances.get(called, max(chances.values()))),
                said[-1]["reason"],
                said[-1]["auger_share"],
                outcome,
                said[-1],
            )
        )
    return found


def true_changes(case: Case, path: Path) -> list[tuple[float, str, str]]:
    """Changes of the realised type between steps, by more than a border, and the arranged conversion."""
    if case.conversion is not None:
        return [case.conversion]
    edges = [*(t for t, _ in case.steps), float(path.edges[-1])]
    spans = [realised(path, a, b) for a, b in pairwise(edges)]
    changes = []
    for instant, before, after in zip(edges[1:-1], spans[:-1], spans[1:], strict=True):
        if before is None or after is None or {"none", "hc"} & {before.blinking, after.blinking}:
            continue
        if not before.accepted & after.accepted:
            changes.append((instant, before.blinking, after.blinking))
    return changes


def _changes(case: Case, path: Path, report: dict[str, Any]) -> list[Change]:
    """Conversions found, missed and false."""
    left = list(report["conversions"])
    found = []
    for instant, before, after in true_changes(case, path):
        near = [c for c in left if -1 < c["time_s"] - instant < LATE_S]
        if not near:
            found.append(Change("missed", before, after, instant))
            continue
        best = min(near, key=lambda c: abs(c["time_s"] - instant))
        left.remove(best)
        right = best["from"] == before and best["to"] == after
        back = "-"
        if case.reversible is not None:
            back = "null" if best["reversible"] is None else str(best["reversible"] == case.reversible)
        found.append(
            Change(
                "found" if right else f"found as {best['from']}>{best['to']}",
                before,
                after,
                instant,
                best["time_s"] - instant,
                back,
            )
        )
    return found + [Change("false", c["from"], c["to"], c["time_s"]) for c in left]
