"""Conversions of textbook dots, and whether the old type comes back with the old fluence."""

import copy
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Self

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.blinking import Conversion
from qdmon.analysis.results.event import Event
from qdmon.summary import summary_lines
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
KINDS: dict[str, Callable[[np.random.Generator, float], list[b.Dwell]]] = {**b.DOTS, "bright": b.bright_dot}


class Followed:
    """A textbook dot under a monitor that can go on in several ways from where it is."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(61)
        self._monitor = Monitor()
        self._events: list[Event] = []
        self._position = 0
        self._feed([Session("0" * 32, 0, "test", "simulated"), Segment(0, ACQ)])

    @property
    def seconds(self) -> float:
        return ACQ.seconds(self._position)

    def then(self, kind: str, duration_s: float, fluence: float | None = None) -> Self:
        """The dot is of this kind next, from here on at this fluence; this one stays where it is."""
        other = copy.deepcopy(self)
        found, stop = b.photons(other._rng, KINDS[kind](other._rng, duration_s), acq=ACQ)
        shift = np.uint64(other._position)
        moved = Photons(found.pulse + shift, found.nanotime, found.channel)
        if fluence is not None:
            other._feed([Fluence(0, other._position, fluence)])
        edges = [*range(0, stop, ACQ.pulses(0.05)), stop]
        other._feed(
            PhotonBatch(0, int(shift) + a, int(shift) + z, 0, moved.between(int(shift) + a, int(shift) + z))
            for a, z in pairwise(edges)
        )
        other._position += stop
        return other

    def now(self) -> b.Watched:
        snapshot = self._monitor.snapshot()
        assert snapshot is not None
        return b.Watched(snapshot, tuple(self._events))

    def ended(self) -> b.Watched:
        """As if the session ended here."""
        other = copy.deepcopy(self)
        other._feed([End("done")])
        return other.now()

    def _feed(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._events += self._monitor.feed(message)


@cache
def risen() -> Followed:
    """An Auger dot that is BC from the step of the fluence on, for eight seconds."""
    return Followed().then("auger", 8.0, 0.1).then("bc", 8.0, 1.0)


@cache
def unreturned() -> b.Watched:
    """The same if the session ends there."""
    return risen().ended()


@cache
def back() -> Followed:
    """The same four seconds after its old fluence came back."""
    return risen().then("bc", 4.0, 0.1)


@cache
def irreversible() -> b.Watched:
    """The same after eight seconds of return."""
    return back().then("bc", 4.0).ended()


def only_conversion(watched: b.Watched) -> Conversion:
    (conversion,) = watched.snapshot.conversions
    return conversion


def test_the_old_type_at_the_old_fluence_makes_a_conversion_reversible() -> None:
    watched = Followed().then("bc", 8.0, 0.1).then("auger", 8.0, 1.0).then("bc", 8.0, 0.1).ended()
    first = watched.snapshot.conversions[0]
    assert (first.before, first.after, first.reversible) == ("bc", "auger", True)
    assert (first.mean_excitation_before, first.mean_excitation_after) == (0.1, 1.0)
    assert abs(first.time_s - 8.0) < 1.0


def test_the_new_type_at_the_old_fluence_makes_it_irreversible_after_five_seconds() -> None:
    watched = irreversible()
    conversion = only_conversion(watched)
    assert (conversion.before, conversion.after, conversion.reversible) == ("auger", "bc", False)
    (told,) = [e for e in watched.events if e.kind == "reversibility"]
    assert "irreversible" in told.text
    back_s = watched.snapshot.fluence_steps[-1].start_s
    assert told.time_s - back_s >= 5.0


def test_four_seconds_of_return_are_too_short_to_judge() -> None:
    conversion = only_conversion(back().ended())
    assert conversion.reversible is None


def test_without_a_return_nobody_knows() -> None:
    conversion = only_conversion(unreturned())
    assert conversion.reversible is None


def test_a_conversion_and_its_return_are_in_the_summary() -> None:
    lasting = summary_lines(irreversible().snapshot)
    assert any(line.startswith("CONVERSION auger -> bc") and "irreversible" in line for line in lasting)
    open_end = summary_lines(unreturned().snapshot)
    assert any("return not seen" in line for line in open_end)


def test_a_return_to_another_fluence_is_no_return() -> None:
    conversion = only_conversion(risen().then("bc", 7.0, 0.3).ended())
    assert conversion.reversible is None


def test_a_dot_that_converted_and_blinks_only_after_the_return_is_irreversible() -> None:
    """Traps opened at the high fluence, or it would charge there still; none of them was active before."""
    changed = Followed().then("auger", 8.0, 0.1).then("auger", 4.0, 1.0)
    watched = changed.then("bright", 4.0).then("bc", 8.0, 0.1).ended()
    conversion = only_conversion(watched)
    assert conversion.time_s == pytest.approx(changed.seconds, abs=3 * conversion.time_error_s)
    assert (conversion.mean_excitation_before, conversion.mean_excitation_after) == (0.1, 1.0)
    assert conversion.reversible is False


@cache
def before() -> Followed:
    """An Auger dot at the fluence at which it will convert."""
    return Followed().then("auger", 10.0, 0.5)


@cache
def just_after() -> Followed:
    """The same four seconds after it became BC."""
    return before().then("bc", 4.0)


def test_a_conversion_in_the_middle_of_a_step_is_placed_between_blinks() -> None:
    watched = just_after().then("bc", 4.0).ended()
    conversion = only_conversion(watched)
    happened = before().seconds
    assert abs(conversion.time_s - happened) < 0.5
    assert conversion.time_error_s < 1.0
    assert conversion.mean_excitation_before == conversion.mean_excitation_after == 0.5
    assert conversion.probability > 0.95
    # What the segment is called now is what the dot does now.
    assert watched.segment.call.blinking == "bc"
    assert watched.segment.call.start_s == pytest.approx(happened, abs=1.0)


def test_the_alert_comes_within_seconds_of_the_change() -> None:
    watched = just_after().now()
    assert before().seconds + 5.0 >= watched.snapshot.time_s - 0.2
    assert "conversion" in watched.kinds()
