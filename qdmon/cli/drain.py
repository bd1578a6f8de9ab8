"""Takes a session off its sockets in a thread, so that a long computation never lets them fill up."""

import queue
import threading
from types import TracebackType
from typing import Self

from streams.endpoints import Endpoints
from streams.messages import Message, PhotonBatch
from streams.subscriber import LinkEvent, Subscriber

__all__ = ["Drain"]

MOST_PHOTONS = 20_000_000
WAIT_S = 0.3


class Drain:
    """A subscriber in a thread of its own; use as a context manager.

    Args:
        endpoints: of the publisher.
        most_photons: taken ahead of whoever calls `next`, about 11 bytes each; then the thread waits.
    """

    def __init__(self, endpoints: Endpoints, *, most_photons: int = MOST_PHOTONS) -> None:
        self._endpoints = endpoints
        self._most = most_photons
        self._ahead = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._items: queue.SimpleQueue[Message | LinkEvent | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="qdmon-drain", daemon=True)
        self._thread.start()

    def next(self, timeout_s: float) -> Message | LinkEvent | None:
        """The next message or news of the link; None if nothing came. Raises what ended the thread."""
        try:
            item = self._items.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(item, BaseException):
            raise item
        self._count(-_photons(item))
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._count(0)
        self._thread.join(5)

    def _run(self) -> None:
        try:
            with Subscriber(self._endpoints) as subscriber:
                while not self._closing.is_set():
                    item = subscriber.receive(WAIT_S)
                    if item is not None:
                        self._count(_photons(item))
                        self._items.put(item)
                        self._wait_for_room()
        except BaseException as error:
            self._items.put(error)

    def _wait_for_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ahead <= self._most or self._closing.is_set())

    def _count(self, photons: int) -> None:
        with self._changed:
            self._ahead += photons
            self._changed.notify_all()


def _photons(item: Message | LinkEvent) -> int:
    return len(item.photons) if isinstance(item, PhotonBatch) else 0
