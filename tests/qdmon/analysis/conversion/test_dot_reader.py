"""What is known of a dot when its blinks are read: bright level, background, and when they are read anew."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, GIVEN
from qdmon.analysis.conversion import dot_reader
from qdmon.analysis.conversion.dot_reader import MOST_REREADS, DotReader
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel, Trion
from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking, BlinkingCall, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.stretch.stretch import Stretch
from qdmon.analysis.switching.excitation import brightness_ratio
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
BINS = TimeAxis.build(ACQ, {0: 4000.0, 1: 4640.0}).bins
BLINK = Mark(3.0, 3.1, 20.0, 0.05)


def stretch(
    cps: float,
    seen_s: float = 10.0,
    *,
    start_s: float = 0.0,
    excitation: float | None = 0.2,
    kind: Blinking = "auger",
    background_cps: float | None = None,
    since_s: float | None = None,
    light: bool = True,
    sure: float = 0.2,
    trion_ns: Estimate | None = None,
) -> Stretch:
    """A stretch whose verdict, on its first seconds, has such a bright level."""
    chances = {name: sure if name == kind else (1 - sure) / 4 for name in BLINKING_TYPES}
    states = (EmissiveState(Estimate(cps), Estimate(20.0)),) if cps else ()
    if trion_ns is not None:
        states = (*states, EmissiveState(Estimate(0.4 * cps), trion_ns))
    ratio = UNKNOWN if trion_ns is None else Estimate(2.0, 0.05)
    call = BlinkingCall(start_s, start_s + seen_s, kind, None, chances, UNKNOWN, Estimate(0.2), states, ratio)
    first = ACQ.pulses(start_s)
    table = SimpleNamespace(pulses_per_row=ACQ.pulses(0.001), rows=np.zeros((10, BINS.count)))
    found = SimpleNamespace(
        dot=SimpleNamespace(
            drift=None, call=call, since_pulse=first if since_s is None else ACQ.pulses(since_s)
        ),
        photons=SimpleNamespace(
            first_pulse=first,
            start_s=start_s,
            table=table if light else None,
            axis=SimpleNamespace(bins=BINS) if light else None,
        ),
        background=SimpleNamespace(
            origin=ASSUMED_ZERO if background_cps is None else GIVEN,
            cps=background_cps,
            delayed=0.01,
            settled=None,
        ),
        mean_excitation=excitation,
    )
    return cast(Stretch, found)


class Reader:
    """Stands for the reader of a stretch: finds a blink each time, and does as it is told."""

    made: list["Reader"]
    misreads = False
    leaves: list[Mark]

    def __init__(self, first_pulse: int, crossing: Mark | None = None, level: Any = None) -> None:
        self.first_pulse, self.crossing = first_pulse, crossing
        self.level = SimpleNamespace(seen=False)
        self.misread, self.dim = Reader.misreads, False
        Reader.made.append(self)

    def read(
        self, table: Any, bins: Any, bright: BrightLevel, floor: Floor, losses: Any, row_s: float
    ) -> tuple[list[Mark], list[Mark]]:
        self.bright, self.floor = bright, floor
        return [BLINK], Reader.leaves


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Reader]:
    Reader.made, Reader.misreads, Reader.leaves = [], False, []
    monkeypatch.setattr(dot_reader, "BlinkReader", Reader)
    return Reader.made


def read(reader: DotReader, seen: Stretch, *, converted: bool = False) -> float | None:
    """Since when a reading tells blinks anew."""
    return reader.read(seen, [], converted=converted).anew_s


def test_nothing_is_read_before_a_bright_level_is_known(made: list[Reader]) -> None:
    reader = DotReader(ACQ)
    assert reader.read(stretch(0.0), [], converted=False).ended == []
    assert reader.bright_cps(stretch(0.0)) is None
    assert reader.read(stretch(1e5, 0.5), [], converted=False).ended == [BLINK]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("cps", "seen_s", "kind", "believed"),
    [
        (1.05e5, 1.9, "auger", False),
        (1.05e5, 2.0, "auger", True),
        (1.5e5, 4.9, "auger", False),
        (1.5e5, 5.0, "auger", True),
        (1.5e5, 9.0, "undetermined", False),
        (1.2e5, 4.9, "undetermined", True),
    ],
)
def test_a_new_level_is_believed_once_its_verdict_has_seen_enough(
    cps: float, seen_s: float, kind: Blinking, believed: bool
) -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5, 1.0, light=False))
    seen = stretch(cps, seen_s, kind=kind, light=False)
    read(reader, seen)
    assert reader.bright_cps(seen) == (cps if believed else 1e5)


@pytest.mark.parametrize(
    ("kind", "sure", "trion_ns", "known"),
    [
        ("auger", 0.96, Estimate(4.0, 0.1), True),
        ("auger", 0.9, Estimate(4.0, 0.1), False),
        ("auger", 0.96, Estimate(4.0, 0.5), False),
        ("auger", 0.96, None, False),
        ("bc", 0.99, Estimate(8.0, 0.1), False),
    ],
)
def test_blinks_are_read_with_the_trion_of_a_dot_that_surely_charged_alone(
    kind: Blinking, sure: float, trion_ns: Estimate | None, known: bool, made: list[Reader]
) -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5, kind=kind, sure=sure, trion_ns=trion_ns))
    assert made[-1].bright.trion == (Trion(0.2, 2.0) if known else None)
    reader.close(stretch(1e5, kind=kind, sure=sure, trion_ns=trion_ns), [], converted=False, bleached=False)
    # It charges as before whatever else it does at the next fluence.
    read(reader, stretch(4e5, start_s=10.0, excitation=1.0, kind="bc", sure=0.99))
    assert made[-1].bright.trion == (Trion(0.2, 2.0) if known else None)


def test_the_level_at_another_fluence_is_foreseen_from_the_light_absorbed() -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5, light=False))
    foreseen = reader.bright_cps(stretch(0.0, excitation=1.4))
    assert foreseen == pytest.approx(1e5 * brightness_ratio(1.4, 0.2))


@pytest.mark.parametrize(
    ("cps", "seen_s", "converted", "anew_s"),
    [
        (1.2e5, 20.0, False, 0.0),
        (1.05e5, 20.0, False, None),
        (1.2e5, 60.0, False, None),
        (1.2e5, 20.0, True, None),
    ],
)
def test_blinks_of_the_first_stretch_are_read_anew_if_its_level_was_wrong(
    cps: float, seen_s: float, converted: bool, anew_s: float | None, made: list[Reader]
) -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5))
    assert read(reader, stretch(cps, seen_s), converted=converted) == anew_s
    assert len(made) == (1 if anew_s is None else 2)


def test_blinks_of_later_stretches_stay_whatever_the_level(made: list[Reader]) -> None:
    reader = DotReader(ACQ)
    seen = stretch(1e5)
    read(reader, seen)
    reader.close(seen, [], converted=False, bleached=False)
    assert read(reader, stretch(1.2e5, start_s=10.0)) is None


@pytest.mark.parametrize(("bleached", "told"), [(False, [BLINK]), (True, [])])
def test_the_end_of_the_first_stretch_reads_all_of_it_again_if_the_level_was_wrong(
    bleached: bool, told: list[Mark], made: list[Reader]
) -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5))
    last = reader.close(stretch(1.2e5, 30.0), [], converted=False, bleached=bleached)
    assert (last.ended, last.anew_s) == (told, 0.0)


def test_the_end_of_a_stretch_whose_level_stayed_reads_nothing_again(made: list[Reader]) -> None:
    reader = DotReader(ACQ)
    read(reader, stretch(1e5))
    last = reader.close(stretch(1e5, 30.0), [], converted=False, bleached=False)
    assert (last.ended, last.anew_s) == ([], None)
    assert len(made) == 1


def test_a_level_that_shows_itself_late_has_blinks_read_anew_but_not_for_ever(made: list[Reader]) -> None:
    Reader.misreads = True
    reader = DotReader(ACQ)
    seen = stretch(1e5, start_s=2.0, since_s=4.0)
    told = [read(reader, seen) for _ in range(MOST_REREADS + 1)]
    assert told[:-1] == pytest.approx([4.0] * MOST_REREADS)
    assert told[-1] is None
    assert [r.first_pulse for r in made] == [ACQ.pulses(2.0), *[ACQ.pulses(4.0)] * MOST_REREADS]


def test_a_blink_that_crosses_a_step_is_known_to_the_next_stretch(made: list[Reader]) -> None:
    Reader.leaves = [BLINK]
    reader = DotReader(ACQ)
    seen = stretch(1e5)
    read(reader, seen)
    assert reader.going_on == [BLINK]
    assert reader.close(seen, [], converted=False, bleached=False).going_on == [BLINK]
    assert reader.going_on == []
    read(reader, stretch(1e5, start_s=10.0))
    assert [r.crossing for r in made] == [None, BLINK]


def test_the_background_is_the_own_one_or_carried_from_the_stretch_before(made: list[Reader]) -> None:
    reader = DotReader(ACQ)
    seen = stretch(1e5, background_cps=300.0)
    read(reader, seen)
    reader.close(seen, [], converted=False, bleached=False)
    read(reader, stretch(1e5, start_s=10.0))
    assert [r.floor.background_cps for r in made] == [300.0, 300.0]
    assert [r.floor.delayed for r in made] == [0.01, 0.01]
