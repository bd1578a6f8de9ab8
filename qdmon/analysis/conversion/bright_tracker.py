"""How bright the bright level is in a new stretch: as foreseen, until it has been seen.

A trapped dot looks like a charged one that is dimmer as a whole, so a stretch that begins dim says nothing of
its bright level. Once rows with the bright lifetime are there and no brighter ones, they place it; should
brighter ones come later, it was not the bright level and is looked for anew.
"""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable
from qdmon.analysis.conversion.row_states import LEAST_LOG, BrightLevel, RowLight, RowStates

__all__ = ["BrightTracker"]

FloatArray = NDArray[np.float64]

# How far from the level foreseen it is looked for, as a logarithm, and how far it usually is.
_COARSE, _FINE = np.linspace(-2.5, 2.5, 56), np.linspace(-0.08, 0.08, 9)
_USUAL, _ODD = 0.12, 1e-4
# A charged state of a dimmer dot can look like a trapped one of this dot only beyond this.
_NEAR = 0.35
# A level that was seen is known this well.
_SURE = 0.02
# Rows looked back on; rows together hold so many photons of the bright level, within these numbers of rows.
_ROWS, _PHOTONS, _GROUP = 1500, 150.0, (5, 30)
# Seen: so many groups on the bright level, on average no brighter than it by this.
_BRIGHT_GROUPS, _BRIGHTER = 5, 1.1


class BrightTracker:
    """Follows the bright level of one stretch."""

    def __init__(self, first_pulse: int) -> None:
        self._first_pulse = first_pulse
        self._log_scale, self._seen = 0.0, False
        self._foreseen_cps: float | None = None

    @property
    def scale(self) -> float:
        """Light of the bright level over that foreseen."""
        return float(np.exp(self._log_scale))

    @property
    def doubt(self) -> float:
        """Relative error of the scale."""
        return _SURE if self._seen else _USUAL

    @property
    def seen(self) -> bool:
        """Whether the bright level has shown itself in this stretch."""
        return self._seen

    def foresee(self, cps: float) -> None:
        """The level foreseen; a level that was seen stays where it is."""
        if self._seen and self._foreseen_cps is not None and cps > 0:
            self._log_scale += float(np.log(self._foreseen_cps / cps))
        self._foreseen_cps = cps

    def update(
        self, table: BinTable, states: RowStates, bright: BrightLevel, background: FloatArray, row_s: float
    ) -> None:
        """Look at the latest rows of the stretch.

        Args:
            table: rows of about a millisecond.
            states: those a row can be in.
            bright: the level foreseen.
            background: (m,) counts per second and micro-bin.
            row_s: duration of a row.
        """
        group = int(np.clip(np.ceil(_PHOTONS / max(bright.cps * self.scale * row_s, 1e-9)), *_GROUP))
        width = table.pulses_per_row
        first = max(-(-(self._first_pulse - table.first_pulse) // width), table.closed - _ROWS, 0)
        rows = table.rows[first:]
        n = len(rows) // group
        if n < _BRIGHT_GROUPS:
            return
        grouped = rows[: n * group].reshape(n, group, -1).sum(axis=1, dtype=np.float32)

        def weigh(log_scales: FloatArray) -> tuple[FloatArray, list[bool | None]]:
            """Log posterior of each scale, and whether the bright level shows itself at it."""
            total = np.full(len(log_scales), -np.inf)
            shown: list[bool | None] = []
            for i, log_scale in enumerate(log_scales):
                signal = states.signal * (bright.cps * np.exp(log_scale))
                expected = (signal + background) * (row_s * group)
                log_l = RowLight.of(expected).log_likelihood(grouped)
                best = log_l.argmax(axis=1)
                shown.append(_shows(grouped, best, expected, background * (row_s * group), states))
                if shown[i] or abs(log_scale) < _NEAR:
                    top = log_l[np.arange(n), best]
                    log_l -= top[:, None]
                    chance = np.exp(np.maximum(log_l, LEAST_LOG, out=log_l), out=log_l) @ states.weights
                    total[i] = top.sum(dtype=np.float64) + np.log(chance).sum()
            prior = np.log(np.exp(-0.5 * np.square(log_scales / _USUAL)) + _ODD)
            return np.asarray(total + prior), shown

        centre = self._log_scale
        if self._seen:
            fine, shown = weigh(centre + _FINE)
            self._seen = False not in shown
        if not self._seen:
            centre = float(_COARSE[np.argmax(weigh(_COARSE)[0])])
            fine, shown = weigh(centre + _FINE)
        if shown[int(np.argmax(fine))]:
            share = np.exp(fine - fine.max())
            self._log_scale = float(share @ (centre + _FINE) / share.sum())
            self._seen = True
        elif not self._seen:
            self._log_scale = 0.0


def _shows(
    grouped: NDArray[np.float32],
    best: NDArray[np.intp],
    expected: FloatArray,
    background: FloatArray,
    states: RowStates,
) -> bool | None:
    """Whether the bright level shows itself: enough groups are on it, no brighter, and decay like it.

    None where there are too few or they do not decay like it, False where they are brighter.
    """
    groups = np.bincount(best, minlength=len(states.bright)) * states.bright
    number = groups.sum()
    if number < _BRIGHT_GROUPS:
        return None
    # Single precision counts whole photons exactly.
    pooled = (states.bright[best].astype(np.float32) @ grouped)[1:].astype(np.float64)
    photons = pooled.sum()
    if photons > _BRIGHTER * (groups @ expected[:, 1:]).sum():
        return False
    dark = background[1:] * number
    decay = np.log(np.maximum(max(photons - dark.sum(), 1.0) * states.decays + dark, 1e-9)) @ pooled
    return True if decay[states.bright].max() >= decay[states.trapped].max() else None
