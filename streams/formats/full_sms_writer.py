"""Writing photons as a Full SMS file (layout 1.08): one particle, times in nanoseconds, two detectors.

Absolute times are whole nanoseconds there, so pulses are rounded, and the laser's period is not kept.
"""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hardware.types import Acquisition, Markers, Photons
from streams.formats.full_sms import COUNT_ATTRIBUTE
from streams.formats.hdf5_columns import GrowingColumn
from streams.formats.provenance import Provenance
from streams.text import clean_text

__all__ = ["FullSmsWriter"]

VERSION = "1.08"
PS_PER_NS = 1000.0
_SUFFIXES = ("", " 2")


class FullSmsWriter:
    """Writes one T3 segment of one or two detectors in bounded memory; a context manager.

    Args:
        path: a file that does not exist yet.
        acquisition: of the segment.
        origin: where the photons come from.

    Raises:
        ValueError: there are no nanotimes, or more than two detectors.
        FileExistsError: there is such a file already.
    """

    def __init__(self, path: Path, acquisition: Acquisition, origin: Provenance) -> None:
        import h5py

        if acquisition.resolution_ps is None:
            raise ValueError("Full SMS files need nanotimes, which a T2 recording has not")
        if not 1 <= len(acquisition.channels) <= len(_SUFFIXES):
            raise ValueError(f"Full SMS files hold one or two detectors, not {len(acquisition.channels)}")
        self._tick_ns = acquisition.macro_tick_ps / PS_PER_NS
        self._bin_ns = acquisition.resolution_ps / PS_PER_NS
        self._file = h5py.File(path, "x")
        self._file.attrs[COUNT_ATTRIBUTE] = np.int32(1)
        self._file.attrs["Version"] = VERSION
        self._file.attrs["Written by"] = clean_text(origin.software)
        particle = self._file.create_group("Particle 1")
        for name, value in _attributes(origin).items():
            particle.attrs[name] = value
        self._columns = {
            channel: (
                GrowingColumn(particle, f"Absolute Times{suffix} (ns)", np.uint64),
                GrowingColumn(particle, f"Micro Times{suffix} (ns)", np.float64),
            )
            for channel, suffix in zip(acquisition.channels, _SUFFIXES, strict=False)
        }
        for channel, (absolute, _) in self._columns.items():
            absolute.dataset.attrs["bh Card"] = clean_text(f"{acquisition.instrument} channel {channel}")

    def __enter__(self) -> "FullSmsWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, photons: Photons, position: int, markers: Markers | None = None) -> None:
        """Write the next photons; darkness and markers have no place.

        Raises:
            ValueError: a photon is of a detector that the acquisition does not name.
        """
        del position, markers
        known = np.isin(photons.channel, list(self._columns))
        if not known.all():
            raise ValueError(f"photons of channel {int(photons.channel[~known][0])}, which was not announced")
        for channel, (absolute, micro) in self._columns.items():
            own = photons.channel == channel
            absolute.append(np.round(photons.pulse[own] * self._tick_ns).astype(np.uint64))
            micro.append(photons.nanotime[own] * self._bin_ns)

    def close(self) -> None:
        """Write what is held; may be called twice."""
        if not self._file:
            return
        with self._file:
            for pair in self._columns.values():
                for column in pair:
                    column.flush()


def _attributes(origin: Provenance) -> dict[str, Any]:
    moment = datetime.fromtimestamp((origin.started_unix_ns or origin.made_unix_ns) // 10**9, UTC)
    return {
        "Date": moment.strftime("%A, %B %d, %Y %I:%M %p"),
        "Description": clean_text(origin.title or f"photons of {origin.source}"),
        "User": "",
        "Source": clean_text(origin.source),
        "Source SHA-256": origin.source_sha256,
        "Has Power Measurement?": False,
        "Intensity?": np.int32(1),
        "Spectra?": np.int32(0),
        "RS Coord. (um)": np.zeros(2),
    }
