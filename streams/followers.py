"""Who follows a publisher closely, and how far each has come: what lets a replay wait for its viewers."""

from collections.abc import Callable

__all__ = ["Followers"]

_MAX = 1000


class Followers:
    """Subscribers that report the position they have reached.

    One that has been silent for `patience_s` is no longer waited for: a stopped viewer must not stop the
    stream, and finds what it missed in the history.

    Args:
        clock: monotonic seconds.
        patience_s: see above.
    """

    def __init__(self, clock: Callable[[], float], patience_s: float = 5.0) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._seen: dict[bytes, tuple[int, float]] = {}

    def report(self, who: bytes, pos: int) -> None:
        """A subscriber has handed on everything before `pos`."""
        self._seen.pop(who, None)
        if len(self._seen) >= _MAX:
            del self._seen[next(iter(self._seen))]
        self._seen[who] = (pos, self._clock())

    def left(self, who: bytes) -> None:
        """A subscriber is gone."""
        self._seen.pop(who, None)

    def __len__(self) -> int:
        self._forget_silent()
        return len(self._seen)

    def slowest(self) -> int | None:
        """The position all of them have reached; None if there are none."""
        self._forget_silent()
        return min((pos for pos, _ in self._seen.values()), default=None)

    def _forget_silent(self) -> None:
        oldest_s = self._clock() - self._patience_s
        for who in [who for who, (_, heard_s) in self._seen.items() if heard_s < oldest_s]:
            del self._seen[who]
