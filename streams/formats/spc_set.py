"""The .set file that Becker & Hickl software lays beside a .spc file: what the card was set to.

A short binary head whose first bytes tell the card, then texts: an identification, and one line per
parameter, `#SP [NAME,TYPE,VALUE]`. Only the few that matter here are believed, and only if they make sense.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hardware.types import PS_PER_S
from streams.text import clean_text

__all__ = ["UNREADABLE_CARDS", "SpcSettings", "read_settings"]

LONGEST_BYTES = 1 << 20
ADC_CHANNELS = 4096  # of every record, whatever resolution was asked of histograms
_ENDINGS = (".set", ".SET", ".Set")
_PARAMETER = re.compile(rb"#SP \[(SP_\w{1,16}),\w,([^\]\r\n]{0,80})\]")
_MODULE = re.compile(r"module (SPC-[\w-]{2,12}|DPC-\w{2,6})")
_SERIAL = re.compile(r"Ser\.? ?No\.? ?(\w{1,16})")
_TITLE = re.compile(r"Title\s*:([^\r\n]{0,200})")
# Laser pulses per step of the macro clock, by SP_MTCLK; 0 is the card's own clock.
_PULSES_PER_STEP = {1: 1, 2: 2, 3: 4, 4: 8}

UNREADABLE_CARDS = {
    0x21: "SPC-600",
    0x22: "SPC-630",
    0x23: "SPC-700",
    0x24: "SPC-730",
    0x27: "SPC-930",
    0x29: "DPC-230",
    0x8B: "SPC-QC-104",
    0x8C: "SPC-QC-004",
    0x8D: "SPC-QC-106",
    0x8E: "SPC-QC-006",
}
"""Cards, by the code in the head, whose records are none of those we know."""


@dataclass(frozen=True)
class SpcSettings:
    """What a .set file says; None or "" where it does not, or not legibly.

    Attributes:
        card: code of the card.
        module: its name.
        serial: its serial number.
        title: of the measurement.
        bin_ps: width of a TCSPC bin: TAC range / gain / 4096.
        pulses_per_step: laser pulses per step of the macro clock; 0 if that is the card's own.
        collection_s: after which the card stopped by itself; None if it did not.
        parameters: all of them, as text.
    """

    card: int | None = None
    module: str = ""
    serial: str = ""
    title: str = ""
    bin_ps: float | None = None
    pulses_per_step: int | None = None
    collection_s: float | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_settings(spc: Path) -> SpcSettings | None:
    """What the .set file beside a .spc file says; None if there is no such file."""
    beside = next((path for ending in _ENDINGS if (path := spc.with_suffix(ending)).is_file()), None)
    if beside is None or beside == spc:
        return None
    with beside.open("rb") as file:
        content = file.read(LONGEST_BYTES)
    parameters = {
        name.decode("ascii"): clean_text(value.decode("cp1252", "replace"))
        for name, value in _PARAMETER.findall(content)
    }
    identification = content.partition(b"*IDENTIFICATION")[2].partition(b"*END")[0][:4096]
    text = identification.decode("cp1252", "replace")
    return SpcSettings(
        card=int.from_bytes(content[:2], "little") >> 4 & 0xFF if len(content) > 1 else None,
        module=_found(_MODULE, text),
        serial=_found(_SERIAL, text),
        title=_found(_TITLE, text),
        bin_ps=_bin_ps(parameters),
        pulses_per_step=_pulses_per_step(parameters),
        collection_s=_positive(parameters, "SP_COL_T") if parameters.get("SP_STOPT") == "1" else None,
        parameters=parameters,
    )


def _bin_ps(parameters: Mapping[str, str]) -> float | None:
    """From the time per channel, which is written with all its digits, or from range and gain."""
    told, channels = _positive(parameters, "SP_TAC_TC"), _positive(parameters, "SP_ADC_RE")
    window, gain = _positive(parameters, "SP_TAC_R"), _positive(parameters, "SP_TAC_G")
    by_range = window / gain / ADC_CHANNELS if window is not None and gain is not None else None
    by_channel = told * (channels / ADC_CHANNELS) if told is not None and channels is not None else None
    widths = [width for width in (by_channel, by_range) if width is not None]
    if not widths or not 1e-14 <= widths[0] <= 1e-6 or not math.isclose(widths[0], widths[-1], rel_tol=1e-3):
        return None
    return widths[0] * PS_PER_S


def _pulses_per_step(parameters: Mapping[str, str]) -> int | None:
    clock = parameters.get("SP_MTCLK", "")
    return 0 if clock == "0" else _PULSES_PER_STEP.get(int(clock)) if clock.isdecimal() else None


def _positive(parameters: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(parameters.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return clean_text(match[1]) if match else ""
