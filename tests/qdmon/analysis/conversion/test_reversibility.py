"""Conversions of textbook dots, and whether the old type comes back with the old fluence."""

from functools import cache

import numpy as np
import pytest

from qdmon.analysis.results.blinking import Conversion
from streams.messages import End
from tests.qdmon.analysis import builders as b


@cache
def run(kinds: tuple[str, ...], seconds: tuple[float, ...], fluences: tuple[float, ...]) -> b.Watched:
    """A dot that is of one kind after the other, the fluence stepping with it."""
    rng = np.random.default_rng(61)
    acq = b.acquisition()
    dwells: list[b.Dwell] = []
    steps: list[tuple[float, float | None]] = []
    for kind, duration_s, fluence in zip(kinds, seconds, fluences, strict=True):
        start_s = sum(d.duration_s for d in dwells)
        if not steps or steps[-1][1] != fluence:
            steps.append((start_s, fluence))
        dwells += b.DOTS[kind](rng, duration_s)
    found, stop = b.photons(rng, dwells, acq=acq)
    return b.watch([*b.session(acq, found, stop, fluence=steps), End("done")], dwells=dwells)


def only_conversion(watched: b.Watched) -> Conversion:
    (conversion,) = watched.snapshot.conversions
    return conversion


def test_the_old_type_at_the_old_fluence_makes_a_conversion_reversible() -> None:
    watched = run(("bc", "auger", "bc"), (8.0, 8.0, 8.0), (0.1, 1.0, 0.1))
    first = watched.snapshot.conversions[0]
    assert (first.before, first.after, first.reversible) == ("bc", "auger", True)
    assert (first.mean_excitation_before, first.mean_excitation_after) == (0.1, 1.0)
    assert abs(first.time_s - 8.0) < 1.0


def test_the_new_type_at_the_old_fluence_makes_it_irreversible_after_five_seconds() -> None:
    watched = run(("auger", "bc", "bc"), (8.0, 8.0, 8.0), (0.1, 1.0, 0.1))
    conversion = only_conversion(watched)
    assert (conversion.before, conversion.after, conversion.reversible) == ("auger", "bc", False)
    (told,) = [e for e in watched.events if e.kind == "reversibility"]
    assert "irreversible" in told.text
    back_s = watched.snapshot.fluence_steps[-1].start_s
    assert told.time_s - back_s >= 5.0


def test_four_seconds_of_return_are_too_short_to_judge() -> None:
    conversion = only_conversion(run(("auger", "bc", "bc"), (8.0, 8.0, 4.0), (0.1, 1.0, 0.1)))
    assert conversion.reversible is None


def test_without_a_return_nobody_knows() -> None:
    conversion = only_conversion(run(("auger", "bc"), (8.0, 8.0), (0.1, 1.0)))
    assert conversion.reversible is None


def test_a_return_to_another_fluence_is_no_return() -> None:
    conversion = only_conversion(run(("auger", "bc", "bc"), (8.0, 8.0, 7.0), (0.1, 1.0, 0.3)))
    assert conversion.reversible is None


def test_a_conversion_in_the_middle_of_a_step_is_placed_between_blinks() -> None:
    watched = run(("auger", "bc"), (10.0, 8.0), (0.5, 0.5))
    conversion = only_conversion(watched)
    happened = sum(d.duration_s for d in b.auger_dot(np.random.default_rng(61), 10.0))
    assert abs(conversion.time_s - happened) < 0.5
    assert conversion.time_error_s < 1.0
    assert conversion.mean_excitation_before == conversion.mean_excitation_after == 0.5
    assert conversion.probability > 0.95
    # What the segment is called now is what the dot does now.
    assert watched.segment.call.blinking == "bc"
    assert watched.segment.call.start_s == pytest.approx(happened, abs=1.0)


def test_the_alert_comes_within_seconds_of_the_change() -> None:
    rng = np.random.default_rng(61)
    acq = b.acquisition()
    before = b.auger_dot(rng, 10.0)
    happened_s = sum(d.duration_s for d in before)
    found, stop = b.photons(rng, [*before, *b.bc_dot(rng, 5.0)], acq=acq)
    watched = b.watch(b.session(acq, found, stop))
    assert happened_s + 5.0 >= watched.snapshot.time_s - 0.2
    assert "conversion" in watched.kinds()
