"""Simulated instruments: the dot, the set-up around it, a TCSPC card, a laser and a spectrometer.

`create_bench` is the driver entry point `sim`. `simulation.DotSimulation` gives photons without any
instrument, `truth.Truth` what really happened. Names and descriptions need no compiled kernel.
"""

from typing import TYPE_CHECKING

from hardware.sim.presets import describe, find_preset, preset_names
from hardware.types import Verification

if TYPE_CHECKING:
    from hardware.protocols import Bench
    from hardware.sim.faults import Faults

__all__ = ["create_bench", "describe", "preset_names"]

VERIFICATION = Verification.COMPLETE
ROLES = ("card", "laser", "spectrometer")

MEAN_EXCITATION_PER_PERMILLE = 0.0025
"""<N> per 0.1 % of laser power: full power is 2.5, and every <N> of the paper a whole step."""

_HISTORY_S = 3600.0


def create_bench(
    *, preset: str, seed: int | None = None, speed: float = 1.0, faults: "Faults | None" = None
) -> "Bench":
    """A simulated dot under a simulated laser, counted by a simulated card and seen by a spectrometer.

    Args:
        preset: kind of dot, see `preset_names`.
        seed: which dot; None takes a new one and says which in the bench's identity.
        speed: simulated seconds per second, also infinity.
        faults: what goes wrong, and when.

    Raises:
        ValueError: unknown preset, negative seed, or speed not positive.
    """
    import secrets

    find_preset(preset)
    from hardware.protocols import Bench
    from hardware.sim.card import SimulatedCard
    from hardware.sim.laser import simulated_laser
    from hardware.sim.simulation import DotSimulation
    from hardware.sim.spectrometer import SimulatedSpectrometer

    if seed is None:
        seed = secrets.randbelow(2**32)
    laser, emitted_permille = simulated_laser(serial=f"SIM-{seed}")
    simulation = DotSimulation(preset, seed, faults=faults, history_s=_HISTORY_S)
    spectrometer = SimulatedSpectrometer(simulation)
    card = SimulatedCard(
        simulation,
        lambda: emitted_permille() * MEAN_EXCITATION_PER_PERMILLE,
        speed=speed,
        faults=faults,
        witness=spectrometer.see,
    )
    identity = {"sample": describe(preset), "preset": preset, "seed": str(seed), "speed": f"{speed:g}"}
    return Bench(card, laser, MEAN_EXCITATION_PER_PERMILLE, identity, spectrometer)
