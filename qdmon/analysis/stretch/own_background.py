"""Background of one stretch: what was known beforehand, until its own photons tell more."""

from dataclasses import replace

from qdmon.analysis.calibration.background import intensity_groups
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, Settled, settle_background
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.maximise import dot_of
from qdmon.analysis.results.estimate import Estimate

__all__ = ["OwnBackground"]


class OwnBackground:
    """What lies under the light of a stretch.

    Attributes:
        cps: uniform background of the signal detectors together.
        delayed: share of the signal that comes at any time after the pulse.
        known: what is known of it beside the decays (cps), and its origin; None: nothing.
        settled: the background of the latest fit with its error and origin.
    """

    def __init__(self) -> None:
        self.cps = 0.0
        self.delayed = 0.0
        self.known: tuple[Estimate, str] | None = None
        self.settled: Settled | None = None

    @property
    def origin(self) -> str:
        """How the background was found."""
        return self.settled.origin if self.settled is not None else ASSUMED_ZERO

    def under(self, data: BinnedDecays) -> BinnedDecays:
        """The bins with what lies under them."""
        return replace(data, bins=replace(data.bins, delayed=self.delayed), background_cps=self.cps)

    def settle(self, data: BinnedDecays) -> float | None:
        """Estimate it from bins whose states are not known yet.

        Returns:
            How well it is known (cps); None if the states have to find it.
        """
        coarse = data.grouped(0.01)
        groups = intensity_groups(coarse.counts, coarse.bin_s)
        self.settled = settled = settle_background(*groups, data.bins, self.known)
        if settled.origin != ASSUMED_ZERO:
            self.cps = settled.background.value or 0.0
        if settled.delayed is not None:
            self.delayed = settled.delayed
        return settled.known_to_cps

    def share_out(self, found: FamilyFit) -> None:
        """The states share the background better out than the decays alone, if only these told of it."""
        if self.settled is None or self.settled.known_to_cps is not None:
            return
        dot = dot_of(found.expected.mean, found.dot)
        self.cps, self.delayed = dot.background_cps, dot.delayed
        self.settled = self.settled.by_states(found.background, dot.bright_cps)
