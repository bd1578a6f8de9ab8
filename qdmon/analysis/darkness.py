"""How long nothing but background has been seen, and where the light went out."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable, lost_bins

__all__ = ["LEAST_LIGHT", "dark_tail_s", "light_ends"]

FloatArray = NDArray[np.float64]

# A smaller part of the bright level is no light: the trions that are looked for give more, and the background
# under them is not always known to less.
LEAST_LIGHT = 0.03
# A bin holds so many photons at the threshold, which stands so far above the noise of the background: of the
# hundreds of bins of a dark tail none may pass for light.
SIGNAL_PHOTONS, SIGMAS = 30, 6.0
STEP_ROWS = (10, 500)
# Light that ends is told from what lies under it at so many times the threshold.
LIGHT = 3.0


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
    step = _rows_per_bin(row_s, background_cps, threshold_cps)
    rows = table.rows[-round(longest_s / row_s) :]
    n = len(rows) // step
    if not n:
        return 0.0
    rows = rows[len(rows) - n * step :]
    seen = rows.reshape(n, -1).sum(axis=1, dtype=np.int64)
    bin_s = step * row_s
    noise_cps = SIGMAS * np.sqrt(max(background_cps, 0.0) / bin_s)
    net_cps = seen / bin_s - background_cps
    lit = net_cps >= max(threshold_cps, noise_cps)
    first_pulse = table.first_pulse + (table.closed - n * step) * table.pulses_per_row
    unseen = lost_bins(losses, first_pulse, step * table.pulses_per_row, n)
    last = np.flatnonzero(lit | unseen)
    if not len(last):
        return n * bin_s
    first = int(last[-1]) * step
    if unseen[last[-1]]:
        return (n * step - first - step) * row_s
    # The light may have gone out within its last bin, or a little behind it.
    both = rows[first : first + 2 * step].sum(axis=1, dtype=np.float64)
    ends = light_ends(both, background_cps * row_s, LIGHT * threshold_cps * row_s)
    return (n * step - first - ends) * row_s


def light_ends(counts: FloatArray, dark: float, light: float) -> int:
    """Bins before light goes out for good: it is on up to there and off from there on, most likely.

    Args:
        counts: (n,) photons per time bin.
        dark: expected where it is off.
        light: what it adds to that, about; half as much is still told from none. It is taken for as much as
            `dark` at least, or a bin more or less of noise would be light.
    """
    dark = max(dark, 1e-9)
    light = max(light, dark)
    gained = counts * np.log1p(light / dark) - light
    return int(np.argmax(np.concatenate([[0.0], np.cumsum(gained)])))


def _rows_per_bin(row_s: float, background_cps: float, threshold_cps: float) -> int:
    """Rows in which the threshold stands well above the shot noise, of the background, too."""
    least_cps = max(threshold_cps, 1e-9)
    seconds = max(SIGNAL_PHOTONS / least_cps, SIGMAS**2 * max(background_cps, 0.0) / least_cps**2)
    return int(np.clip(np.ceil(seconds / row_s), *STEP_ROWS))
