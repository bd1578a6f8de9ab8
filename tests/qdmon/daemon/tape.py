"""A sink that keeps everything."""

from collections.abc import Callable
from typing import TypeVar

from streams.messages import Message

M = TypeVar("M")


class Tape:
    """Keeps what was published; may act on it."""

    def __init__(self, then: Callable[[Message], None] = lambda message: None) -> None:
        self.messages: list[Message] = []
        self.then = then

    def publish(self, message: Message) -> None:
        self.messages.append(message)
        self.then(message)

    async def room(self) -> None:
        """There always is."""

    async def record_end(self, last: Message) -> None:
        """Nothing is recorded."""

    async def delivered(self) -> None:
        """Nobody is behind."""

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.messages if isinstance(message, kind)]
