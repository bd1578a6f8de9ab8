"""Dots that no sample of the paper is, each a hard question to the analysis with a known answer."""

from dataclasses import replace

from hardware.sim.dot import Charging, Traps
from hardware.sim.presets import Preset, find_preset

__all__ = ["b_type", "never_blinks", "quadratic_charging", "two_trions"]


def never_blinks(base: str = "cdse-zns-2nm") -> Preset:
    """Always neutral, no traps: type "none"."""
    preset = find_preset(base)
    dot = replace(preset.dot, charging=None, traps=None, conversion=None, bleaching=None)
    return replace(preset, name="never-blinks", behaviour="does not blink", dot=dot)


def b_type(base: str = "cdse-zns-2nm") -> Preset:
    """Hot carriers are caught before they relax: intensity falls at constant lifetime (Galland 2011)."""
    preset = never_blinks(base)
    traps = Traps(count=4, switching_hz=(5.0, 25.0), duty=(0.07, 0.16), strength=(0.4, 0.8))
    return replace(
        preset,
        name="b-type",
        behaviour="B-type at every fluence",
        dot=replace(preset.dot, hot_traps=traps),
    )


def quadratic_charging(base: str = "cdse-zns-2nm") -> Preset:
    """Charged by Auger ionisation only: charging rate about <N>^2, never converts."""
    preset = find_preset(base)
    charging = Charging(single=0.0, multiple=6e-5, neutralisation_hz=(6.0, 50.0))
    dot = replace(preset.dot, charging=charging, conversion=None)
    return replace(preset, name="quadratic-charging", behaviour="Auger, charging about <N>^2", dot=dot)


def two_trions(base: str = "cdse-zns-2nm") -> Preset:
    """Either carrier may leave: two charged levels, one of them with a third of the Auger rate."""
    preset = find_preset(base)
    if preset.dot.charging is None:
        raise ValueError(f"preset {base} never charges: choose one that does")
    dot = replace(preset.dot, charging=replace(preset.dot.charging, grey=0.4), conversion=None)
    return replace(preset, name="two-trions", behaviour="Auger with two charged levels", dot=dot)
