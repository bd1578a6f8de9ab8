"""Does the emission line move? A two-sided CUSUM on the centres of successive frames, and what it finds.

Spectral diffusion moves the centre from frame to frame by 0.3-1 nm whatever the photons say, so a frame's
error is that of its photons together with the scatter seen in the reference, and drifts below 1 nm are
allowed. CUSUM: Page, Biometrika 41, 100 (1954).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.segment import FluenceStep

__all__ = ["Peak", "SpectralWatch", "energy_shift_mev"]

HC_EV_NM = 1239.841984

ALLOWED_DRIFT_NM = 1.0
# In units of a frame's error. With an allowance of one error or more, noise reaches this level once in
# about exp(2 * 10) / 2 frames; no frame counts for more than 4 of it, so that it takes three.
ALARM = 10.0
MOST_OF_ONE_FRAME = 4.0

# Scatter between frames that is expected before any was seen, worth so many frames; and its least.
DIFFUSION_NM, DIFFUSION_FRAMES, LEAST_DIFFUSION_NM = 0.5, 4, 0.3
# A reference is one once so many frames tell it to a third of the allowed drift; until then the latest count.
REFERENCE_FRAMES, LATEST_FRAMES = 5, 30
REFERENCE_ERROR_NM = ALLOWED_DRIFT_NM / 3
MOST_FRAMES = 600
# A line has settled when its last two frames are where the two before were; one that keeps moving is
# reported as it is after so many frames.
SETTLED_FRAMES, LONGEST_WAIT = 3, 10


@dataclass(frozen=True, slots=True)
class Peak:
    """Centre of the line over [start_s, stop_s), with the error its photons leave."""

    start_s: float
    stop_s: float
    centre_nm: float
    error_nm: float


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the line is while it stays: mean, its error, and how far frames scatter beyond their photons."""

    centre_nm: float
    error_nm: float
    diffusion_nm: float

    @classmethod
    def of(cls, peaks: Sequence[Peak]) -> "_Level":
        centres = np.array([p.centre_nm for p in peaks])
        errors = np.array([p.error_nm for p in peaks])
        centre = float(centres.mean())
        excess = float(np.square(centres - centre).sum() - np.square(errors).sum() * (1 - 1 / len(peaks)))
        variance = (DIFFUSION_FRAMES * DIFFUSION_NM**2 + excess) / (DIFFUSION_FRAMES + len(peaks) - 1)
        diffusion = float(np.sqrt(max(variance, LEAST_DIFFUSION_NM**2)))
        error = float(np.sqrt(np.square(errors).sum() + len(peaks) * diffusion**2)) / len(peaks)
        return cls(centre, error, diffusion)

    def frame_error_nm(self, peak: Peak) -> float:
        """How far a frame may lie from this level by chance."""
        return float(np.sqrt(peak.error_nm**2 + self.diffusion_nm**2 + self.error_nm**2))


