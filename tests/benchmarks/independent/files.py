"""A case as files: photons, fluence table, truth."""

import json
from dataclasses import asdict
from pathlib import Path as FilePath

import numpy as np

from hardware.types import Photons
from streams.formats.ptu_writer import write_ptu
from tests.benchmarks.independent.detection import acquisition_of, detect
from tests.benchmarks.independent.dot import Case
from tests.benchmarks.independent.light import emit
from tests.benchmarks.independent.path import Path, lay_out
from tests.benchmarks.independent.truth import realised

__all__ = ["simulate", "write"]


def simulate(case: Case) -> tuple[Path, Photons]:
    """Path and photons of a case; its seed decides everything."""
    path = lay_out(case, np.random.default_rng([case.seed, 2]))
    emission = emit(case, path, np.random.default_rng([case.seed, 3]))
    return path, detect(case, path, emission, np.random.default_rng([case.seed, 4]))


def write(case: Case, path: Path, photons: Photons, folder: FilePath) -> tuple[FilePath, FilePath | None]:
    """Write dot.ptu, its fluence table (if the analysis is told) and truth; returns the first two."""
    acq = acquisition_of(case.setup)
    stem = f"dot{case.seed:06d}"
    file = folder / f"{stem}.ptu"
    write_ptu(file, acq, [(photons, acq.pulses(float(path.edges[-1])))])
    table = folder / f"{stem}.fluence.csv"
    table.write_text("time_s,mean_excitation\n" + "".join(f"{t:g},{n:.4f}\n" for t, n in case.steps))
    ends = [*(t for t, _ in case.steps[1:]), float(path.edges[-1])]
    spans = [realised(path, t, end) for (t, _), end in zip(case.steps, ends, strict=True)]
    truth = {"case": asdict(case), "steps": [s and asdict(s) for s in spans]}
    (folder / f"{stem}.truth.json").write_text(json.dumps(truth, default=sorted))
    return file, table if case.setup.stated else None
