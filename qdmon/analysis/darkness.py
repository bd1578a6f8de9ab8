"""How long nothing but background has been seen."""

import numpy as np

from qdmon.analysis.bins import BinTable

__all__ = ["dark_tail_s"]

SIGNAL_PHOTONS = 30
STEP_ROWS = (10, 500)


def dark_tail_s(
    table: BinTable,
    row_s: float,
    background_cps: float,
    threshold_cps: float,
    longest_s: float,
    losses: list[tuple[int, int]],
) -> float:
    """How long the net rate has been below a threshold up to now, in s, looking back so far at most.

    Time with losses proves nothing: the tail begins behind it.

    Args:
        table: photons per row of time.
        row_s: duration of a row.
        background_cps: of all detectors in the table.
        threshold_cps: net rate that is light.
        longest_s: how far to look back.
        losses: pulse intervals in which photons are missing.
    """
    # Bins in which the threshold stands well above the shot noise.
    step = int(np.clip(round(SIGNAL_PHOTONS / max(threshold_cps, 1e-9) / row_s), *STEP_ROWS))
    rows = table.rows[-round(longest_s / row_s) :]
    n = len(rows) // step
    if not n:
        return 0.0
    counts = rows[len(rows) - n * step :].reshape(n, -1).sum(axis=1, dtype=np.int64)
    lit = counts / (step * row_s) - background_cps >= threshold_cps
    width = step * table.pulses_per_row
    start = table.first_pulse + table.closed * table.pulses_per_row - n * width
    for first, stop in losses:
        if stop > start:
            lit[max(first - start, 0) // width : -((start - stop) // width)] = True
    last = np.flatnonzero(lit)
    return float((n - 1 - last[-1]) if len(last) else n) * step * row_s
