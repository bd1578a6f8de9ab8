"""Where every message of a run goes: to the disk first, then to the viewers."""

from typing import Protocol

from qdmon.daemon.recording import Recording
from streams.control import Refused
from streams.messages import Message
from streams.orders import Order, Reply, StartRecording, StopRecording, TellState

__all__ = ["Outlet", "Viewers"]


class Viewers(Protocol):
    """A publisher."""

    def publish(self, message: Message) -> None:
        """Send; never waits."""

    async def delivered(self) -> None:
        """Wait until every viewer that keeps up has everything."""


class Outlet:
    """The sink of a run, and whoever does an operator's orders about it.

    Args:
        viewers: get everything.
        recording: gets it first.
    """

    def __init__(self, viewers: Viewers, recording: Recording) -> None:
        self._viewers = viewers
        self._recording = recording

    def publish(self, message: Message) -> None:
        """Record, then send: whatever a viewer sees, an alert too, is on its way to the disk."""
        self._recording.take(message)
        self._viewers.publish(message)

    async def room(self) -> None:
        """Wait while the disk is behind; not for long."""
        await self._recording.room()

    async def record_end(self, last: Message) -> None:
        """Close the recording, if there is one, with its last message."""
        await self._recording.close(last)

    async def delivered(self) -> None:
        """Wait until every viewer that keeps up has everything."""
        await self._viewers.delivered()

    async def do(self, order: Order) -> Reply:
        """Do an order; raises Refused."""
        match order:
            case StartRecording(title):
                await self._recording.start(title)
            case StopRecording():
                await self._recording.stop()
            case TellState():
                pass
            case _:
                raise Refused("this is a live session, not a replay: its time cannot be steered")
        return Reply(recording=self._recording.state)
