"""When a stream is read and looked at: at fixed times of its own, never at the edges of batches."""

from hardware.types import Acquisition
from qdmon.analysis.conversion.alarms import AFTER_RISE_S

__all__ = ["Cadence"]

# Everything is looked at this often.
LOOK_S = 0.5
# Blinks are read more often, so that a conversion is told at once: so many times a look behind a rise of the
# fluence, which is what converts dots, behind any other step, and where nothing has happened for long.
RISEN, STEPPED, STEADY = 10, 5, 2
# For so long behind any step.
STEPPED_S = 20.0


class Cadence:
    """Times of reads and looks, as the fluence changes.

    Attributes:
        look_pulses: between two looks; the first is that long behind pulse 0.
    """

    def __init__(self, acquisition: Acquisition) -> None:
        self._shortest = max(acquisition.pulses(LOOK_S / RISEN), 1)
        self.look_pulses = RISEN * self._shortest
        self._risen_pulses, self._stepped_pulses = (
            acquisition.pulses(AFTER_RISE_S),
            acquisition.pulses(STEPPED_S),
        )
        self._risen_until = self._stepped_until = 0

    def step(self, pulse: int, *, rise: bool) -> None:
        """The fluence changed."""
        self._stepped_until = pulse + self._stepped_pulses
        if rise:
            self._risen_until = pulse + self._risen_pulses

    def next_read(self, pulse: int) -> int:
        """When blinks are read first behind a pulse; every look is such a time."""
        # How often is settled for a whole of the shortest spans: a batch may end anywhere in it.
        begun = pulse // self._shortest * self._shortest
        often = RISEN if begun < self._risen_until else STEPPED if begun < self._stepped_until else STEADY
        between = self.look_pulses // often
        return (pulse // between + 1) * between

    def looks_at(self, pulse: int) -> bool:
        """Whether a time at which blinks are read is one at which everything is looked at."""
        return pulse % self.look_pulses == 0
