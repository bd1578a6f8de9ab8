"""Watches the rising edge of each detector: places time zero better as photons come, and follows its drift.

A cable that warms up or a laser that changes its pulse shape moves time zero by some 0.1 ns. The axis is
moved by whole TCSPC bins, so that the micro-bins stay exactly what they are.

A first edge of few photons is rough. What more photons say better is no drift: the edge that a drift is
measured from is the mean of all since it was last told, until it is sharp.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from qdmon.analysis.calibration.timing import EDGE_FLOOR_PS, Edge, rising_edge

__all__ = ["EdgeWatch", "Moved", "PlacedEdge"]

# Photons of one detector for an edge of some 20 ps.
BLOCK_PHOTONS = 20_000
# So many looks at least between two edges once it is sharp: no cable warms up faster.
SHARP_LOOKS = 4
# What a drift must exceed to be told, at least; the error of both edges, beside what another fluence feigns:
# it brings other light of the pulse (0.04 ns at most on simulated dots).
LEAST_PS, LEAST_SIGMA, MIX_PS = 100.0, 5.0, 30.0
# Light of the pulse that shares its TCSPC bin with other light leaves open where in the bin the pulse is (rms
# over simulated dots).
IN_BIN = 0.25
# An edge as sharp as this is no longer refined: drifts are measured from it.
SHARP_PS = 25.0
# A given instrument response and the rising edge differ by the colour of the light and the response's shape.
MOST_GIVEN_PS = 200.0
# Weight of a new edge against those before, at least: a slow drift is followed.
LEAST_WEIGHT = 0.2
# Steps below this are not worth moving the axis for.
LEAST_STEP_PS = 20.0
# Share of a block's photons that the dot's decay must hold.
LEAST_SIGNAL = 0.3


@dataclass(frozen=True, slots=True)
class Moved:
    """Time zero of a detector is not where it was.

    Attributes:
        channel: the detector.
        by_ps: how far, from what was last told.
        given: it differs from the response that was given, and always did as far as seen.
    """

    channel: int
    by_ps: float
    given: bool


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """Where one detector's pulse is.

    Attributes:
        edge: the rising edge as far as known; None while only the given response is.
        offset_ps: time zero minus rising edge.
        told: edge that drifts are told from.
        base_ps: time zero as first placed; the axis is moved from there by whole bins.
        applied_ps: time zero in use.
        floor_ps: error of time zero that no number of photons takes away.
        moving: the last block showed a drift; the next one says whether it is one, and how far it went.
    """

    edge: Edge | None
    offset_ps: float
    told: Edge | None
    base_ps: float
    applied_ps: float
    floor_ps: float = EDGE_FLOOR_PS
    moving: bool = False

    @property
    def error_ps(self) -> float | None:
        """Standard error of time zero; None for a response that was given."""
        if self.edge is None or self.offset_ps:
            return None
        return float(np.hypot(self.edge.error_ps, self.floor_ps))


class EdgeWatch:
    """Time zero of every detector, from blocks of recent photons.

    Attributes:
        placed: channel -> where its pulse is.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        edges: dict[int, Edge],
        given_ps: dict[int, float],
        clock_ps: float | None,
    ) -> None:
        """Begin to watch.

        Args:
            acquisition: time base; must have nanotimes.
            edges: rising edges found first; used where no time zero is given.
            given_ps: time zero by a measured response; if there is any, only these detectors have one.
            clock_ps: after which the axis begins anew; None where arrival times lie anywhere on it.
        """
        self._resolution_ps = acquisition.resolution_ps or 1.0
        self._clock_ps = clock_ps
        self._period_ps = acquisition.pulse_period_ps or acquisition.macro_tick_ps
        t0 = given_ps or {c: e.at_ps for c, e in edges.items()}
        self._given = frozenset(given_ps)
        first = {c: None if c in self._given else edges[c] for c in t0}
        floor_ps = float(np.hypot(EDGE_FLOOR_PS, IN_BIN * self._resolution_ps))
        self.placed = {c: PlacedEdge(first[c], 0.0, first[c], at, at, floor_ps) for c, at in t0.items()}
        shape = (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1))
        self._block = np.zeros(shape, np.int64)
        self._looks = dict.fromkeys(t0, 0)

    @property
    def t0_ps(self) -> dict[int, float]:
        """Channel -> time zero in use."""
        return {c: p.applied_ps for c, p in self.placed.items()}

    def look(self, histogram: NDArray[np.int64], signal: dict[int, float]) -> list[Moved]:
        """Take recent photons; what moved far enough to be told, if a block is full.

        Args:
            histogram: (c, t) photons since the last look.
            signal: channel -> share of these photons that decays after the pulse, prompt light left out.
        """
        moved = []
        for c, place in self.placed.items():
            if signal.get(c, 0.0) < LEAST_SIGNAL:
                continue
            self._block[c] += histogram[c]
            self._looks[c] += 1
            wait = place.told is not None and place.told.error_ps <= SHARP_PS and not place.moving
            if self._block[c].sum() < BLOCK_PHOTONS or (wait and self._looks[c] < SHARP_LOOKS):
                continue
            edge = rising_edge(self._block[c], self._resolution_ps, self._clock_ps)
            self._block[c] = 0
            self._looks[c] = 0
            if edge is not None:
                self.placed[c], told = self._follow(c, place, edge)
                moved += told
        return moved

    def _follow(self, channel: int, place: PlacedEdge, edge: Edge) -> tuple[PlacedEdge, list[Moved]]:
        if place.edge is None or place.told is None:
            return self._meet_given(channel, place, edge)
        # Behind a block that may hold two places of the edge only the new one counts.
        reference = place.told
        anew = self._differ(edge, place.edge) or (place.moving and self._differ(edge, reference))
        here = edge if anew else self._mean(place.edge, edge, LEAST_WEIGHT)
        told: list[Moved] = []
        if not self._differ(here, reference):
            if reference.error_ps > SHARP_PS:
                reference = self._mean(reference, edge, 0.0)
            place = replace(place, edge=here, told=reference, moving=False)
        elif place.moving:
            told = [Moved(channel, self._wrapped(here.at_ps - reference.at_ps), given=False)]
            place = replace(place, edge=here, told=here, moving=False)
        else:
            # One block may err, and one in which the edge moved holds two of its places.
            place = replace(place, edge=here, moving=True)
        # A response that was given holds until the edge has clearly moved.
        if channel in self._given and not told:
            return place, []
        return self._move(place), told

    def _differ(self, one: Edge, other: Edge) -> bool:
        """Whether two edges lie apart by more than chance."""
        error = float(np.hypot(one.error_ps, other.error_ps))
        step = abs(self._wrapped(one.at_ps - other.at_ps))
        return step > max(LEAST_PS, LEAST_SIGMA * error + MIX_PS)

    def _mean(self, before: Edge, edge: Edge, least_weight: float) -> Edge:
        """Both edges by their errors, the latter by a least weight."""
        weight = max(before.error_ps**2 / (before.error_ps**2 + edge.error_ps**2), least_weight)
        mean = before.at_ps + weight * self._wrapped(edge.at_ps - before.at_ps)
        spread = np.hypot((1 - weight) * before.error_ps, weight * edge.error_ps)
        return Edge(mean % self._period_ps, float(spread))

    def _meet_given(self, channel: int, place: PlacedEdge, edge: Edge) -> tuple[PlacedEdge, list[Moved]]:
        """The first edge seen beside a given response."""
        off = self._wrapped(edge.at_ps - place.base_ps)
        place = replace(place, edge=edge, told=edge)
        if abs(off) <= max(MOST_GIVEN_PS, LEAST_SIGMA * edge.error_ps):
            return replace(place, offset_ps=-off), []
        return self._move(place), [Moved(channel, off, given=True)]

    def _move(self, place: PlacedEdge) -> PlacedEdge:
        """Whole bins that bring time zero where it belongs."""
        if place.edge is None:
            return place
        wanted = self._wrapped(place.edge.at_ps + place.offset_ps - place.base_ps)
        if abs(wanted - (place.applied_ps - place.base_ps)) < max(LEAST_STEP_PS, 0.6 * self._resolution_ps):
            return place
        steps = round(wanted / self._resolution_ps)
        return replace(place, applied_ps=place.base_ps + steps * self._resolution_ps)

    def _wrapped(self, ps: float) -> float:
        """A difference on the circle of the pulse period."""
        half = self._period_ps / 2
        return (ps + half) % self._period_ps - half
