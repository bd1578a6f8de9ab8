"""An operator's consent to emission: given once, used once, and gone after a while."""

from collections.abc import Callable

from hardware.protocols import LaserError

__all__ = ["Consent"]


class Consent:
    """Single-use, expiring permission to switch emission on.

    `withdraw` may be called from any thread at any time and also ends a switch-on that is under way.

    Args:
        lasts_s: how long after `give` it can still be taken.
        clock: monotonic seconds.
    """

    def __init__(self, lasts_s: float, clock: Callable[[], float]) -> None:
        self._lasts_s = lasts_s
        self._clock = clock
        self._given_s: float | None = None
        self._withdrawals = 0

    def give(self) -> None:
        """Permit one switch-on from now."""
        self._given_s = self._clock()

    def take(self) -> int:
        """Use the permission up; returns a ticket for `holds`. Raises LaserError if there is none left."""
        given_s, self._given_s = self._given_s, None
        if given_s is None:
            raise LaserError("emission refused: the laser is not armed; arm it, then switch on")
        if not 0 <= self._clock() - given_s <= self._lasts_s:
            raise LaserError(f"emission refused: arming expired after {self._lasts_s:g} s; arm it again")
        return self._withdrawals

    def withdraw(self) -> None:
        """Forget any permission, used or not."""
        self._given_s = None
        self._withdrawals += 1

    def holds(self, ticket: int) -> bool:
        """Whether nobody withdrew since the ticket was taken."""
        return self._withdrawals == ticket
