"""The losses of a segment: joined where they touch, bounded in number, never forgotten."""

from dataclasses import replace

from hardware.types import Loss

__all__ = ["LossLog"]

MOST = 2000


class LossLog:
    """Losses in order of time.

    Past `MOST` the two with the least between them become one: that leaves out a little good light, where
    forgetting a loss would turn it into a dim state.

    Attributes:
        losses: what is left out.
        spans: the same as pulse intervals.
        lost_pulses: pulses really lost.
    """

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self.spans: list[tuple[int, int]] = []
        self.lost_pulses = 0

    def add(self, loss: Loss) -> None:
        """Take one that begins no earlier than the last."""
        self.lost_pulses += loss.stop_pulse - loss.first_pulse
        self.losses.append(loss)
        last = len(self.losses) - 1
        if last > 0:
            before = self.losses[last - 1]
            if loss.cause == before.cause and loss.first_pulse <= before.stop_pulse:
                self._join(last - 1)
        if len(self.losses) > MOST:
            gaps = [b.first_pulse - a.stop_pulse for a, b in zip(self.losses, self.losses[1:], strict=False)]
            self._join(gaps.index(min(gaps)))
        self.spans = [(x.first_pulse, x.stop_pulse) for x in self.losses]

    def _join(self, index: int) -> None:
        one, other = self.losses[index : index + 2]
        known = one.lost_photons is not None and other.lost_photons is not None
        self.losses[index : index + 2] = [
            replace(
                one,
                stop_pulse=max(one.stop_pulse, other.stop_pulse),
                lost_photons=(one.lost_photons or 0) + (other.lost_photons or 0) if known else None,
            )
        ]
