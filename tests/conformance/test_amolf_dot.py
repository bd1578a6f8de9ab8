"""The published analysis of a real CsPbBr3 dot (AMOLF, dot 08), drawn again from its published segments.

What can be reproduced: its lifetime-intensity maps, cell by cell, and what they say: two maxima, intensity
and lifetime falling together, more than two intensities.

What cannot, for the photons are not published: where the light changed, and the segments' lifetimes with
their errors. The published errors are those of a quasi-Newton minimiser, 2 to 180 times what the photons
leave, so they are taken as they are. Intensities are not net of background, and the free floor of each
segment's fit is no background either: it is 12 % of 8 kcps and 21 % of 105 kcps, so it grows with the dot's
own light. With neither the decays of the segments nor a background no blinking type follows from them: the
maxima have a ratio of radiative rates between those of BC (1) and Auger blinking (about 2).
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.equations import radiative_rate_ratio
from qdmon.analysis.levels.flid import FlidPoints, blurred_density
from qdmon.analysis.levels.groups import distinct_levels
from qdmon.analysis.levels.relation import intensity_lifetime_correlation
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import Level
from tests.realdata import real_file, truth

FOLDER = "amolf_cspbbr3_dot08_results"
CELLS = 70
# The maps are drawn from 0 to 35 ns and to three times the mean intensity, and were evaluated at the lower
# corner of each cell, so the cell they stand for lies around that corner.
STEP_NS = 35.0 / CELLS
WEIGHTS = ("equal", "intensity", "duration")

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Segments:
    """Light between two changes as published: (n,) each; errors are standard errors."""

    photons: FloatArray
    seconds: FloatArray
    lifetime_ns: FloatArray
    lifetime_error_ns: FloatArray

    @property
    def rate_cps(self) -> FloatArray:
        return self.photons / self.seconds

    @property
    def rate_error_cps(self) -> FloatArray:
        return np.sqrt(self.photons) / self.seconds

    @property
    def step_cps(self) -> float:
        """Height of a cell of the published maps."""
        return float(3 * self.rate_cps.mean() + 2 * self.rate_error_cps.mean()) / CELLS

    def points(self, weighted_by: str) -> FlidPoints:
        weight = {"equal": np.ones(len(self.photons)), "intensity": self.rate_cps, "duration": self.seconds}
        return FlidPoints(
            self.lifetime_ns,
            self.lifetime_error_ns,
            self.rate_cps,
            self.rate_error_cps,
            weight[weighted_by],
        )

    def levels(self) -> list[Level]:
        edges = np.concatenate([[0.0], np.cumsum(self.seconds)])
        columns = (self.rate_cps, self.rate_error_cps, self.lifetime_ns, self.lifetime_error_ns)
        return [
            Level(start, stop, Estimate(rate, rate_error), Estimate(tau, tau_error), provisional=False)
            for (start, stop), rate, rate_error, tau, tau_error in zip(
                pairwise(edges.tolist()), *(c.tolist() for c in columns), strict=True
            )
        ]


@cache
def segments() -> Segments:
    bounds = np.loadtxt(real_file(f"{FOLDER}/segmentbounds.txt"))
    fits = np.loadtxt(real_file(f"{FOLDER}/segment_fit_data.csv"), delimiter=",", skiprows=6)
    tick_s = truth(FOLDER)["tick_ns"] * 1e-9
    gamma, gamma_error = fits[:, 1], fits[:, 2]
    return Segments(
        np.diff(bounds[:, 0]), np.diff(bounds[:, 1]) * tick_s, 1 / gamma, gamma_error / np.square(gamma)
    )


@cache
def published(weighted_by: str) -> FloatArray:
    """(70, 70) map whose cells sum to 1."""
    lines = real_file(f"{FOLDER}/FLID.txt").read_text().splitlines()
    rows = [[float(x) for x in line.split()] for line in lines if len(line.split()) == CELLS]
    return np.asarray(np.array(rows).reshape(len(WEIGHTS), CELLS, CELLS)[WEIGHTS.index(weighted_by)])


@cache
def drawn(weighted_by: str) -> FloatArray:
    """Our map of the published segments on the published cells, cells summing to 1."""
    edges = np.arange(CELLS + 1, dtype=np.float64) - 0.5
    density = blurred_density(segments().points(weighted_by), STEP_NS * edges, segments().step_cps * edges)
    return np.asarray(density / density.sum())


def maximum(density: FloatArray, from_cps: float, to_cps: float) -> tuple[float, float]:
    """Lifetime and intensity of the fullest cell among some intensities."""
    intensity = segments().step_cps * np.arange(CELLS)
    among = (intensity >= from_cps) & (intensity < to_cps)
    row, column = np.unravel_index(int(np.where(among[:, None], density, -1.0).argmax()), density.shape)
    return STEP_NS * float(column), float(intensity[row])


def test_the_segments_hold_every_photon_of_the_recording() -> None:
    expected = truth(FOLDER)
    assert len(segments().photons) == expected["segments"]
    assert segments().photons.sum() == expected["photons"]
    assert segments().seconds.sum() == pytest.approx(expected["duration_s"], rel=1e-5)


@pytest.mark.parametrize("weighted_by", WEIGHTS)
def test_the_published_maps_come_out_cell_by_cell(weighted_by: str) -> None:
    ours, theirs = drawn(weighted_by), published(weighted_by)

    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.995
    misplaced = np.abs(ours - theirs).sum() / 2
    assert misplaced < 0.015


@pytest.mark.parametrize("weighted_by", WEIGHTS)
@pytest.mark.parametrize("intensities_cps", [(0.0, 50e3), (75e3, 200e3)], ids=["dim", "bright"])
def test_the_maxima_are_in_the_published_cells(
    weighted_by: str, intensities_cps: tuple[float, float]
) -> None:
    ours, theirs = drawn(weighted_by), published(weighted_by)

    assert maximum(ours, *intensities_cps) == maximum(theirs, *intensities_cps)


def test_the_maxima_are_where_the_publication_has_them_to_a_cell() -> None:
    density = drawn("duration")

    dim_ns, dim_cps = maximum(density, 0.0, 50e3)
    bright_ns, bright_cps = maximum(density, 75e3, 200e3)

    assert dim_ns == pytest.approx(2.0, abs=STEP_NS)
    assert bright_ns == pytest.approx(16.0, abs=STEP_NS)
    assert dim_cps == pytest.approx(22e3, abs=segments().step_cps)
    assert bright_cps == pytest.approx(107e3, abs=segments().step_cps)
    # Neither of one radiative rate (BC) nor of twice the rate (a trion): the segments do not decide.
    assert 1.2 < radiative_rate_ratio(bright_cps, bright_ns, dim_cps, dim_ns) < 1.8


def test_intensity_and_lifetime_of_the_dot_fall_together() -> None:
    correlation = intensity_lifetime_correlation(segments().levels())

    assert correlation.value is not None
    assert correlation.error is not None
    assert correlation.value - 5 * correlation.error > 0.7


def test_a_real_perovskite_dot_has_more_than_two_intensities() -> None:
    states = distinct_levels(segments().levels()[:500])

    assert len(states) > 4
    assert sum(s.occupancy or 0.0 for s in states) == pytest.approx(1.0)
    assert states[0].intensity_cps.value == pytest.approx(125e3, rel=0.05)
