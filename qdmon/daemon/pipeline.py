"""From a card's raw blocks to messages in stream order: decode, locate losses, cut into batches.

Nothing here waits or looks at a clock: what a block says is all that counts.
"""

from dataclasses import replace

from hardware.records import decoder_for
from hardware.types import Acquisition, DecodedBlock, Loss, LossCause, Markers, Photons, RawBlock
from streams.batching import BatchCutter
from streams.messages import Message, PhotonBatch

__all__ = ["PhotonPipeline"]


class PhotonPipeline:
    """One segment's way from words to messages.

    Args:
        segment: index of the segment.
        acquisition: what the card really uses.
        batch_s: length of a batch in stream time.

    Attributes:
        position: every pulse below it is complete; the next photon is at or after it.
        seen: no photon decoded so far is at or beyond it.
        photons: photons handed out in batches so far.
    """

    def __init__(self, segment: int, acquisition: Acquisition, *, batch_s: float) -> None:
        self._decoder = decoder_for(acquisition.layout)
        self._cutter = BatchCutter(segment, max(1, acquisition.pulses(batch_s)))
        self._hole: tuple[int, LossCause] | None = None
        self.position = 0
        self.seen = 0
        self.photons = 0

    @property
    def stop_pulse(self) -> int:
        """Every pulse below it is in a batch that was handed out."""
        return self._cutter.stop_pulse

    def feed(self, block: RawBlock) -> list[Message]:
        """What a block adds to the session, in order."""
        decoded = self._decoder.feed(block.words)
        hole = self._hole_in(block, decoded)
        if hole is not None:
            decoded = replace(decoded, losses=(*decoded.losses, hole))
        self.position = decoded.position
        newest = int(decoded.photons.pulse[-1]) + 1 if len(decoded.photons) else 0
        self.seen = max(self.seen, newest, self.position)
        return self._counted(self._cutter.feed(decoded, block.host_time_ns))

    def edge(self, host_time_ns: int) -> list[Message]:
        """Force a batch edge at the present position and hand out everything before it."""
        self._cutter.split_at(self.position)
        nothing = DecodedBlock(Photons.empty(), Markers.empty(), (), self.position)
        return self._counted(self._cutter.feed(nothing, host_time_ns))

    def finish(self, host_time_ns: int) -> list[Message]:
        """What is left at the end of the segment."""
        messages: list[Message] = []
        if self._hole is not None:
            first, cause = self._hole
            loss = Loss(first, max(self.seen, first + 1), cause)
            decoded = DecodedBlock(Photons.empty(), Markers.empty(), (loss,), self.position)
            messages += self._cutter.feed(decoded, host_time_ns)
            self._hole = None
        messages += self._cutter.flush(self.position, host_time_ns)
        return self._counted(messages)

    def _counted(self, messages: list[Message]) -> list[Message]:
        self.photons += sum(len(m.photons) for m in messages if isinstance(m, PhotonBatch))
        return messages

    def _hole_in(self, block: RawBlock, decoded: DecodedBlock) -> Loss | None:
        """The part of a hole that is known with this block.

        A card says that events are missing, not until when: the pulses of later words tell.
        """
        if block.sync_lost and self._hole is None:
            self._hole = (self.position, LossCause.SYNC_LOST)
        known = None
        if self._hole is not None and decoded.position > self._hole[0]:
            (first, cause), self._hole = self._hole, None
            stop = decoded.position
            if len(decoded.photons) and not block.sync_lost:
                stop = max(int(decoded.photons.pulse[0]), first + 1)  # the first photon: it counts again
            known = Loss(first, stop, cause)
        if block.overrun and self._hole is None:
            self._hole = (decoded.position, LossCause.FIFO_OVERRUN)
        return known
