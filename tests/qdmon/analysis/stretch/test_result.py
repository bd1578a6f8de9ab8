"""A segment is told by the numbers of its stretch, each in its place."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.stretch.result import segment_result
from qdmon.analysis.stretch.stretch import Stretch

NO_PAIRS = G2(np.zeros(0), np.zeros(0, np.int64), UNKNOWN, None, 0.0, "none", None)
LOSSES = [(3, 5)]


def told(late_fit: object) -> SimpleNamespace:
    """A stretch whose numbers cannot be mistaken for each other."""

    def with_losses(name: str) -> object:
        return lambda losses: (name, losses)

    return SimpleNamespace(
        mean_excitation=0.3,
        photons=SimpleNamespace(start_s=1.0, stop_s=9.0, mean_rate=with_losses("rate")),
        background=SimpleNamespace(cps=200.0, delayed=0.02),
        dot=SimpleNamespace(call="call"),
        lifetime=with_losses("lifetime"),
        blinking_rate=with_losses("blinking"),
        charging=lambda: (Estimate(1.5), "count"),
        dynamics=SimpleNamespace(
            levels=lambda cps, delayed: ("levels", cps, delayed),
            intensities="intensities",
            on_dwells="on",
            off_dwells="off",
            correlation="correlation",
        ),
        late_fit=late_fit,
    )


def test_every_number_of_a_stretch_goes_to_its_own_place() -> None:
    late_fit = SimpleNamespace(summary="decay")
    found = segment_result(cast(Stretch, told(late_fit)), LOSSES, NO_PAIRS)
    assert {name: getattr(found, name) for name in found.__slots__} == {
        "start_s": 1.0,
        "stop_s": 9.0,
        "mean_excitation": 0.3,
        "call": "call",
        "mean_rate_cps": ("rate", LOSSES),
        "lifetime_ns": ("lifetime", LOSSES),
        "blinking_rate_hz": ("blinking", LOSSES),
        "charging_rate_hz": Estimate(1.5),
        "g2": NO_PAIRS,
        "levels": ("levels", 200.0, 0.02),
        "intensities": "intensities",
        "on_dwells": "on",
        "off_dwells": "off",
        "correlation": "correlation",
        "decay": "decay",
    }


def test_a_stretch_without_arrival_times_has_no_decay() -> None:
    assert segment_result(cast(Stretch, told(None)), LOSSES, NO_PAIRS).decay is None
