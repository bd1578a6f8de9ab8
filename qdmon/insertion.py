"""Messages put into a recorded session at given pulses; the batch they fall into is cut there."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from hardware.types import Acquisition
from streams.messages import Message, PhotonBatch, Segment

__all__ = ["inserted"]


def inserted(
    messages: Iterator[Message],
    wanted: Callable[[Acquisition], list[tuple[int, Callable[[int], Message]]]],
) -> Iterator[Message]:
    """The same messages with others between them.

    Args:
        messages: of a session.
        wanted: for the time base of its first segment, pulses in order and what makes the message for
            each from the pulse it takes effect at: that of the first batch where it was meant for earlier.
    """
    waiting: list[tuple[int, Callable[[int], Message]]] = []
    for message in messages:
        if isinstance(message, Segment) and message.index == 0:
            waiting = wanted(message.acquisition)
        if not isinstance(message, PhotonBatch) or message.segment != 0:
            yield message
            continue
        batch = message
        while waiting and waiting[0][0] < batch.stop_pulse:
            pulse, make = waiting.pop(0)
            pulse = max(pulse, batch.first_pulse)
            if pulse > batch.first_pulse:
                head = batch.photons.between(batch.first_pulse, pulse)
                yield replace(batch, stop_pulse=pulse, photons=head)
                tail = batch.photons.between(pulse, batch.stop_pulse)
                batch = replace(batch, first_pulse=pulse, photons=tail)
            yield make(pulse)
        yield batch
