"""Time zero and shape of each detector's response: from a table, histograms or scattered light."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from qdmon.analysis.bins import count_nanotimes
from qdmon.analysis.decays.response import Response
from streams.formats import Choices, FormatError, holds_histograms, open_recording, read_histograms
from streams.messages import PhotonBatch

__all__ = ["IrfError", "MeasuredResponse", "read_responses"]

# The response is taken this far around its peak; what lies beyond is background.
REACH_NS = 1.5
# A detector's tail is followed this far; cells are an eighth of the width at the peak, wider in the tail.
TAIL_NS = 4.0
CELLS_PER_WIDTH, PEAK_WIDTHS, TAIL_CELL_NS = 8, 2.0, 0.1


class IrfError(ValueError):
    """An instrument response cannot be used; one line that says why."""


class MeasuredResponse(NamedTuple):
    """The response of a detector.

    Attributes:
        t0_ps: its centroid on the TCSPC axis.
        shape: counted from there.
    """

    t0_ps: float
    shape: Response


def read_responses(path: Path, acquisition: Acquisition) -> dict[int, MeasuredResponse]:
    """The response of each channel.

    A `.csv` table has a first column `time_ns` and one column per detector named by its channel number,
    or a single one named `counts` that holds for all. A PicoQuant histogram file (.phu) with one curve that
    holds counts serves all detectors; of several, each serves the detector of its number. Anything else
    must be a photon recording of scattered laser light made with the same wiring.

    Raises:
        IrfError: the file cannot be read or shows no peak.
    """
    if path.suffix.lower() == ".csv":
        curves = _from_table(path, acquisition)
    elif holds_histograms(path):
        curves = _from_histograms(path, acquisition)
    else:
        curves = _from_photons(path, acquisition)
    each = {c: _response(*curve) for c, curve in curves.items() if c in acquisition.channels}
    found = {c: response for c, response in each.items() if response is not None}
    if not found:
        raise IrfError(f"{path}: no response peak for channels {', '.join(map(str, acquisition.channels))}")
    return found


def _from_table(
    path: Path, acquisition: Acquisition
) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    try:
        # Spreadsheets put a byte order mark in front.
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IrfError(f"{path}: cannot be read as a table of a response ({error})") from None
    names = [cell.strip() for cell in lines[0]] if lines else []
    if len(names) < 2 or names[0] != "time_ns":
        raise IrfError(f"{path}: the first line must be time_ns,counts or time_ns and channel numbers")
    rows = [_row(path, number, line, len(names)) for number, line in enumerate(lines[1:], 2) if line]
    table = np.array(rows, np.float64).reshape(len(rows), len(names))
    if (np.diff(table[:, 0]) <= 0).any():
        raise IrfError(f"{path}: time_ns must rise from row to row")
    if names[1] == "counts":
        return dict.fromkeys(acquisition.channels, (table[:, 0], table[:, 1]))
    if not all(name.isdigit() for name in names[1:]):
        raise IrfError(f"{path}: columns after time_ns must be channel numbers")
    return {int(name): (table[:, 0], table[:, i + 1]) for i, name in enumerate(names[1:])}


def _row(path: Path, number: int, line: list[str], columns: int) -> list[float]:
    try:
        row = [float(cell) for cell in line]
    except ValueError:
        row = []
    if len(row) != columns or not np.isfinite(row).all() or min(row[1:]) < 0:
        raise IrfError(f"{path}:{number}: needs a time and {columns - 1} counts, all finite and not negative")
    return row


def _from_histograms(
    path: Path, acquisition: Acquisition
) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    try:
        filled = {curve.index: curve for curve in read_histograms(path) if curve.counts.any()}
    except FormatError as error:
        raise IrfError(str(error)) from None
    each = {
        index: (
            (np.arange(len(curve.counts), dtype=np.float64) + 0.5) * curve.resolution_ps / 1e3,
            curve.counts.astype(np.float64),
        )
        for index, curve in filled.items()
    }
    return dict.fromkeys(acquisition.channels, *each.values()) if len(each) == 1 else each


def _from_photons(
    path: Path, acquisition: Acquisition
) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    try:
        recording = open_recording(path)
        if recording.acquisition.resolution_ps is None and recording.assumed:
            # It does not say the pulse rate: that of the recording it is for.
            recording = open_recording(path, Choices(pulse_rate_hz=acquisition.pulse_rate_hz))
    except (FormatError, OSError) as error:
        raise IrfError(str(error)) from None
    acq = recording.acquisition
    if acq.resolution_ps is None:
        raise IrfError(f"{path}: a T2 recording has no nanotimes and cannot be a response")
    time_ns = (np.arange(acq.nanotime_bins, dtype=np.float64) + 0.5) * acq.resolution_ps / 1e3
    counts = np.zeros((max(acq.channels, default=0) + 1, acq.nanotime_bins), np.int64)
    for message in recording.messages():
        if isinstance(message, PhotonBatch):
            count_nanotimes(counts, message.photons.nanotime, message.photons.channel)
    return {c: (time_ns, counts[c].astype(np.float64)) for c in acq.channels}


def _response(time_ns: NDArray[np.float64], counts: NDArray[np.float64]) -> MeasuredResponse | None:
    if counts.sum() < 200 or len(counts) < 3:
        return None
    after = time_ns - time_ns[np.argmax(counts)]
    near = np.abs(after) <= REACH_NS
    floor = float(np.median(counts[~near])) if (~near).any() else 0.0
    net = np.clip(counts[near] - floor, 0, None)
    if net.sum() <= 0:
        return None
    centroid_ns = float(np.average(time_ns[near], weights=net))
    step_ns = float(np.median(np.diff(time_ns)))
    width_ns = max(float(net.sum() / net.max()) * step_ns, step_ns)
    edges = _cells(after, step_ns, width_ns)
    total, bins = (np.histogram(after, edges, weights=w)[0] for w in (counts, np.ones(len(counts))))
    share = np.clip(total - floor * bins, 0, None)
    peak_ns = float(time_ns[np.argmax(counts)])
    return MeasuredResponse(centroid_ns * 1e3, Response.from_counts(edges + peak_ns - centroid_ns, share))


def _cells(after_ns: NDArray[np.float64], step_ns: float, width_ns: float) -> NDArray[np.float64]:
    """Edges between samples: fine around the peak, coarse in the tail."""
    edges = np.append(after_ns - step_ns / 2, after_ns[-1] + step_ns / 2)
    edges = edges[(edges >= -REACH_NS - step_ns) & (edges <= TAIL_NS + step_ns)]
    fine = max(width_ns / CELLS_PER_WIDTH, step_ns)
    wanted = np.where(np.abs(edges) < PEAK_WIDTHS * width_ns, fine, max(width_ns / 2, TAIL_CELL_NS))
    index = np.floor(np.cumsum(np.minimum(step_ns / wanted, 1.0)) + 1e-9)
    kept = np.concatenate([[True], np.diff(index) > 0])
    kept[-1] = True
    return np.asarray(edges[kept])
