"""Photons that wait to be sorted until it is known when the laser pulsed."""

from hardware.types import Photons

__all__ = ["WaitingPhotons"]

MOST_PENDING = 2_000_000
MOST_WAITING = 20_000


class WaitingPhotons:
    """Portions of a stream in their order, not too many of them."""

    def __init__(self) -> None:
        self._portions: list[tuple[Photons, int]] = []
        self._photons = 0

    def add(self, photons: Photons, stop_pulse: int) -> None:
        """The next portion, up to a pulse."""
        self._portions.append((photons, stop_pulse))
        self._photons += len(photons)

    @property
    def too_many(self) -> bool:
        """More than may wait."""
        return self._photons > MOST_PENDING or len(self._portions) > MOST_WAITING

    def forget_older_half(self) -> None:
        """The portions that came first wait no longer: they stay merely counted."""
        half = len(self._portions) // 2
        self._photons -= sum(len(photons) for photons, _ in self._portions[:half])
        del self._portions[:half]

    def taken(self) -> list[tuple[Photons, int]]:
        """All portions, each with its stop pulse (exclusive); none wait any more."""
        portions, self._portions = self._portions, []
        self._photons = 0
        return portions
