"""Small files of older instruments and histograms, made byte by byte."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.records import WORD_FORMATS, encoder_for
from hardware.types import Photons, RecordLayout
from streams.formats.ptu_tags import END, TagValue, pack_tag
from tests.streams.formats.files import some_photons

__all__ = [
    "FILES",
    "ht_bytes",
    "photons_of",
    "phu_bytes",
    "pt2_bytes",
    "set_bytes",
    "spc_bytes",
    "spc_header",
    "t3r_bytes",
    "words_of",
]

Words = NDArray[np.uint32]


def _header(
    length: int, texts: Mapping[int, bytes], integers: Mapping[int, int], pad: bytes = b"\0"
) -> bytearray:
    head = bytearray(length)
    widths = {0: 16, 16: 6}
    for at, text in texts.items():
        width = widths.get(at, len(text))
        head[at : at + width] = text.ljust(width, pad)
    for at, value in integers.items():
        struct.pack_into("<i", head, at, value)
    return head


def _changed(integers: Mapping[int, int], changed: Mapping[str, int]) -> dict[int, int]:
    """With `offset_N=value` applied."""
    return {**integers, **{int(name.removeprefix("offset_")): value for name, value in changed.items()}}


def pt2_bytes(words: Words, **changed: int) -> bytes:
    """A .pt2 file: the same header as a .pt3 file, without a pulse rate and a resolution."""
    integers = {332: 32, 340: 1, 348: 2, 364: 60_000, 560: 1234, 712: 60_000, 720: len(words)}
    texts = {0: b"PicoHarp 300", 16: b"2.0", 536: b"PicoHarp 300"}
    return bytes(_header(728, texts, _changed(integers, changed))) + words.astype("<u4").tobytes()


def ht_bytes(
    words: Words,
    version: bytes = b"2.0",
    mode: int = 3,
    inputs: int = 4,
    pad: bytes = b"\0",
    resolution_ps: float = 16.0,
    **changed: int,
) -> bytes:
    """A .ht2 or .ht3 file; `tail_N=value` sets an int32 behind the inputs, `offset_N` one before them."""
    tail_at = 696 + 20 * inputs
    tail = {0: 5_000_000, 4: 2000, 12: 0, 16: len(words)}
    tail |= {int(n.removeprefix("tail_")): v for n, v in changed.items() if n.startswith("tail_")}
    before = {n: v for n, v in changed.items() if n.startswith("offset_")}
    integers = {
        332: 32,
        340: mode,
        560: 77,
        664: inputs,
        680: 1,
        **{tail_at + at: v for at, v in tail.items()},
    }
    texts = {0: b"HydraHarp", 16: version, 22: b"AcqUI", 52: b"07/02/18 23:37:44", 536: b"HydraHarp 400"}
    head = _header(tail_at + 24, texts, _changed(integers, before), pad)
    struct.pack_into("<d", head, 352, resolution_ps)
    return bytes(head) + words.astype("<u4").tobytes()


def t3r_bytes(words: Words, version: bytes = b"5.0", resolution_ns: float = 0.07, **changed: int) -> bytes:
    """A .t3r file; offsets are those of format 5.0, also for 6.0."""
    front, board = (24, 24) if version == b"6.0" else (0, 0)
    front_ints = {312: 32, 316: 1, 328: 2, 344: 2000}
    back_ints = {516: 76, 540: 100, 568: 5_000_000, 576: 2000, 584: len(words), 588: 0}
    given = {int(name.removeprefix("offset_")): value for name, value in changed.items()}
    integers = {
        at + front + (board if at >= 516 else 0): v for at, v in {**front_ints, **back_ints, **given}.items()
    }
    texts = {0: b"TimeHarp 200", 16: version, 28 + front: b"08/09/03 12:51:43", 48 + front: b"a title"}
    head = _header(592 + front + board, texts, integers)
    struct.pack_into("<f", head, 536 + front + board, resolution_ns)
    return bytes(head) + words.astype("<u4").tobytes()


def spc_header(clock_ps: int, flags: int = 0x80) -> bytes:
    """The first word of a .spc file."""
    return (clock_ps // 100 | flags << 24).to_bytes(4, "little")


def spc_bytes(words: Words, clock_ps: int = 13_500) -> bytes:
    """A .spc file."""
    return spc_header(clock_ps) + words.astype("<u4").tobytes()


def set_bytes(card: int = 0x28, **parameters: float | str) -> bytes:
    """A .set file that tells a window of 50 ns at gain 5, and whatever else is given."""
    told: dict[str, float | str] = {
        "SP_TAC_R": 5e-8,
        "SP_TAC_G": 5,
        "SP_TAC_TC": 5e-8 / 5 / 4096,
        "SP_ADC_RE": 4096,
        "SP_MTCLK": 1,
        **parameters,
    }
    lines = "\r\n".join(f"  #SP [{name},F,{value}]" for name, value in told.items())
    text = (
        "*IDENTIFICATION\r\n  ID : SPC Setup Script File\r\n  Title     : a title\r\n"
        "  Contents  : made by system\r\n with module SPC-150 (Ser.No. 3F0022)\r\n*END\r\n\r\n"
        f"*SETUP\r\n  SYS_PARA_BEGIN:\r\n{lines}\r\n  SYS_PARA_END:\r\n*END\r\n"
    )
    return (card << 4).to_bytes(2, "little") + b"\xff\0[\0" + text.encode("latin-1")


def phu_bytes(
    curves: Mapping[int, Sequence[int]], resolution_s: float = 4e-12, **changed: TagValue | type[KeyError]
) -> bytes:
    """A .phu file of curves by index; `Name_0=value` sets tag HistResDscr_Name(0), KeyError drops it."""
    tags: dict[tuple[str, int], TagValue | type[KeyError]] = {
        ("CreatorSW_Name", -1): "someone",
        ("HistoResult_NumberOfCurves", -1): len(curves),
        ("HistoResult_BitsPerBin", -1): 32,
        ("Measurement_Mode", -1): 0,
    }
    for i, (index, counts) in enumerate(curves.items()):
        tags |= {
            ("HistResDscr_CurveIndex", i): index,
            ("HistResDscr_MDescResolution", i): resolution_s,
            ("HistResDscr_HistogramBins", i): len(counts),
            ("HistResDscr_DataOffset", i): 0,
        }
    for name, value in changed.items():
        stem, _, number = name.rpartition("_")
        tags[(f"HistResDscr_{stem}", int(number)) if number.isdigit() else (name, -1)] = value

    def header() -> bytes:
        packed = (pack_tag(n, v, i) for (n, i), v in tags.items() if not isinstance(v, type))
        return b"PQHISTO\0" + b"1.0.00\0\0" + b"".join(packed) + pack_tag(END, None)

    at = len(header())
    for i, counts in enumerate(curves.values()):
        if tags[("HistResDscr_DataOffset", i)] == 0:
            tags[("HistResDscr_DataOffset", i)] = at
        at += 4 * len(counts)
    return header() + b"".join(np.array(c, "<u4").tobytes() for c in curves.values())


def photons_of(layout: RecordLayout) -> Photons:
    """Photons of three detectors that fit a layout."""
    fields = WORD_FORMATS[layout]
    gap = 3000 if fields.nanotime_bits else 10**9
    return some_photons(gap=gap, largest_nanotime=min(fields.largest_nanotime, 3000), channels=3)


def words_of(layout: RecordLayout) -> Words:
    """The same as words."""
    photons = photons_of(layout)
    return encoder_for(layout).feed(photons, int(photons.pulse[-1]) + 1)


_T3, _T2 = words_of(RecordLayout.GENERIC_T3), words_of(RecordLayout.GENERIC_T2)
_V1_T3, _V1_T2 = words_of(RecordLayout.HYDRAHARP_V1_T3), words_of(RecordLayout.HYDRAHARP_V1_T2)
_TH = words_of(RecordLayout.TIMEHARP_200_T3)

FILES: Mapping[str, tuple[RecordLayout, bytes]] = {
    "a.ht3, 2.0": (RecordLayout.GENERIC_T3, ht_bytes(_T3)),
    "a.ht2, 2.0": (RecordLayout.GENERIC_T2, ht_bytes(_T2, mode=2, tail_4=0)),
    "a.ht3, 1.0": (RecordLayout.HYDRAHARP_V1_T3, ht_bytes(_V1_T3, b"1.0")),
    "a.ht2, 1.0": (RecordLayout.HYDRAHARP_V1_T2, ht_bytes(_V1_T2, b"1.0", 2, tail_4=0)),
    "a.ht3 of one input": (RecordLayout.GENERIC_T3, ht_bytes(_T3, inputs=1)),
    "a.ht3 padded with blanks": (RecordLayout.GENERIC_T3, ht_bytes(_T3, pad=b" ")),
    "a.pt2": (RecordLayout.PICOHARP_T2, pt2_bytes(words_of(RecordLayout.PICOHARP_T2))),
    "a.t3r, 5.0": (RecordLayout.TIMEHARP_200_T3, t3r_bytes(_TH)),
    "a.t3r, 6.0": (RecordLayout.TIMEHARP_200_T3, t3r_bytes(_TH, b"6.0")),
}
"""Good files of `photons_of` their layout."""
