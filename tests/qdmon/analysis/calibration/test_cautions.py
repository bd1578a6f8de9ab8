"""What speaks against judging a dot by what the set-up records, whatever its light."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from hardware.types import Acquisition
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.cautions import setup_doubt
from tests.qdmon.analysis import builders as b

PULSED = b.acquisition()
OWN_CLOCK = replace(PULSED, laser_period_ps=200e3)
KNOWN = "where the pulse lies"


def calibrator(
    axis: str | None, correlated: tuple[int, int] | None, problem: str | None = None
) -> Calibrator:
    return cast(Calibrator, SimpleNamespace(axis=axis, correlated=correlated, problem=problem))


@pytest.mark.parametrize(
    ("acquisition", "known", "words"),
    [
        (replace(PULSED, mode="T2"), calibrator(KNOWN, (0, 1)), "no nanotimes"),
        (PULSED, calibrator(None, (0, 1)), "too few photons"),
        (PULSED, calibrator(None, (0, 1), "no rising edge"), "no rising edge"),
        (OWN_CLOCK, calibrator(KNOWN, (0, 1)), "card's own clock"),
        (PULSED, calibrator(KNOWN, None), "one detector only"),
    ],
)
def test_a_set_up_that_cannot_tell_says_why(acquisition: Acquisition, known: Calibrator, words: str) -> None:
    assert words in (setup_doubt(acquisition, known) or "")


def test_two_detectors_that_know_the_pulse_leave_no_doubt() -> None:
    assert setup_doubt(PULSED, calibrator(KNOWN, (0, 1))) is None
