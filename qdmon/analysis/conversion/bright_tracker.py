"""How bright the bright level is in a new stretch: as foreseen, until it has been seen.

A trapped dot looks like a charged one that is dimmer as a whole, so a stretch that begins dim says nothing of
its bright level. Once rows with the bright lifetime are there and no brighter ones, they place it.
"""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable
from qdmon.analysis.conversion.row_states import BrightLevel, RowStates, row_log_likelihood

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
_LEAST_LOG = -60.0


class BrightTracker:
    """Follows the bright level of one stretch."""

    def __init__(self, first_pulse: int) -> None:
        self._first_pulse = first_pulse
        self._log_scale, self._seen = 0.0, False

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

        def weigh(log_scales: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
            """Log posterior of each scale, and whether the bright level shows itself at it."""
            total, shown = np.full(len(log_scales), -np.inf), np.zeros(len(log_scales), bool)
            for i, log_scale in enumerate(log_scales):
                expected = (states.signal * (bright.cps * np.exp(log_scale)) + background) * (row_s * group)
                log_l = row_log_likelihood(grouped, expected)
                shown[i] = _shows(grouped, log_l, expected, states)
                if shown[i] or abs(log_scale) < _NEAR:
                    top = log_l.max(axis=1)
                    chance = np.exp(np.maximum(log_l - top[:, None], _LEAST_LOG)) @ states.weights
                    total[i] = top.sum(dtype=np.float64) + np.log(chance).sum(dtype=np.float64)
            prior = np.log(np.exp(-0.5 * np.square(log_scales / _USUAL)) + _ODD)
            return np.asarray(total + prior), shown

        centre = self._log_scale
        if not self._seen:
            centre = float(_COARSE[np.argmax(weigh(_COARSE)[0])])
        fine, shown = weigh(centre + _FINE)
        if shown[np.argmax(fine)]:
            share = np.exp(fine - fine.max())
            self._log_scale = float(share @ (centre + _FINE) / share.sum())
            self._seen = True


def _shows(
    grouped: NDArray[np.float32], log_l: NDArray[np.float32], expected: FloatArray, states: RowStates
) -> bool:
    """Whether enough groups are on the bright level, and they are not brighter than it."""
    best = log_l.argmax(axis=1)
    bright = states.bright[best]
    if np.count_nonzero(bright) < _BRIGHT_GROUPS:
        return False
    light = float(grouped[bright, 1:].sum(dtype=np.float64))
    return light <= _BRIGHTER * float(expected[best[bright], 1:].sum())
