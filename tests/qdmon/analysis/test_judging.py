"""How often it is asked whether a verdict may be given at all."""

import numpy as np
import pytest

from qdmon.analysis.cadence import LOOK_S
from qdmon.analysis.engine import LOOKS_PER_JUDGEMENT, YOUNG_S, Engine
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.fitting import StretchFit
from tests.qdmon.analysis import builders as b

SEEN_S = 14.0


def test_doubts_are_weighed_at_every_look_of_a_young_stretch_then_more_rarely_and_for_every_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    acq = b.acquisition()
    photons, stop = b.photons(rng, b.auger_dot(rng, SEEN_S), acq=acq)
    engine = Engine(acq, AnalysisSettings())
    judged_s: list[float] = []
    given_s: list[float] = []
    judge, refit = Engine._judge, StretchFit.refit

    def judging(self: Engine) -> str | None:
        judged_s.append(self.acquisition.seconds(self.position))
        return judge(self)

    def refitting(
        self: StretchFit, losses: list[tuple[int, int]], doubt: str | None, *, search: bool = True
    ) -> None:
        # With doubts of its own time.
        assert judged_s[-1] == acq.seconds(engine.position)
        given_s.append(judged_s[-1])
        refit(self, losses, doubt, search=search)

    monkeypatch.setattr(Engine, "_judge", judging)
    monkeypatch.setattr(StretchFit, "refit", refitting)
    engine.photons(photons, min(stop, acq.pulses(SEEN_S)))
    looks = np.arange(1, round(SEEN_S / LOOK_S) + 1)
    often = looks[looks * LOOK_S < YOUNG_S]
    rarely = looks[looks % LOOKS_PER_JUDGEMENT == 0]
    expected = {*often.tolist(), *rarely.tolist(), *(round(t / LOOK_S) for t in given_s)}
    assert [round(t / LOOK_S) for t in judged_s] == sorted(expected)
    assert given_s[-1] > YOUNG_S
    assert len(judged_s) < 0.8 * len(looks)
