"""The tables an analysis holds: intensity trace, levels, FLID, g2; one row per bin, level, cell or delay.

Rows of several fluence segments are told apart by the column `segment`, which counts from 0, and
`mean_excitation`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.levels.flid import flid_map
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.snapshot import Snapshot
from qdmon.export.analysis import Analysed
from qdmon.export.table import Table

__all__ = ["WHAT", "derived"]

WHOLE = -1  # segment number of what holds for the whole recording

_Columns = dict[str, NDArray[Any]]


def derived(found: Analysed, what: str, facts: Mapping[str, object]) -> Table:
    """One table of a recording.

    Args:
        found: its analysis.
        what: one of `WHAT`.
        facts: what to say of its origin.

    Raises:
        KeyError: there is no such table.
    """
    return Table(what, _MAKERS[what](found), facts)


def _trace(found: Analysed) -> _Columns:
    snapshot = found.snapshot
    trace = snapshot.trace
    start_s = trace.start_s + trace.bin_s * np.arange(len(trace.counts))
    return {
        "time_s": start_s,
        "bin_s": np.full(len(start_s), trace.bin_s),
        "photons": trace.counts.astype(np.int64),
        "rate_cps": trace.counts / trace.bin_s,
        "lifetime_ns": trace.arrival_ns.astype(np.float64),
        "mean_excitation": _excitation(snapshot, start_s),
        "photons_missing": trace.lost.astype(np.int64),
    }


def _excitation(snapshot: Snapshot, time_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    values = np.full(len(time_s), np.nan)
    for step in snapshot.fluence_steps:
        values[time_s >= step.start_s] = np.nan if step.mean_excitation is None else step.mean_excitation
    return values


def _levels(found: Analysed) -> _Columns:
    rows = [
        (i, segment, level)
        for i, (segment, levels) in enumerate(zip(found.snapshot.segments, found.levels, strict=True))
        for level in levels
    ]
    return {
        "segment": np.array([i for i, _, _ in rows], np.int64),
        "mean_excitation": _floats(segment.mean_excitation for _, segment, _ in rows),
        "start_s": _floats(level.start_s for _, _, level in rows),
        "stop_s": _floats(level.stop_s for _, _, level in rows),
        "rate_cps": _floats(level.rate_cps.value for _, _, level in rows),
        "rate_error_cps": _floats(level.rate_cps.error for _, _, level in rows),
        "lifetime_ns": _floats(level.lifetime_ns.value for _, _, level in rows),
        "lifetime_error_ns": _floats(level.lifetime_ns.error for _, _, level in rows),
        "still_open": np.array([level.provisional for _, _, level in rows], np.int64),
    }


def _flid(found: Analysed) -> _Columns:
    snapshot = found.snapshot
    parts = [_flid_of(snapshot, number, segment) for number, segment in enumerate(snapshot.segments)]
    return _stacked(parts, _FLID_COLUMNS)


_FLID_COLUMNS = (
    "segment",
    "mean_excitation",
    "lifetime_from_ns",
    "lifetime_to_ns",
    "rate_from_cps",
    "rate_to_cps",
    "trace_bins",
)


def _flid_of(snapshot: Snapshot, number: int, segment: SegmentResult) -> _Columns:
    """Every cell of the map of one segment; of its trace bins those without losses."""
    trace = snapshot.trace
    start_s = trace.start_s + trace.bin_s * np.arange(len(trace.counts))
    used = (start_s >= segment.start_s) & (start_s + trace.bin_s <= segment.stop_s) & ~trace.lost
    counts = trace.counts[used].astype(np.float64)
    rate = counts / trace.bin_s - sum(snapshot.calibration.background_cps.values())
    found = flid_map(rate, trace.arrival_ns[used].astype(np.float64), counts, segment.call)
    if not found.density.size:
        return {name: np.empty(0) for name in _FLID_COLUMNS}
    tau, level = found.lifetime_edges_ns, found.intensity_edges_cps
    rows, columns = found.density.shape
    n = rows * columns
    values = (
        np.full(n, number),
        np.full(n, np.nan if segment.mean_excitation is None else segment.mean_excitation),
        np.tile(tau[:-1], rows),
        np.tile(tau[1:], rows),
        np.repeat(level[:-1], columns),
        np.repeat(level[1:], columns),
        found.density.reshape(-1).astype(np.float64),
    )
    return dict(zip(_FLID_COLUMNS, values, strict=True))


def _g2(found: Analysed) -> _Columns:
    snapshot = found.snapshot
    parts = [_g2_of(WHOLE, None, snapshot.g2)]
    parts += [_g2_of(i, s.mean_excitation, s.g2) for i, s in enumerate(snapshot.segments)]
    return _stacked(parts, _G2_COLUMNS)


_G2_COLUMNS = ("segment", "mean_excitation", "delay_ns", "coincidences")


def _g2_of(number: int, mean_excitation: float | None, g2: G2) -> _Columns:
    n = len(g2.delay_ns)
    values = (
        np.full(n, number),
        np.full(n, np.nan if mean_excitation is None else mean_excitation),
        g2.delay_ns,
        g2.coincidences,
    )
    return dict(zip(_G2_COLUMNS, values, strict=True))


def _stacked(parts: list[_Columns], names: tuple[str, ...]) -> _Columns:
    return {name: np.concatenate([part[name] for part in parts] or [np.empty(0)]) for name in names}


def _floats(values: Any) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


_MAKERS: Mapping[str, Callable[[Analysed], _Columns]] = {
    "trace": _trace,
    "levels": _levels,
    "flid": _flid,
    "g2": _g2,
}
WHAT = tuple(_MAKERS)
