"""Background of a segment: of the stretch that goes on, or of the last one that knew it."""

from qdmon.analysis.antibunching.chance import SteadyLight
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, DECAY_TAIL, Settled
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.stretch.stretch import Stretch

__all__ = ["BackgroundHistory"]


class BackgroundHistory:
    """What is known of the background, stretch after stretch.

    Attributes:
        before_cps: of the signal detectors together, at the end of the last stretch.
    """

    def __init__(self, calibrator: Calibrator) -> None:
        self._calibrator = calibrator
        self.before_cps = 0.0
        self._settled_before: Settled | None = None

    def keep(self, stretch: Stretch) -> None:
        """A stretch ends; before its last fit."""
        self.before_cps = stretch.background.cps
        self._settled_before = stretch.background.settled or self._settled_before

    def cps(self, here: Stretch | None) -> float:
        """Of the signal detectors together; None as the stretch: between two."""
        return here.background.cps if here is not None else self.before_cps

    def settled(self, here: Stretch | None) -> Settled | None:
        """By the latest fit; None before there is one."""
        return here.background.settled if here is not None else self._settled_before

    def of_detectors(self, here: Stretch | None) -> dict[int, Estimate]:
        """In counts/s: as counted for each detector, or shared out by the end of the decays."""
        known, settled = self._calibrator.known_background(), self.settled(here)
        if known is not None and (settled is None or settled.origin == known.origin):
            return dict(known.cps)
        histogram = here.photons.histogram if here is not None else None
        return self._calibrator.shared_out(
            histogram, self.cps(here), settled.background.error if settled is not None else None
        )

    def steady_light(self, here: Stretch | None) -> SteadyLight:
        """As g2 needs it."""
        settled = self.settled(here)
        known = settled is not None and settled.origin != ASSUMED_ZERO
        return SteadyLight(
            self.of_detectors(here),
            from_decays=settled is not None and settled.origin == DECAY_TAIL,
            known=known or self._calibrator.known_background() is not None,
        )
