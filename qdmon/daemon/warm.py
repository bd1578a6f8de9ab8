"""Compiles the kernels photons will need, before the first photon waits for one."""

from hardware.records import decoder_for, encoder_for
from hardware.types import Photons, RecordLayout

__all__ = ["warm_records", "warm_simulation"]

PULSES = 250_000


def warm_records(layout: RecordLayout) -> None:
    """The way between words and photons."""
    words = encoder_for(layout).feed(Photons.empty(), PULSES)
    decoder_for(layout).feed(words)


def warm_simulation(preset: str) -> None:
    """A simulated dot of that kind; raises ValueError if there is none."""
    from hardware.sim.simulation import DotSimulation

    DotSimulation(preset, 0).advance(PULSES, 1.0)
