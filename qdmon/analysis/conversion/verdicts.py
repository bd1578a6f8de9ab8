"""Verdicts on the light of one regime, between two conversions, as its stretches come and grow."""

from itertools import takewhile

import numpy as np
from scipy.special import expit, logit

from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.stretch.fitting import StretchFit

__all__ = ["RegimeVerdicts", "verdict_marks"]

# A verdict is no surer than this of one blink, in nats.
MOST_ODDS = 12.0

# So many are kept, of earlier stretches and of the present one.
MOST_VERDICTS = 10


class RegimeVerdicts:
    """The last verdict on each stretch that is over, and those on the present one."""

    def __init__(self) -> None:
        self._before: list[BlinkingCall] = []
        self._here: list[BlinkingCall] = []

    @property
    def before(self) -> BlinkingCall | None:
        """On the stretch before; None if the regime began in the present one, or nothing was seen of it."""
        return self._before[-1] if self._before else None

    def here(self, latest: BlinkingCall) -> list[BlinkingCall]:
        """Those on the present stretch, in order of time.

        Args:
            latest: the last, as it is now; kept with those before it.
        """
        if not self._here or self._here[-1] is not latest:
            self._here = [*self._here, latest][-MOST_VERDICTS:]
        return self._here

    def known(self, latest: BlinkingCall) -> list[BlinkingCall]:
        """All of them, in order of time.

        Args:
            latest: on the present stretch, as in `here`.
        """
        return [*self._before, *self.here(latest)]

    def stretch_over(self, last: BlinkingCall) -> None:
        """Of a stretch that is over only the last verdict counts, if it saw the dot."""
        if last.states:
            self._before = [*self._before, last][-MOST_VERDICTS:]
        self._here = []

    def revise(self, old: BlinkingCall, new: BlinkingCall) -> None:
        """Put a verdict in the place of another on the same stretch, if that is one of this regime."""
        self._before = [new if call is old else call for call in self._before]

    def first_seen_s(self, kind: Blinking) -> float:
        """When the last stretches before this one began, all of this type; the last alone if it was not."""
        same = takewhile(lambda call: call.blinking == kind, reversed(self._before))
        return min((call.start_s for call in same), default=self._before[-1].start_s)


def verdict_marks(dot: StretchFit) -> list[Mark]:
    """Blinks of the latest verdict on a stretch, by what its fit says was lost to what."""
    if dot.reading is None:
        return []
    blinks = dot.reading.blinks
    least = float(expit(-MOST_ODDS))
    odds = logit(np.clip([b.auger_share for b in blinks], least, 1 - least)).tolist()
    start_s, stop_s = dot.start_s.tolist(), (dot.start_s + dot.bin_s).tolist()
    return [
        Mark(start_s[b.first], stop_s[b.stop - 1], o, b.lost_bins * dot.bin_s)
        for b, o in zip(blinks, odds, strict=True)
    ]
