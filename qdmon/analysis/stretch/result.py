"""What is reported of a stretch, gathered."""

from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.stretch.stretch import Stretch

__all__ = ["segment_result"]


def segment_result(stretch: Stretch, losses: list[tuple[int, int]], g2: G2) -> SegmentResult:
    """Everything known about a stretch.

    Args:
        stretch: as it stands.
        losses: pulse intervals in which photons are missing.
        g2: of its photons.
    """
    charging_rate_hz, _ = stretch.charging()
    dynamics = stretch.dynamics
    return SegmentResult(
        stretch.photons.start_s,
        stretch.photons.stop_s,
        stretch.mean_excitation,
        stretch.dot.call,
        stretch.photons.mean_rate(losses),
        stretch.lifetime(losses),
        stretch.blinking_rate(losses),
        charging_rate_hz,
        g2,
        dynamics.levels(stretch.background.cps, stretch.background.delayed),
        dynamics.intensities,
        dynamics.on_dwells,
        dynamics.off_dwells,
        dynamics.correlation,
        stretch.late_fit.summary if stretch.late_fit is not None else None,
    )
