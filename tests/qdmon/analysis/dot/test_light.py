"""What dots show, reckoned together and alone."""

from dataclasses import replace

import numpy as np

from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.dot.states import signals_of
from tests.qdmon.analysis.dot.paths import PAPERS_DOT

BINS = MicroBins.for_period(200.0)


def test_several_dots_show_together_what_each_shows_alone() -> None:
    dots = [
        PAPERS_DOT,
        replace(PAPERS_DOT, bright_ns=1.01 * PAPERS_DOT.bright_ns),
        replace(PAPERS_DOT, grey=1.1 * PAPERS_DOT.grey),
        replace(PAPERS_DOT, spread=0.05),
        replace(PAPERS_DOT, spread=0.05, trion_ns=1.02 * PAPERS_DOT.trion_ns),
        replace(PAPERS_DOT, delayed=0.02, after_pulses=0.01, early=0.03),
    ]
    for first in range(len(dots)):
        turned = dots[first:] + dots[:first]
        alone = np.array([dot.signal(BINS) for dot in turned])
        np.testing.assert_array_equal(signals_of(turned, BINS), alone)
