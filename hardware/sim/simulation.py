"""A simulated dot on a simulated set-up: pulses and fluence in, photons out."""

import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from hardware.sim.detectors import Detectors
from hardware.sim.faults import Faults
from hardware.sim.photons import dot_photons
from hardware.sim.presets import Preset, find_preset
from hardware.sim.state import StatePath
from hardware.sim.trajectory import SlowState
from hardware.sim.truth import FluenceStep, Truth
from hardware.types import Acquisition, Photons, RecordLayout

__all__ = ["DotSimulation", "simulate", "slow_truth"]

_CHUNKS_A_PIECE = 20  # small arrays cost more memory than what is in them


class DotSimulation:
    """One dot, from its first pulse on.

    The seed and the sequence of (pulses, <N>) determine everything. Stretches longer than 50 ms are cut
    into chunks of 50 ms, so one call for a second gives the photons of twenty calls for a chunk.

    Attributes:
        preset: what the dot and the set-up are made of.
        seed: the source of chance.
        position: pulses so far; every photon below it has been given out.
    """

    def __init__(
        self,
        preset: str | Preset,
        seed: int,
        *,
        faults: Faults | None = None,
        history_s: float = np.inf,
    ) -> None:
        """Make a new dot of a kind.

        Args:
            preset: its name, or the preset itself.
            seed: non-negative; another seed is another dot of the same kind.
            faults: what goes wrong, and when.
            history_s: how far back `truth` reaches, to bound the memory of a simulation that runs for days.

        Raises:
            ValueError: unknown preset name or negative seed.
        """
        if seed < 0:
            raise ValueError(f"seed is {seed}; it must be a whole number from 0 up")
        self.preset = find_preset(preset) if isinstance(preset, str) else preset
        self.seed = seed
        self.position = 0
        slow, self._photon_rng, noise = _chance(self.preset.name, seed)
        self._state = SlowState(self.preset.dot, self.preset.setup.pulse_rate_hz, slow)
        self._detectors = Detectors(self.preset.setup, faults or Faults(), noise)
        self._history: deque[StatePath] = deque()
        self._recent: list[StatePath] = []
        self._history_s = history_s

    def acquisition(self) -> Acquisition:
        """What a card records of this set-up."""
        setup = self.preset.setup
        return Acquisition(
            mode="T3",
            macro_tick_ps=setup.period_ns * 1000.0,
            resolution_ps=setup.resolution_ps,
            nanotime_bins=setup.nanotime_bins,
            channels=(0, 1),
            layout=RecordLayout.GENERIC_T3,
            instrument="simulated TCSPC card",
            serial=f"SIM-{self.seed}",
            simulated=True,
            settings={"preset": self.preset.name, "seed": str(self.seed)},
        )

    def advance(self, pulses: int, mean_excitation: float) -> Photons:
        """Photons of the next `pulses` pulses under <N> = `mean_excitation`.

        Raises:
            ValueError: negative <N> or number of pulses.
        """
        if pulses < 0 or not 0.0 <= mean_excitation < np.inf:
            raise ValueError(f"cannot simulate {pulses} pulses at <N> = {mean_excitation}: both must be >= 0")
        stop = self.position + pulses
        chunk = self.preset.setup.chunk_pulses
        parts = []
        while self.position < stop:
            parts.append(self._chunk(min(chunk, stop - self.position), mean_excitation))
        return Photons.join(parts)

    def run(self, steps: Sequence[FluenceStep], duration_s: float) -> Iterator[tuple[Photons, int]]:
        """Photons chunk by chunk until `duration_s`, and the position each chunk completes.

        Before the first step the laser is off; a chunk ends where a step begins.
        """
        rate_hz = self.preset.setup.pulse_rate_hz
        ordered = sorted(steps)
        starts = [round(step.start_s * rate_hz) for step in ordered]
        end = round(duration_s * rate_hz)
        while self.position < end:
            begun = int(np.searchsorted(starts, self.position, side="right"))
            until = min(starts[begun], end) if begun < len(starts) else end
            mean_excitation = ordered[begun - 1].mean_excitation if begun else 0.0
            pulses = min(self.preset.setup.chunk_pulses, until - self.position)
            photons = self.advance(pulses, mean_excitation)
            yield photons, self.position

    @property
    def truth(self) -> Truth:
        """What the dot has really done so far."""
        return self._truth(StatePath.join([StatePath.empty(), *self._history, *self._recent]))

    def truth_since(self, start_s: float) -> Truth:
        """The same from `start_s` on, at a cost that does not grow with the run."""
        parts: list[StatePath] = []
        for part in chain(reversed(self._recent), reversed(self._history)):
            if part.stop_s[-1] <= start_s:
                break
            parts.append(part)
        return self._truth(StatePath.join([StatePath.empty(), *reversed(parts)]).between(start_s, np.inf))

    def _truth(self, path: StatePath) -> Truth:
        return Truth(self.preset, self.seed, path, self._state.conversion_s, self._state.bleaching_s)

    def _chunk(self, pulses: int, mean_excitation: float) -> Photons:
        setup = self.preset.setup
        first = self.position
        self.position += pulses
        path = self._state.advance_to(self.position / setup.pulse_rate_hz, mean_excitation)
        self._remember(path)
        edges = np.empty(len(path) + 1, np.int64)
        edges[:-1] = np.rint(path.start_s * setup.pulse_rate_hz) - first
        edges[0], edges[-1] = 0, pulses
        times_ns, channels = dot_photons(self.preset.dot.exciton, setup, path, edges, self._photon_rng)
        return self._detectors.click(times_ns, channels, first, pulses, mean_excitation)

    def _remember(self, path: StatePath) -> None:
        self._recent.append(path)
        if len(self._recent) < _CHUNKS_A_PIECE:
            return
        self._history.append(StatePath.join(self._recent))
        self._recent.clear()
        while self._history[0].stop_s[-1] < path.stop_s[-1] - self._history_s:
            self._history.popleft()


def slow_truth(preset: Preset, seed: int, steps: Sequence[FluenceStep], duration_s: float) -> Truth:
    """What a dot would do in a run, without its photons: the same truth up to where chunks fall.

    Thousands of times faster than real time, for statistics over many dots. The steps are in order and
    the first begins at 0.
    """
    slow, _, _ = _chance(preset.name, seed)
    state = SlowState(preset.dot, preset.setup.pulse_rate_hz, slow)
    stops = [*(step.start_s for step in steps[1:]), duration_s]
    parts = [state.advance_to(stop, step.mean_excitation) for step, stop in zip(steps, stops, strict=True)]
    return Truth(preset, seed, StatePath.join(parts), state.conversion_s, state.bleaching_s)


def _chance(name: str, seed: int) -> list[np.random.Generator]:
    """Independent sources for the slow state, the photons and the detectors; no two kinds share dots."""
    root = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return [np.random.default_rng(branch) for branch in root.spawn(3)]


def simulate(
    preset: str | Preset, steps: Sequence[FluenceStep], duration_s: float, seed: int
) -> Iterator[tuple[Photons, int]]:
    """A whole run of a new dot, chunk by chunk: photons, and the pulse up to which they are complete.

    Raises:
        ValueError: unknown preset name.
    """
    return DotSimulation(preset, seed).run(steps, duration_s)
