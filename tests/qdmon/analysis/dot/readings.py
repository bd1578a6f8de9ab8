"""What the fit of a dot says of bins whose states are known."""

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.fit import fit_dot
from qdmon.analysis.dot.verdict import Reading, read_bins
from tests.qdmon.analysis.dot.paths import TRAPS

__all__ = ["MANY_TRAPS", "read"]

MANY_TRAPS: list[int] = TRAPS[4:14:3].tolist()


def read(data: BinnedDecays, background_sd_cps: float = 20.0) -> Reading:
    fit = fit_dot(data, background_sd_cps)
    assert fit is not None
    return read_bins(data, fit)
