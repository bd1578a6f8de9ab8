"""Becker & Hickl .spc files of the FIFO cards (SPC-130, 132, 140, 150, 160, 180, 830): words, no header.

The first word is the macro clock in 0.1 ns (24 bits), flags, and bit 31; nothing else says what the file
is, so it is recognised by its times being in order. How wide the TCSPC bins are is told by the .set file
beside it; without one a bin is taken as 1/4096 of the macro clock, which is a guess and said to be one.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from hardware.types import PS_PER_S, RecordLayout
from streams.formats.choices import NOTHING_SAID, Choices
from streams.formats.recording import FormatError, Recording
from streams.formats.spc_kinds import SpcKind, kind_of
from streams.formats.spc_set import ADC_CHANNELS, UNREADABLE_CARDS, SpcSettings, read_settings
from streams.formats.word_blocks import WORD_BYTES
from streams.formats.word_file import WordFile, open_words

__all__ = ["read", "recognises"]

SNIFFED_BYTES = 1024
PS_PER_CLOCK_UNIT = 100.0
# What most of these cards count by themselves, where no .set file says whether the laser was counted.
OWN_CLOCKS_PS = (25_000.0, 50_000.0)
_SETTINGS = ("SP_TAC_R", "SP_TAC_G", "SP_TAC_OF", "SP_MTCLK", "SP_SYN_FD", "SP_CFD_LL", "SP_CFD_ZC")
_RARE = {
    SpcKind.SPC_600_256: "SPC-600 or 630, 256 channels",
    SpcKind.SPC_600_4096: "SPC-600 or 630, records of 48 bits",
    SpcKind.SPC_QC: "SPC-QC",
}


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a .spc file."""
    return kind_of(head) is not None


def read(path: Path, choices: Choices = NOTHING_SAID) -> Recording:
    """Open a .spc file, with the .set file beside it if there is one.

    Args:
        path: the file.
        choices: what the user says of TCSPC bins and pulse rate goes before the .set file and any guess.

    Raises:
        FormatError: its records are of a kind that is not read.
    """
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    found = read_settings(path)
    settings = found or SpcSettings()
    _check(path, head, settings)
    clock_ps = (int.from_bytes(head[:WORD_BYTES], "little") & 0xFF_FFFF) * PS_PER_CLOCK_UNIT
    bin_ps = choices.resolution_ps or settings.bin_ps
    return open_words(
        WordFile(
            path=path,
            layout=RecordLayout.BECKER_HICKL_T3,
            words_offset=WORD_BYTES,
            words_promised=None,
            macro_tick_ps=clock_ps,
            laser_period_ps=_laser_period_ps(settings, choices, clock_ps),
            resolution_ps=bin_ps or clock_ps / ADC_CHANNELS,
            longest_s=settings.collection_s,
            instrument=settings.module or "Becker & Hickl SPC card",
            serial=settings.serial,
            software="",
            title=settings.title,
            started_unix_ns=0,
            simulated=False,
            settings={n: settings.parameters[n] for n in _SETTINGS if n in settings.parameters},
            header={"MacroClock_ps": clock_ps, **settings.parameters},
            assumed=tuple(_assumed(settings, choices, clock_ps, beside=found is not None)),
        )
    )


def _check(path: Path, head: bytes, settings: SpcSettings) -> None:
    kind = kind_of(head)
    if kind is SpcKind.FIFO_32 and settings.card not in UNREADABLE_CARDS:
        return
    card = UNREADABLE_CARDS.get(settings.card or 0, "") or _RARE.get(kind or SpcKind.FIFO_32, "unknown")
    raise FormatError(
        path,
        f"is a Becker & Hickl file of another card ({card}); qdmon reads those of the SPC-130 to 180 and 830",
    )


def _laser_period_ps(settings: SpcSettings, choices: Choices, clock_ps: float) -> float | None:
    """The laser's period where a step of the macro clock is not a laser pulse; None where it is one.

    Where the card counts its own clock the file does not tell the laser's: its whole window is taken.
    """
    steps = settings.pulses_per_step
    if choices.pulse_rate_hz is not None:
        period_ps = PS_PER_S / choices.pulse_rate_hz
        return None if steps in (None, 1) and math.isclose(period_ps, clock_ps, rel_tol=0.01) else period_ps
    if steps is None:
        return clock_ps if clock_ps in OWN_CLOCKS_PS else None
    if steps == 0:
        return ADC_CHANNELS * (choices.resolution_ps or settings.bin_ps or clock_ps / ADC_CHANNELS)
    return None if steps == 1 else clock_ps / steps


def _assumed(settings: SpcSettings, choices: Choices, clock_ps: float, *, beside: bool) -> Iterator[str]:
    if settings.bin_ps is None and choices.resolution_ps is None:
        why = "the .set file beside it does not say legibly" if beside else "no .set file beside it says"
        yield (
            f"{why} how wide a TCSPC bin is: taken as macro clock / {ADC_CHANNELS} = "
            f"{clock_ps / ADC_CHANNELS:.4g} ps, a guess that scales every lifetime (--resolution-ps)"
        )
    period_ps = _laser_period_ps(settings, choices, clock_ps)
    if period_ps is not None and not settings.pulses_per_step and choices.pulse_rate_hz is None:
        surely = "is" if settings.pulses_per_step == 0 else "is probably"
        yield (
            f"its times count a clock of {clock_ps / 1e3:g} ns that {surely} the card's own, not the laser; "
            f"the laser's period is not told and taken as {period_ps / 1e3:.4g} ns, a guess (--pulse-rate-hz)"
        )
