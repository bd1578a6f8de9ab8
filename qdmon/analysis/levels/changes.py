"""Where the light changed: exact search of the likelihood ratio over all instants, bin by bin.

The statistic is that of Watkins and Yang (J. Phys. Chem. B 109, 617, 2005) for two constant rates against
one. It is convex in (time, count) of the candidate, so only corners of the two convex hulls of the
counting curve can win: a few dozen candidates however long the level (the pruning of FOCuS, arXiv
2110.08205, for exponential families). Counting in bins leaves out candidates of the photon-by-photon test,
never adds any, so its false alarms are fewer; and light that comes in clumps shorter than a bin
(after-pulses, several photons a pulse) cannot look like a level.

A change of lifetime shows in the light that comes late after the pulse. Early and late photons are two
Poisson streams whatever the decay looks like, so the sum of their statistics needs no lifetime model and
no background to keep its false-alarm rate.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit

__all__ = ["HULLS", "MOST_CORNERS", "scan_for_change"]

# Upper and lower hull of total against time, upper and lower hull of late light against total.
HULLS = 4
# A hull of n random steps has about ln(n) corners; this many are never reached by steady light.
MOST_CORNERS = 256


@jit
def log_steady(n: float, t: float) -> float:
    """Log-likelihood of n counts that came steadily in t, up to a constant of the counts."""
    return n * np.log(n / t) if n > 0 else 0.0


@jit
def push_corner(
    corners: NDArray[np.float64], size: int, x: int, y: int, sign: float, point: NDArray[np.float64]
) -> int:
    """Append a point to a hull that only grows to the right; returns its new number of corners."""
    while size > 1:
        a, b = corners[size - 2], corners[size - 1]
        turn = (b[x] - a[x]) * (point[y] - a[y]) - (b[y] - a[y]) * (point[x] - a[x])
        if sign * turn > 0:
            break
        size -= 1
    if size == len(corners):
        # The oldest corner after the origin is the least likely to matter.
        for i in range(1, size - 1):
            for k in range(len(point)):
                corners[i, k] = corners[i + 1, k]
        size -= 1
    for k in range(len(point)):
        corners[size, k] = point[k]
    return size + 1


@jit
def scan_for_change(
    total: NDArray[np.int64],
    late: NDArray[np.int64],
    seen: NDArray[np.float64],
    corners: NDArray[np.float64],
    sizes: NDArray[np.int64],
    look_back: float,
    thresholds: tuple[float, float],
) -> tuple[int, int]:
    """Take bins until a change shows or none are left.

    Args:
        total: (n,) counts of the next bins.
        late: (n,) those that came late after the pulse; zeros where there are no arrival times.
        seen: (3,) bins, counts and late counts since the level began; updated.
        corners: (HULLS, MOST_CORNERS, 3) candidates, each as `seen` was there; updated.
        sizes: (HULLS,) corners in use; updated.
        look_back: only candidates less than this many bins back are considered.
        thresholds: nats for total light alone, and for early and late light together.

    Returns:
        Bins taken, and the bin since the level began at which a new level starts; 0 if there is none.
    """
    for i in range(np.uint64(len(total))):
        for h in range(np.uint64(HULLS)):
            x = 0 if h < 2 else 1
            sizes[h] = push_corner(corners[h], sizes[h], x, x + 1, 1.0 - 2.0 * (h % 2), seen)
        seen[0] += 1.0
        seen[1] += total[i]
        seen[2] += late[i]
        now, light, late_light = seen
        early_light = light - late_light
        whole, whole_late = log_steady(light, now), log_steady(late_light, now)
        whole_early = log_steady(early_light, now)
        best, at = 0.0, 0
        for h in range(np.uint64(HULLS)):
            for j in range(np.uint64(sizes[h])):
                t, k, k_late = corners[h, j]
                left = now - t
                if t < 1.0 or left >= look_back:
                    continue
                k_early = k - k_late
                alone = log_steady(k, t) + log_steady(light - k, left) - whole
                joint = log_steady(k_late, t) + log_steady(late_light - k_late, left) - whole_late
                joint += log_steady(k_early, t) + log_steady(early_light - k_early, left) - whole_early
                excess = max(alone - thresholds[0], joint - thresholds[1])
                if excess > best:
                    best, at = excess, int(t)
        if at:
            return i + 1, at
    return len(total), 0
