"""Save what is on screen: the picture, and the numbers behind it, into the folder qdmon was started in."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.view.link import LinkState

__all__ = ["save_both", "snapshot_arrays"]

_ATTEMPTS = 100


def snapshot_arrays(snapshot: Snapshot, link: LinkState) -> dict[str, Any]:
    """The plotted arrays by name, units in the names, and "about": where they come from, as JSON text."""
    trace, decay, g2, flid = snapshot.trace, snapshot.decay, snapshot.g2, snapshot.flid
    session = link.session
    about = {
        "session_id": session.session_id if session else None,
        "source": session.source if session else None,
        "title": session.title if session else None,
        "software": session.software if session else None,
        "instrument": snapshot.acquisition.instrument,
        "time_s": snapshot.time_s,
        "blinking": snapshot.window.blinking,
        "background_origin": snapshot.calibration.background_origin,
        "irf_origin": snapshot.calibration.irf_origin,
        "flid_curve": flid.curve,
    }
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(about)),
        "trace_start_s": trace.start_s + trace.bin_s * np.arange(len(trace.counts)),
        "trace_bin_s": trace.bin_s,
        "trace_counts": trace.counts,
        "trace_arrival_ns": trace.arrival_ns,
        "trace_lost": trace.lost,
        "decay_time_ns": decay.time_ns,
        "g2_delay_ns": g2.delay_ns,
        "g2_coincidences": g2.coincidences,
        "flid_lifetime_edges_ns": flid.lifetime_edges_ns,
        "flid_intensity_edges_cps": flid.intensity_edges_cps,
        "flid_density": flid.density,
        "flid_curve_lifetime_ns": flid.curve_lifetime_ns,
        "flid_curve_intensity_cps": flid.curve_intensity_cps,
        "step_start_s": np.array([s.start_s for s in snapshot.fluence_steps]),
        "step_mean_excitation": np.array(
            [np.nan if s.mean_excitation is None else s.mean_excitation for s in snapshot.fluence_steps]
        ),
    }
    arrays |= {f"decay_counts_ch{c}": counts for c, counts in decay.counts.items()}
    return arrays | {f"decay_model_ch{c}": model for c, model in decay.model.items()}


def _write_new(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Create a file that was not there, with a number before its ending if the name is taken."""
    for attempt in range(1, _ATTEMPTS):
        candidate = path if attempt == 1 else path.with_stem(f"{path.stem}-{attempt}")
        try:
            with candidate.open("xb") as file:
                write(file)
        except FileExistsError:
            continue
        return candidate
    raise FileExistsError(f"{path} and {_ATTEMPTS - 1} names after it are taken")


def save_both(
    folder: Path, now: datetime, svg: str, snapshot: Snapshot | None, link: LinkState
) -> tuple[Path, ...]:
    """Write qdmon-DATE-TIME.svg and, if there are data, .npz into `folder`; never over an existing file.

    Raises:
        OSError: the folder cannot be written to.
    """
    stem = folder / f"qdmon-{now:%Y%m%d-%H%M%S}"
    saved = [_write_new(stem.with_suffix(".svg"), lambda file: file.write(svg.encode()))]
    if snapshot is not None:
        arrays = snapshot_arrays(snapshot, link)
        saved.append(_write_new(stem.with_suffix(".npz"), lambda file: np.savez_compressed(file, **arrays)))
    return tuple(saved)
