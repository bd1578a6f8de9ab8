"""Small HDF5 files in the layouts of other programs, made field by field."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hardware.types import Photons

__all__ = ["LASER_HZ", "UNIT_S", "full_sms_file", "photon_hdf5_file"]

UNIT_S = 2e-7
LASER_HZ = 5e6


def photon_hdf5_file(path: Path, photons: Photons, **changed: Any) -> Path:
    """A Photon-HDF5 file; a field (path with __ for /) set to None is left out."""
    fields: dict[str, Any] = {
        "acquisition_duration": 1.0,
        "description": np.bytes_("a dot"),
        "photon_data__timestamps": photons.pulse.astype(np.int64),
        "photon_data__detectors": photons.channel,
        "photon_data__nanotimes": photons.nanotime,
        "photon_data__timestamps_specs__timestamps_unit": UNIT_S,
        "photon_data__nanotimes_specs__tcspc_unit": 64e-12,
        "photon_data__measurement_specs__laser_repetition_rate": LASER_HZ,
        "identity__software": np.bytes_("someone"),
        "provenance__filename": np.bytes_("x.ptu"),
        **changed,
    }
    with h5py.File(path, "w") as file:
        file.attrs["format_name"] = np.bytes_("Photon-HDF5")
        for name, value in fields.items():
            if value is not None:
                file[name.replace("__", "/")] = value
    return path


def full_sms_file(path: Path, particles: int = 1, *, seconds: bool = False, second: bool = False) -> Path:
    """A Full SMS file of photons at 1000, 2000, ... ns with micro times of 0, 1, 2, ... steps of 16 ps."""
    micro = np.arange(100) * 0.016
    absolute = np.arange(1, 101, dtype=np.uint64) * 1000
    with h5py.File(path, "w") as file:
        file.attrs["# Particles"] = particles
        for number in range(1, particles + 1):
            group = file.create_group(f"Particle {number}")
            group.attrs["Discription" if seconds else "Description"] = f"dot {number}\x1b[31m"
            group.attrs["Date"] = "10 July 2018 05:21 PM"
            group["Absolute Times (ns)"] = absolute
            if seconds:
                group["Micro Times (s)"] = micro * 1e-9
            else:
                group["Micro Times (ns)"] = micro
            if second:
                group["Absolute Times 2 (ns)"] = absolute + 500
                group["Micro Times 2 (ns)"] = micro
    return path
