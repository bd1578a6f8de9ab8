"""Simulate, analyse, compare, print: python -m tests.benchmarks.independent [DOTS] [FIRST]."""

import argparse
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path as FilePath

from tests.benchmarks.independent.draws import draw
from tests.benchmarks.independent.score import SURE, Judged, Verdict, judge

OUTCOMES = ("right", "border", "undetermined", "wrong")
Pair = tuple[Judged, Verdict]

NUISANCES: dict[str, Callable[[Pair], object]] = {
    "period_ns": lambda p: p[0].case.setup.period_ns,
    "resolution_ps": lambda p: p[0].case.setup.resolution_ps,
    "response": lambda p: _response(p[0]),
    "pulse late": lambda p: p[0].case.setup.pulse_at_ns > 0.5 * p[0].case.setup.period_ns,
    "lifetime/period": lambda p: f"{p[0].case.emitter.lifetime_ns / p[0].case.setup.period_ns:.1f}",
    "bright kcps": lambda p: _octave(p[0].case.emitter.bright_cps / 1000),
    "split": lambda p: p[0].case.setup.second_share,
    "dead_ns": lambda p: p[0].case.setup.dead_ns,
    "afterpulse": lambda p: p[0].case.setup.afterpulse,
    "scatter": lambda p: p[0].case.setup.scatter,
    "traps": lambda p: next((e.traps.model for e in p[0].case.epochs if e.traps), "-"),
}


def _response(judged: Judged) -> str:
    setup = judged.case.setup
    if setup.fwhm_ps == 0:
        return "zero width"
    return f"{'<' if setup.fwhm_ps < 200 else '>'}200 ps{', tail' if setup.tail_share else ''}"


def _octave(value: float) -> str:
    edges = (10, 20, 40, 80)
    return next((f"<{e}" for e in edges if value < e), f">{edges[-1]}")


def _plain(reason: str | None) -> str:
    """A reason without its numbers."""
    return re.sub(r"[0-9.]+", "#", reason or "")


def _line(judged: Judged) -> str:
    """One dot, one line."""
    marks = {"right": "+", "border": "~", "undetermined": "?", "wrong": "X"}
    said = " ".join(
        f"{marks[v.outcome]}{v.truth.blinking}({v.truth.loss:.2f},{v.truth.share:.2f})"
        + ("" if v.outcome == "right" else f"->{v.called} {v.leaning} {v.probability:.2f} [{v.reason or ''}]")
        for v in judged.verdicts
    )
    changes = " ".join(
        f"|{c.outcome} {c.before}>{c.after} {c.time_s:.1f}"
        + (f" {c.error_s:+.2f} s back {c.reversible}" if c.error_s is not None else "")
        for c in judged.changes
    )
    head = f"{judged.case.seed:5d} {judged.case.kind:14s} {judged.seconds:4.1f} s {judged.photons:8d}"
    return f"{head} {said} {changes}"


def _table(title: str, groups: dict[str, list[Pair]]) -> Iterable[str]:
    yield f"\n{title:28s}{'n':>5}" + "".join(f"{o:>14}" for o in OUTCOMES) + f"{'sure and wrong':>16}"
    for name in sorted(groups):
        pairs = groups[name]
        count = Counter(v.outcome for _, v in pairs)
        sure = sum(v.outcome == "wrong" and v.probability >= SURE for _, v in pairs)
        yield f"{name:28s}{len(pairs):5d}" + "".join(f"{count[o]:14d}" for o in OUTCOMES) + f"{sure:16d}"


def tables(judged: list[Judged]) -> Iterable[str]:
    """All results, as lines."""
    pairs = [(j, v) for j in judged for v in j.verdicts]
    by_type: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_type[f"{pair[1].truth.blinking}{' (sweep)' if 'sweep' in pair[0].case.kind else ''}"].append(pair)
        by_type["~ all"].append(pair)
    yield from _table("type", by_type)
    groups: dict[str, list[Pair]] = defaultdict(list)
    for name, of in NUISANCES.items():
        for pair in pairs:
            groups[f"{name} {of(pair)}"].append(pair)
    yield from _table("nuisance", groups)
    yield "\nnot called, by reason; how many leaned to an accepted type:"
    left = [v for _, v in pairs if v.outcome == "undetermined"]
    for reason, count in Counter(_plain(v.reason) for v in left).most_common():
        leaned = sum(v.leaning in v.truth.accepted for v in left if _plain(v.reason) == reason)
        yield f"  {count:3d} {leaned:3d} {reason}"
    yield "\nconversions: " + ", ".join(
        f"{n} {o}" for o, n in Counter(c.outcome for j in judged for c in j.changes).most_common()
    )
    found = [c for j in judged for c in j.changes if c.error_s is not None]
    back = Counter(c.reversible for c in found)
    yield "reversible right: " + ", ".join(f"{n} {o}" for o, n in back.items())
    if found:
        errors = sorted(abs(c.error_s or 0.0) for c in found)
        yield f"time error: median {errors[len(errors) // 2]:.2f} s, largest {errors[-1]:.2f} s"
    yield f"analysis: {sum(j.seconds for j in judged) / max(len(judged), 1):.1f} s CPU a dot"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dots", nargs="?", type=int, default=40)
    parser.add_argument("first", nargs="?", type=int, default=0)
    asked = parser.parse_args()
    judged = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.first, asked.first + asked.dots):
            judged.append(judge(draw(seed), FilePath(folder)))
            print(_line(judged[-1]), flush=True)
    print("\n".join(tables(judged)))


if __name__ == "__main__":
    main()
