"""From the <N> of a protocol to the power levels of a laser."""

from hardware.protocols import LaserError
from hardware.types import Acquisition
from qdmon.daemon.protocol import FluenceProtocol
from qdmon.daemon.steps import Level

__all__ = ["levels_for"]


def levels_for(
    protocol: FluenceProtocol, acquisition: Acquisition, mean_excitation_per_permille: float | None
) -> list[Level]:
    """One level for each step; its <N> is the one that the whole number of 0.1 % steps really gives.

    Raises:
        LaserError: no calibration, no laser pulses to count, or an <N> too small or large for the laser.
    """
    if mean_excitation_per_permille is None:
        raise LaserError(
            f"protocol {protocol.name} needs a calibrated laser; set laser.mean_excitation_per_permille"
        )
    if acquisition.mode != "T3":
        raise LaserError(
            f"protocol {protocol.name} needs a card in T3 mode: {acquisition.mode} sees no pulses"
        )
    levels = []
    for step in protocol.steps:
        permille = round(step.mean_excitation / mean_excitation_per_permille)
        if permille > 1000 or (permille == 0 and step.mean_excitation > 0):
            raise LaserError(
                f"protocol {protocol.name}: <N> = {step.mean_excitation:g} is out of the laser's reach "
                f"({mean_excitation_per_permille:g} to {1000 * mean_excitation_per_permille:g})"
            )
        reached = float(f"{permille * mean_excitation_per_permille:.6g}")
        levels.append(Level(reached, permille, acquisition.pulses(step.duration_s)))
    return levels