class SpectralWatch:
    """Takes the centres of frames in order.

    Frames that a fluence step cuts are shown but not judged. One that lies wholly where the fluence is
    unknown, as when the laser is off, belongs to nobody: what looks like a line there is noise.

    The first stretch of constant fluence is the reference, and after a shift the line's new place.

    Attributes:
        latest: centre of the latest frame that had a line.
    """

    def __init__(self) -> None:
        self.latest: Estimate = UNKNOWN
        self._stretch: int | None = None
        self._first: tuple[int, list[Peak]] | None = None
        self._here: list[Peak] = []
        self._level: list[Peak] = []
        self._level_stretch = 0
        self._red = self._blue = 0.0
        self._suspects: list[Peak] = []

    def add(self, peak: Peak, steps: Sequence[FluenceStep]) -> list[Event]:
        """Take a frame's centre; one event for each shift, once the line has settled.

        Args:
            peak: not earlier than those before.
            steps: ascending, when the fluence changed; all up to the end of the frame.
        """
        stretch = bisect_right(steps, peak.start_s, key=_start_s)
        cut = bisect_left(steps, peak.stop_s, key=_start_s) != stretch
        if not cut and stretch > 0 and steps[stretch - 1].mean_excitation is None:
            return []
        self.latest = Estimate(peak.centre_nm, peak.error_nm)
        if cut:
            return []
        if stretch != self._stretch:
            self._stretch, self._here = stretch, []
            self._forget_suspicion()
        self._here = [*self._here, peak][-MOST_FRAMES:]
        if self._first is None or self._first[0] == stretch:
            self._first = stretch, self._here
        return self._judge(peak, stretch)

    @property
    def shift_nm(self) -> Estimate:
        """Mean centre in the last stretch with frames minus that in the first; unknown while one."""
        if self._first is None or self._first[0] == self._stretch:
            return UNKNOWN
        both = self._first[1], self._here
        first, last = (np.mean([p.centre_nm for p in peaks]) for peaks in both)
        errors = [np.linalg.norm([p.error_nm for p in peaks]) / len(peaks) for peaks in both]
        return Estimate(float(last - first), float(np.linalg.norm(errors)))

    def _judge(self, peak: Peak, stretch: int) -> list[Event]:
        level = _Level.of(self._level) if len(self._level) >= REFERENCE_FRAMES else None
        if level is None or level.error_nm > REFERENCE_ERROR_NM:
            self._level, self._level_stretch = [*self._level, peak][-LATEST_FRAMES:], stretch
            return []
        error = level.frame_error_nm(peak)
        allowed = max(ALLOWED_DRIFT_NM, error)
        away = peak.centre_nm - level.centre_nm
        self._red = max(0.0, self._red + min((away - allowed) / error, MOST_OF_ONE_FRAME))
        self._blue = max(0.0, self._blue + min((-away - allowed) / error, MOST_OF_ONE_FRAME))
        self._suspects.append(peak)
        if self._red == self._blue == 0.0:
            if stretch == self._level_stretch:
                self._learn(level)
            self._forget_suspicion()
        return self._shifts(level, stretch) if max(self._red, self._blue) >= ALARM else []

    def _shifts(self, old: _Level, stretch: int) -> list[Event]:
        """The alarm is up: wait until the line stands still, then say where it was and is."""
        *_, a, b, c, d = [old.centre_nm] * 4 + [p.centre_nm for p in self._suspects]
        moving = abs(c + d - a - b) / 2 > max(ALLOWED_DRIFT_NM, old.frame_error_nm(self._suspects[-1]))
        if len(self._suspects) < SETTLED_FRAMES or (moving and len(self._suspects) < LONGEST_WAIT):
            return []
        settled = self._suspects[-max(SETTLED_FRAMES, len(self._suspects) // 2) :]
        new = _Level.of(settled)
        shift = Estimate(new.centre_nm - old.centre_nm, float(np.hypot(new.error_nm, old.error_nm)))
        if abs(new.centre_nm - old.centre_nm) < max(ALLOWED_DRIFT_NM, 3 * (shift.error or 0.0)):
            return []
        since_s = self._suspects[0].start_s
        self._level, self._level_stretch = settled, stretch
        self._forget_suspicion()
        return [Event(since_s, "spectrum", "warning", _text(old.centre_nm, new.centre_nm, shift))]

    def _learn(self, level: _Level) -> None:
        """The suspects are cleared: they tell of the level and its scatter too, but for single freaks."""
        ordinary = [
            p
            for p in self._suspects
            if abs(p.centre_nm - level.centre_nm) < MOST_OF_ONE_FRAME * level.frame_error_nm(p)
        ]
        self._level = [*self._level, *ordinary][:MOST_FRAMES]

    def _forget_suspicion(self) -> None:
        self._red = self._blue = 0.0
        self._suspects = []


def _start_s(step: FluenceStep) -> float:
    return step.start_s


def energy_shift_mev(before_nm: float, after_nm: float) -> float:
    """Change of the photon energy hc/lambda in meV; -24.4 for 633 -> 641 nm."""
    return 1e3 * HC_EV_NM * (1 / after_nm - 1 / before_nm)


def _text(before_nm: float, after_nm: float, shift: Estimate) -> str:
    value, error = shift.value or 0.0, shift.error or 0.0
    energy = energy_shift_mev(before_nm, after_nm)
    energy_error = abs(energy_shift_mev(after_nm, after_nm + error))
    return (
        f"line moved from {before_nm:.1f} to {after_nm:.1f} nm: {value:+.1f} ± {error:.1f} nm "
        f"({energy:+.1f} ± {energy_error:.1f} meV)"
    )
