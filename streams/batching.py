"""Decoded blocks of any size in, messages of steady length out: the same cutter for cards and files."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from hardware.types import DecodedBlock, Loss, Photons
from streams.messages import Gap, Marker, Message, PhotonBatch

__all__ = ["BatchCutter"]


class BatchCutter:
    """Cuts one segment into batches that end on multiples of `pulses_per_batch`, counted from pulse 0.

    Where a batch ends depends on the pulses alone, never on how the blocks were cut. A batch leaves once
    its block says that it is complete; gaps and markers leave before the batch they begin in.
    """

    def __init__(self, segment: int, pulses_per_batch: int) -> None:
        if pulses_per_batch < 1:
            raise ValueError("a batch must be at least one pulse long")
        self._segment = segment
        self._length = pulses_per_batch
        self._next = 0
        self._edges: list[int] = []
        self._photons: deque[Photons] = deque()
        self._markers: list[tuple[int, int]] = []
        self._losses: list[Loss] = []

    @property
    def stop_pulse(self) -> int:
        """End of the last batch sent: where the next one begins."""
        return self._next

    def split_at(self, pulse: int) -> None:
        """Let a batch end at `pulse`, so that a message can stand before it; too late, it is ignored."""
        if pulse > self._next and pulse not in self._edges:
            insort(self._edges, pulse)

    def feed(self, block: DecodedBlock, host_time_ns: int) -> list[Message]:
        """Take a block; return what it completes, in order (gaps, markers, then their batch)."""
        return list(self.cut(block, lambda _: host_time_ns))

    def flush(self, position: int, host_time_ns: int) -> list[Message]:
        """The rest: everything up to `position`, and beyond it all that is held, in a last shorter batch."""
        return list(self.cut_rest(position, lambda _: host_time_ns))

    def cut(self, block: DecodedBlock, host_time_ns: Callable[[int], int]) -> Iterator[Message]:
        """As `feed`, one message at a time; `host_time_ns` maps the stop pulse of a batch to its time.

        Exhaust it before the next call.
        """
        self._take(block)
        while (stop := self._next_edge()) <= block.position:
            yield from self._batch(stop, host_time_ns(stop))

    def cut_rest(self, position: int, host_time_ns: Callable[[int], int]) -> Iterator[Message]:
        """As `flush`, one message at a time."""
        last = max(
            [position]
            + [int(part.pulse[-1]) + 1 for part in self._photons]
            + [pulse + 1 for pulse, _ in self._markers]
            + [loss.first_pulse + 1 for loss in self._losses]
        )
        while (stop := self._next_edge()) <= last:
            yield from self._batch(stop, host_time_ns(stop))
        if last > self._next:
            yield from self._batch(last, host_time_ns(last))

    def _take(self, block: DecodedBlock) -> None:
        new = block.photons
        if len(new):
            if self._photons and new.pulse[0] < self._photons[-1].pulse[-1]:
                joined = Photons.join([*self._photons, new])
                order = np.argsort(joined.pulse, kind="stable")
                new = Photons(joined.pulse[order], joined.nanotime[order], joined.channel[order])
                self._photons.clear()
            self._photons.append(new)
        if len(block.markers.pulse):
            self._markers += zip(block.markers.pulse.tolist(), block.markers.bits.tolist(), strict=True)
            self._markers.sort(key=lambda marker: marker[0])
        if block.losses:
            self._losses = sorted([*self._losses, *block.losses], key=lambda loss: loss.first_pulse)

    def _next_edge(self) -> int:
        regular = (self._next // self._length + 1) * self._length
        return min(regular, self._edges[0]) if self._edges else regular

    def _batch(self, stop: int, host_time_ns: int) -> Iterator[Message]:
        first, self._next = self._next, stop
        while self._edges and self._edges[0] <= stop:
            del self._edges[0]
        while self._losses and self._losses[0].first_pulse < stop:
            loss = self._losses.pop(0)
            yield Gap(self._segment, loss.first_pulse, loss.stop_pulse, loss.cause, loss.lost_photons)
        due = 0
        while due < len(self._markers) and self._markers[due][0] < stop:
            pulse, bits = self._markers[due]
            yield Marker(self._segment, pulse, "card", _marker_text(bits))
            due += 1
        del self._markers[:due]
        yield PhotonBatch(self._segment, first, stop, host_time_ns, self._photons_before(stop))

    def _photons_before(self, stop: int) -> Photons:
        taken = []
        while self._photons and self._photons[0].pulse[0] < stop:
            part = self._photons.popleft()
            if part.pulse[-1] >= stop:
                n = int(np.searchsorted(part.pulse, np.uint64(stop)))
                self._photons.appendleft(Photons(part.pulse[n:], part.nanotime[n:], part.channel[n:]))
                part = Photons(part.pulse[:n], part.nanotime[:n], part.channel[:n])
            taken.append(part)
        return Photons.join(taken)


def _marker_text(bits: int) -> str:
    inputs = [str(i + 1) for i in range(8) if bits >> i & 1]
    return f"marker {' + '.join(inputs)}"
