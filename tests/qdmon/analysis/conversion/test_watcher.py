"""What the watcher says of a dot, and when: of stretches that end, of blinks that nothing explains."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from qdmon.analysis.calibration.trust import ASSUMED_ZERO
from qdmon.analysis.conversion.dot_reader import NewBlinks
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import Change
from qdmon.analysis.conversion.watcher import ConversionWatcher
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.stretch.stretch import Stretch
from tests.qdmon.analysis import builders as b

TYPES: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")


def verdict(start_s: float, stop_s: float, kind: Blinking) -> BlinkingCall:
    chances = dict.fromkeys(TYPES, 0.0) | {kind: 1.0}
    return BlinkingCall(start_s, stop_s, kind, None, chances, UNKNOWN, Estimate(0.2), (), UNKNOWN)


def test_a_verdict_behind_a_conversion_is_told_in_a_line_that_is_no_second_one() -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    found = Conversion(25.0, 0.05, "bc", "auger", 0.2, 1.4, 1.0, None)
    watcher._log.accept(Change(0.0, 1.0, 1.0, 0, 25.0, 0.05, 25.0, "bc", "auger", (), ("mixed",)), found)
    stretch = SimpleNamespace(
        dot=SimpleNamespace(drift=None, call=verdict(25.0, 40.0, "mixed")),
        photons=SimpleNamespace(stop_s=40.0, table=None, axis=None),
        mean_excitation=1.4,
        background=SimpleNamespace(origin=ASSUMED_ZERO),
        charging=lambda: (UNKNOWN, None),
    )
    watcher.stretch_over(cast(Stretch, stretch), [FluenceStep(0.0, 0.1)], [])
    (told,) = watcher._late
    assert (told.time_s, told.kind, told.severity) == (40.0, "type", "info")
    (conversion,) = watcher.conversions
    assert told.text.startswith(f"{conversion.before} -> {conversion.after} at 25.0 s")


@pytest.mark.parametrize(("dark_s", "kinds"), [(0.0, ["type"]), (8.0, ["type", "darkness"])])
def test_the_last_words_on_a_stretch_are_what_it_turned_out_to_be_and_what_is_left_out(
    dark_s: float, kinds: list[str]
) -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    found = Conversion(25.0, 0.05, "bc", "auger", 0.2, 1.4, 1.0, None)
    watcher._log.accept(Change(0.0, 1.0, 1.0, 0, 25.0, 0.05, 25.0, "bc", "auger", (), ("mixed",)), found)
    level = EmissiveState(Estimate(1e5), Estimate(20.0))
    stretch = SimpleNamespace(
        dot=SimpleNamespace(drift=None, call=replace(verdict(25.0, 40.0, "mixed"), states=(level,))),
        photons=SimpleNamespace(stop_s=40.0 + dark_s),
        mean_excitation=1.4,
    )
    assert [event.kind for event in watcher.last_words(cast(Stretch, stretch))] == kinds


@pytest.mark.parametrize("anew_s", [None, 0.0])
def test_blinks_that_are_read_anew_at_the_end_of_a_stretch_take_the_place_of_the_old(
    anew_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    watcher._log.add([Mark(1.0, 1.1, -20.0, 0.05)])
    late = [Mark(3.0, 3.1, 20.0, 0.05)]
    monkeypatch.setattr(watcher._reader, "close", lambda *args, **kwargs: NewBlinks(late, [], anew_s))
    stretch = SimpleNamespace(
        dot=SimpleNamespace(drift=None, call=verdict(0.0, 30.0, "auger")),
        photons=SimpleNamespace(stop_s=30.0),
        mean_excitation=0.1,
        background=SimpleNamespace(origin=ASSUMED_ZERO),
        charging=lambda: (UNKNOWN, None),
    )
    watcher.stretch_over(cast(Stretch, stretch), [FluenceStep(0.0, 0.1)], [])
    assert watcher._log.since_s == (1.0 if anew_s is None else 3.0)


@pytest.mark.parametrize("explained", [True, False])
def test_blinks_of_light_that_no_state_explains_are_no_conversion(
    explained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    charged = [Mark(t, t + 0.05, 30.0, 0.03) for t in np.arange(0.5, 30.0).tolist()]
    trapped = [Mark(t, t + 0.05, -30.0, 0.03) for t in np.arange(30.6, 36.0, 0.5).tolist()]
    found = NewBlinks([*charged, *trapped], [])
    monkeypatch.setattr(watcher._reader, "read", lambda *args, **kwargs: found)
    call = replace(verdict(0.0, 2.0, "undetermined"), explained=explained)
    stretch = SimpleNamespace(
        dot=SimpleNamespace(drift=None, call=call, since_pulse=0, restart_at=lambda *args: None),
        photons=SimpleNamespace(start_s=0.0, stop_s=36.0),
        mean_excitation=0.2,
    )
    told = watcher.watch(cast(Stretch, stretch), [FluenceStep(0.0, 0.2)], [], None)
    assert [event.kind for event in told] == (["conversion"] if explained else [])


def test_the_light_since_a_blink_is_read_again_only_as_it_grows() -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    asked: list[float] = []

    def seen(stop_s: float, since_s: float = 30.0) -> BlinkingCall | None:
        def since(time_s: float, losses: list[tuple[int, int]]) -> BlinkingCall:
            asked.append(time_s)
            return verdict(time_s, stop_s, "bc")

        stretch = SimpleNamespace(dot=SimpleNamespace(since=since), photons=SimpleNamespace(stop_s=stop_s))
        return watcher._light_since(cast(Stretch, stretch), [], since_s)

    assert seen(38.0) is None
    assert not asked
    first = seen(41.0)
    assert first is not None
    assert (first.start_s, first.stop_s) == (30.0, 41.0)
    assert seen(42.0) is first
    grown = seen(43.0)
    assert grown is not None
    assert grown.stop_s == 43.0
    other = seen(43.0, since_s=31.5)
    assert other is not None
    assert other.start_s == 31.5
    assert asked == [30.0, 30.0, 31.5]


def with_share(start_s: float, stop_s: float, kind: Blinking, share: float) -> BlinkingCall:
    """A verdict that saw the dot and knows its share."""
    level = EmissiveState(Estimate(1e5), Estimate(20.0))
    return replace(verdict(start_s, stop_s, kind), auger_share=Estimate(share, 0.01), states=(level,))


def stretch_of(call: BlinkingCall) -> Stretch:
    """All that the watcher asks of a stretch that has this verdict, and no fit."""
    return cast(
        Stretch,
        SimpleNamespace(
            dot=SimpleNamespace(
                drift=None, call=call, reading=None, restart_at=lambda *_: None, since_pulse=0
            ),
            photons=SimpleNamespace(start_s=call.start_s, stop_s=call.stop_s, table=None, axis=None),
            mean_excitation=0.2,
            background=SimpleNamespace(origin=ASSUMED_ZERO),
            charging=lambda: (UNKNOWN, None),
        ),
    )


def test_a_share_that_moves_at_a_step_is_told_once_a_stretch() -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)

    def stretch(start_s: float, stop_s: float, share: float) -> Stretch:
        return stretch_of(with_share(start_s, stop_s, "mixed", share))

    def told(start_s: float, stop_s: float, share: float) -> list[str]:
        marks = [
            Mark(t, t + 0.05, 20.0 * (-1) ** i, 0.03)
            for i, t in enumerate(np.arange(start_s + 0.1, stop_s, 0.4).tolist())
        ]
        watcher._log.forget_since(start_s)
        watcher._log.add(marks)
        events = watcher.watch(stretch(start_s, stop_s, share), [FluenceStep(start_s, 0.2)], [], None)
        return [event.text for event in events if event.kind == "share"]

    assert told(0.0, 25.0, 0.25) == []
    watcher.stretch_over(stretch(0.0, 25.0, 0.25), [FluenceStep(0.0, 0.2)], [])
    assert told(25.0, 30.0, 0.8) == []
    assert len(told(25.0, 40.0, 0.8)) == 1
    assert told(25.0, 45.0, 0.8) == []
    watcher.stretch_over(stretch(25.0, 50.0, 0.8), [FluenceStep(25.0, 0.2)], [])
    assert len(told(50.0, 70.0, 0.3)) == 1


@pytest.mark.parametrize("proven", [True, False])
def test_a_step_is_weighed_again_once_the_verdict_before_it_no_longer_waits(proven: bool) -> None:
    watcher = ConversionWatcher(b.acquisition(), 1.0)
    cycle = np.arange(0.1, 25.0, 0.4)
    steps = [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4)]
    said = with_share(0.0, 25.0, "bc", 0.01)
    waiting = replace(said, blinking="undetermined", reason="g2(0) does not show a single emitter")
    watcher._log.forget_since(0.0)
    watcher._log.add([Mark(t, t + 0.05, 0.0, 0.03) for t in cycle.tolist()])
    watcher.stretch_over(stretch_of(waiting), steps[:1], [])
    watcher._log.add([Mark(25.0 + t, 25.05 + t, 0.0, 0.03) for t in cycle.tolist()])
    here = stretch_of(with_share(25.0, 50.0, "auger", 0.99))
    assert watcher.watch(here, steps, [], None) == []
    if proven:
        watcher.proven(waiting, said)
    told = watcher.watch(here, steps, [], None)
    assert [event.kind for event in told] == (["conversion"] if proven else [])
