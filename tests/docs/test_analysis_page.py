"""docs/analysis.md tells physicists what each number is: its figures, keys and constants must be real."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs.figures import data
from docs.figures.analysis import FIGURES
from hardware.types import LossCause
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.report import report
from streams.messages import End, Gap
from tests.qdmon.analysis import builders as b

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "analysis.md").read_text(encoding="utf-8")
# Of a measured quantity by detector or by type.
PER_ONE = re.compile(
    r"(background_cps|background_error_cps|t0_ps|t0_error_ps|lost_light|dead_times_ns|dead_time_errors_ns"
    r"|after_pulses|after_pulse_errors|counts|probabilities)\.\w+$"
)


def table_under(heading: str) -> list[list[str]]:
    """Cells of the first table after a heading, its header left out."""
    rows = list(_first_table(PAGE.split(heading, 1)[1].splitlines()))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def _first_table(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        if line.startswith("|"):
            inside = True
            yield line
        elif inside:
            return


@cache
def snapshot() -> Snapshot:
    """A dot that converts at a fluence step, with a gap in its stream."""
    rng = np.random.default_rng(71)
    acq = b.acquisition()
    auger = b.auger_dot(rng, 8.0)
    found, stop = b.photons(rng, [*auger, *b.bc_dot(rng, 6.0)], acq=acq)
    step_s = sum(d.duration_s for d in auger)
    messages = b.session(acq, found, stop, fluence=[(0.0, 0.1), (step_s, 1.0)])
    gap = Gap(0, 1000, 2000, LossCause.FIFO_OVERRUN)
    return b.watch([*messages[:2], gap, *messages[2:], End("done")], AnalysisSettings()).snapshot


def swept(first: SegmentResult, mean_excitation: float) -> SegmentResult:
    """The same stretch at another fluence, as bright as its pulses with an exciton make it."""
    level = Estimate(8e5 * float(-np.expm1(-mean_excitation)), 500.0)
    states = (replace(first.call.states[0], intensity_cps=level), *first.call.states[1:])
    return replace(
        first, mean_excitation=mean_excitation, stop_s=1.0, call=replace(first.call, states=states)
    )


def keys_of(value: object, path: str = "") -> Iterator[str]:
    """Paths of everything in a report that is no list or map itself, and of lists of plain text."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from keys_of(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and all(isinstance(part, dict) for part in value):
        for part in value:
            yield from keys_of(part, f"{path}[]")
    else:
        yield PER_ONE.sub(r"\1.*", path)


def real_keys() -> set[str]:
    """Keys of a report in which no part is missing."""
    seen = snapshot()
    fluences = (0.1, 0.3, 0.8, 1.5, 2.5)
    bent = replace(seen, segments=tuple(swept(seen.segments[0], n) for n in fluences))
    settings = AnalysisSettings()
    keys = {k for one in (seen, bent) for k in keys_of(dict(report(one, "dot.ptu", settings, ["a guess"])))}
    assert "saturation.scale" in keys
    assert "conversions[].time_s" in keys
    of_a_stretch = {k.removeprefix("segments[].") for k in keys if k.startswith("segments[].g2.")}
    assert of_a_stretch == {k for k in keys if k.startswith("g2.")}
    return {re.sub(r"^segments\[\]\.g2\..*", "segments[].g2.*", k) for k in keys} - {"saturation"}


def keys_told() -> list[str]:
    return [key for row in table_under("## 13. Every number") for key in re.findall(r"`([^`]+)`", row[0])]


def test_the_table_of_numbers_holds_every_key_of_a_report_once_and_no_other() -> None:
    told = keys_told()
    options = {"options"}
    assert len(told) == len(set(told))
    assert set(told) - options == real_keys() - options


@pytest.mark.parametrize("row", table_under("## 14. Numbers chosen by hand"), ids=lambda row: row[0])
def test_every_constant_on_the_page_is_that_of_the_code(row: list[str]) -> None:
    module, name = row[0].strip("`").split(".")
    (path,) = (DOCS.parent / "qdmon/analysis").rglob(f"{module}.py")
    dotted = ".".join(path.relative_to(DOCS.parent).with_suffix("").parts)
    constant: Any = getattr(importlib.import_module(dotted), name)
    assert float(row[1]) == constant


def test_every_figure_on_the_page_is_drawn_by_the_script_and_there_and_none_is_left_over() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(figures/(\w+)\.svg\)", PAGE)
    assert sorted(shown) == sorted(FIGURES)
    assert {file.stem for file in (DOCS / "figures").glob("*.svg")} == set(FIGURES)
    for name in shown:
        assert (DOCS / f"figures/{name}.svg").stat().st_size < 60_000


def test_every_link_and_every_file_on_the_page_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (DOCS / target).exists(), target
    for name in re.findall(r"`(\w+\.py)`", PAGE):
        assert list((DOCS.parent / "qdmon/analysis").rglob(name)), name
    headings = {_anchor(h) for h in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_drawing_of_the_states_is_that_of_the_states_in_use() -> None:
    number = re.compile(r"-?\d+(?:\.\d+)?")
    drawn, kept = FIGURES["states"](), (DOCS / "figures/states.svg").read_text(encoding="utf-8")
    assert number.sub("", drawn) == number.sub("", kept)
    pixels = [[float(x) for x in number.findall(svg)] for svg in (drawn, kept)]
    assert pixels[0] == pytest.approx(pixels[1], abs=0.11)


def test_the_figure_of_the_background_shows_the_notes_bias_and_none_of_the_fit() -> None:
    apparent = data.apparent_ratio(np.array([0.0, 4.0, 10.0]), 200.0)
    assert apparent == pytest.approx([1.821, 1.47, 1.17], abs=0.01)
    fitted = data.fitted_ratio(4.0, 4.0)
    assert fitted.value == pytest.approx(1.82, abs=4 * (fitted.error or 0.0))


def test_the_figure_of_the_trace_shows_losses_where_the_dot_lost_light() -> None:
    found = data.trace_reading(4.0, (1.0, 3.0))
    for read, true in ((found.auger, found.true_auger), (found.trap, found.true_trap)):
        assert len(read) == len(found.counts) == 1000
        assert float(np.abs(read - true).mean()) < 0.05


def test_the_figure_of_the_conversion_shows_the_alarm_after_it_and_not_before() -> None:
    found = data.evidence_of_conversion(6.0, 8.0)
    assert found.conversion_s is not None
    ends = np.array([m.stop_s for m in found.marks])
    above = found.log_evidence >= 0
    assert above.any()
    assert ends[above].min() > found.conversion_s


def test_the_figure_of_the_map_shows_what_was_called() -> None:
    found = data.flid_of("bc", 4.0)
    assert found.call.blinking == "bc"
    assert len(found.rate_cps) == len(found.lifetime_ns) == 400


def test_the_figure_of_pairs_tells_one_dot_from_two_behind_the_gate() -> None:
    one, two = (data.pair_test(0.6, dots, 5.0) for dots in (1, 2))
    assert (one.single, two.single) == (True, False)
    assert (one.all_photons.value or 0.0) > 0.5
    assert (one.gated.value or 0.0) < 0.1
