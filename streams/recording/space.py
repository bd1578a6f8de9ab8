"""The disk's space: is there enough to begin, how long will it last, and a reserve for a good end."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from streams.recording.files import Files
from streams.recording.policy import RecordingError, RecordingPolicy

__all__ = ["SpaceWatch"]

BALLAST = "ballast"
RATE_LOOKS = 60
S_PER_MINUTE = 60
BYTES_PER_GB = 1e9


class SpaceWatch:
    """Watches the free space of a session's disk.

    Args:
        folder: the session directory.
        policy: its bounds.
        files: the system.
        clock: monotonic seconds.

    Attributes:
        free_bytes: at the last look; None if it cannot be told.
    """

    def __init__(
        self, folder: Path, policy: RecordingPolicy, files: Files, clock: Callable[[], float]
    ) -> None:
        self.free_bytes: int | None = None
        self._folder = folder
        self._policy = policy
        self._files = files
        self._clock = clock
        self._written: deque[tuple[float, int]] = deque(maxlen=RATE_LOOKS)
        self._holds_ballast = False

    @property
    def remaining_s(self) -> float | None:
        """Until the reserve is reached, at the rate of the last minute; None if unknown."""
        if self.free_bytes is None or len(self._written) < 2:
            return None
        (began_s, before), (now_s, now) = self._written[0], self._written[-1]
        if now_s <= began_s or now <= before:
            return None
        return max(self.free_bytes - self._policy.reserve_bytes, 0) * (now_s - began_s) / (now - before)

    @property
    def low(self) -> bool:
        """It will not last for long."""
        remaining = self.remaining_s
        return remaining is not None and remaining < self._policy.warn_free_s

    @property
    def warning(self) -> str:
        """What to tell an operator when it is low."""
        minutes = (self.remaining_s or 0) / S_PER_MINUTE
        return f"the disk will be full in about {minutes:.0f} min: make space, or stop the recording"

    @property
    def exhausted(self) -> bool:
        """Only the reserve is left."""
        return self.free_bytes is not None and self.free_bytes < self._policy.reserve_bytes

    def claim(self, expected_bytes_per_s: float | None) -> None:
        """Check that there is enough to begin, and lay in the ballast; raises RecordingError."""
        self._measure()
        needed = self._policy.reserve_bytes + self._policy.ballast_bytes
        needed += round((expected_bytes_per_s or 0.0) * self._policy.least_free_s)
        if self.free_bytes is not None and self.free_bytes < needed:
            raise RecordingError(
                f"{self.free_bytes / BYTES_PER_GB:.2f} GB free at {self._folder.parent}, "
                f"{needed / BYTES_PER_GB:.2f} GB needed to begin: make space or choose another folder"
            )
        try:
            self._lay_in()
        except OSError as error:
            raise RecordingError(
                f"cannot reserve space at {self._folder.parent} ({error.strerror or error}): "
                "make space or choose another folder"
            ) from error

    def look(self, written_bytes: int) -> None:
        """Measure the space and the rate; call about once a second."""
        self._measure()
        self._written.append((self._clock(), written_bytes))

    def regain(self) -> None:
        """Before recording goes on: RecordingError or OSError if there is still too little space."""
        self._measure()
        missing = 0 if self._holds_ballast else self._policy.ballast_bytes
        if self.free_bytes is not None and self.free_bytes < 2 * self._policy.reserve_bytes + missing:
            raise RecordingError("there is still too little space")
        self._lay_in()

    def release(self) -> None:
        """Give the ballast back; never raises."""
        if self._holds_ballast:
            self._holds_ballast = False
            with suppress(OSError):
                self._files.remove(self._folder / BALLAST)

    def _lay_in(self) -> None:
        if not self._holds_ballast and self._policy.ballast_bytes:
            try:
                self._files.fill(self._folder / BALLAST, self._policy.ballast_bytes)
            except OSError:
                with suppress(OSError):
                    self._files.remove(self._folder / BALLAST)
                raise
            self._holds_ballast = True

    def _measure(self) -> None:
        try:
            self.free_bytes = self._files.free_bytes(self._folder)
        except OSError:
            self.free_bytes = None
