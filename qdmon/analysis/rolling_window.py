"""The verdict on the last seconds up to the latest look: made once somebody asks for it, and then kept."""

from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.stretch.stretch import Stretch

__all__ = ["RollingWindow"]


class RollingWindow:
    """The window that ends where a stretch was looked at last."""

    def __init__(self) -> None:
        # The stretch, how far it had come, and the doubt at that time.
        self._looked: tuple[Stretch, int, str | None] | None = None
        # The verdict, and the conversion that it begins behind.
        self._made: tuple[int, BlinkingCall] | None = None

    def looked_at(self, stretch: Stretch, doubt: str | None) -> None:
        """A stretch has been looked at up to its present end.

        Args:
            stretch: the present one.
            doubt: a reason outside it not to call a type.
        """
        self._looked, self._made = (stretch, stretch.photons.stop_pulse, doubt), None

    def stretch_over(self) -> None:
        """There is nothing to look at until the next."""
        self._looked = self._made = None

    def verdict(self, losses: list[tuple[int, int]]) -> BlinkingCall | None:
        """On the window; None where nothing has been looked at.

        Args:
            losses: pulse intervals in which photons are missing.
        """
        if self._looked is None:
            return None
        stretch, stop_pulse, doubt = self._looked
        since = stretch.dot.since_pulse
        if self._made is None or self._made[0] != since:
            call = stretch.dot.look(losses, doubt, stop_pulse)
            span = stretch.photons.start_s, stretch.photons.acquisition.seconds(stop_pulse)
            self._made = since, call or undetermined(*span, doubt or "too few photons yet")
        return self._made[1]
