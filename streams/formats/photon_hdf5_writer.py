"""Writing photons as Photon-HDF5 0.5 that the format's own validator and the usual readers accept.

What the format has no place for (gaps, card markers, the exact end) goes to /user/qdmon, see `user_notes`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hardware.types import PS_PER_S, Acquisition, Loss, Markers, Photons
from streams.formats.hdf5_columns import GrowingColumn
from streams.formats.photon_hdf5 import FORMAT_NAME
from streams.formats.photon_hdf5_fields import FORMAT_URL, FORMAT_VERSION, TITLES
from streams.formats.provenance import Provenance
from streams.formats.user_notes import CAUSES, GROUP, LONGEST_NOTES
from streams.text import clean_text

__all__ = ["PhotonHdf5Writer"]

NO_TEXT = " "  # the specification wants no empty strings
_PLAIN = {"CLASS": "ARRAY", "VERSION": "2.4", "FLAVOR": "python"}  # so that PyTables gives plain values


class PhotonHdf5Writer:
    """Writes one segment, T3 or T2, in bounded memory; a context manager.

    Args:
        path: a file that does not exist yet.
        acquisition: of the segment.
        origin: where the photons come from.

    Raises:
        FileExistsError: there is such a file already.
    """

    def __init__(self, path: Path, acquisition: Acquisition, origin: Provenance) -> None:
        import h5py

        self._acquisition = acquisition
        self._origin = origin
        self._counts = np.zeros(256, np.int64)
        self._stop_pulse = 0
        self._losses: list[Loss] = []
        self._name = path.name
        self._file = h5py.File(path, "x")
        self._begin()

    def __enter__(self) -> "PhotonHdf5Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, photons: Photons, position: int, markers: Markers | None = None) -> None:
        """Write the next photons, and the markers among them.

        Args:
            photons: the next ones.
            position: pulses that have passed.
            markers: of the card.
        """
        self._timestamps.append(photons.pulse)
        self._detectors.append(photons.channel)
        if self._nanotimes is not None:
            self._nanotimes.append(photons.nanotime)
        self._counts += np.bincount(photons.channel, minlength=256)
        if markers is not None:
            self._marker_pulse.append(markers.pulse)
            self._marker_bits.append(markers.bits)
        self._stop_pulse = max(self._stop_pulse, position)

    def lose(self, loss: Loss) -> None:
        """Note a stretch in which photons are missing."""
        self._losses.append(loss)

    def close(self) -> None:
        """Write what is known at the end; may be called twice."""
        if not self._file:
            return
        with self._file:
            for column in self._columns:
                column.flush()
            self._finish()

    def _begin(self) -> None:
        acq = self._acquisition
        root = self._file
        _title(root, "/")
        for name, value in (("format_name", FORMAT_NAME), ("format_version", FORMAT_VERSION)):
            root.attrs[name] = np.bytes_(value)
        root.attrs["format_url"] = np.bytes_(FORMAT_URL)
        for name in ("photon_data", "photon_data/timestamps_specs"):
            _title(root.create_group(name), name)
        data = root["photon_data"]
        self._timestamps = GrowingColumn(data, "timestamps", np.int64)
        self._detectors = GrowingColumn(data, "detectors", np.uint8)
        self._nanotimes = None if acq.resolution_ps is None else GrowingColumn(data, "nanotimes", np.uint16)
        notes = root.create_group(GROUP)
        self._marker_pulse = GrowingColumn(notes, "marker_pulse", np.int64)
        self._marker_bits = GrowingColumn(notes, "marker_bits", np.uint8)
        main = [
            self._timestamps,
            self._detectors,
            *([self._nanotimes] if self._nanotimes is not None else []),
        ]
        for column in main:
            _title(column.dataset, column.dataset.name.strip("/"))
        self._columns = [*main, self._marker_pulse, self._marker_bits]
        self._put("photon_data/timestamps_specs/timestamps_unit", acq.macro_tick_ps / PS_PER_S)

    def _finish(self) -> None:
        acq = self._acquisition
        channels = np.union1d(np.flatnonzero(self._counts), np.array(acq.channels, np.int64)).astype(np.uint8)
        self._put("acquisition_duration", acq.seconds(self._stop_pulse))
        self._put("description", self._origin.title or f"photons of {self._origin.source}")
        self._put("format_name", FORMAT_NAME)
        self._put("format_version", FORMAT_VERSION)
        self._setup(channels)
        if acq.mode == "T3":
            self._timing(channels)
        self._identity()
        self._notes()

    def _setup(self, channels: Any) -> None:
        group = "setup"
        for name, number in (
            ("num_pixels", len(channels)),
            ("num_spots", 1),
            ("num_spectral_ch", 1),
            ("num_polarization_ch", 1),
            ("num_split_ch", 1),
            ("modulated_excitation", 0),
            ("lifetime", int(self._acquisition.mode == "T3")),
        ):
            self._put(f"{group}/{name}", number)
        self._put(f"{group}/excitation_alternated", np.zeros(1, np.uint8))
        self._put(f"{group}/detectors/id", channels)
        self._put(f"{group}/detectors/id_hardware", channels)
        self._put(f"{group}/detectors/counts", self._counts[channels])

    def _timing(self, channels: Any) -> None:
        """What only a pulsed measurement has; whether the laser was pulsed is unknown in T2."""
        acq = self._acquisition
        bin_s, rate_hz = (acq.resolution_ps or 0.0) / PS_PER_S, acq.pulse_rate_hz or 0.0
        specs = "photon_data/nanotimes_specs"
        self._put(f"{specs}/tcspc_unit", bin_s)
        self._put(f"{specs}/tcspc_num_bins", acq.nanotime_bins)
        self._put(f"{specs}/tcspc_range", bin_s * acq.nanotime_bins)
        specs = "photon_data/measurement_specs"
        self._put(f"{specs}/measurement_type", "generic")
        self._put(f"{specs}/laser_repetition_rate", rate_hz)
        self._put(f"{specs}/detectors_specs/spectral_ch1", channels)
        self._put("setup/excitation_cw", np.zeros(1, np.uint8))
        self._put("setup/laser_repetition_rates", np.array([rate_hz]))

    def _identity(self) -> None:
        origin = self._origin
        name, _, version = origin.software.partition(" ")
        self._put("identity/creation_time", _time(origin.made_unix_ns))
        self._put("identity/filename", self._name)
        self._put("identity/software", name)
        self._put("identity/software_version", version or NO_TEXT)
        self._put("identity/format_name", FORMAT_NAME)
        self._put("identity/format_version", FORMAT_VERSION)
        self._put("identity/format_url", FORMAT_URL)
        self._put("provenance/filename", origin.source)
        self._put("provenance/software", origin.recorded_by or NO_TEXT)
        if origin.started_unix_ns:
            self._put("provenance/creation_time", _time(origin.started_unix_ns))

    def _notes(self) -> None:
        acq = self._acquisition
        facts: dict[str, object] = {
            **self._origin.as_dict(),
            "stop_pulse": self._stop_pulse,
            "simulated": acq.simulated,
            "macro_tick_ps": acq.macro_tick_ps,
            "resolution_ps": acq.resolution_ps,
            "laser_period_ps": acq.laser_period_ps,
            "instrument": acq.instrument,
            "serial": acq.serial,
            "settings": dict(acq.settings),
        }
        text = json.dumps(facts)
        if len(text) >= LONGEST_NOTES:
            text = json.dumps({**facts, "settings": {}, "details": {}})
        group = self._file[GROUP]
        group.create_dataset("about", data=np.bytes_(text))
        columns = {
            "gap_first": [loss.first_pulse for loss in self._losses],
            "gap_stop": [loss.stop_pulse for loss in self._losses],
            "gap_cause": [CAUSES.index(loss.cause) for loss in self._losses],
            "gap_lost": [-1 if loss.lost_photons is None else loss.lost_photons for loss in self._losses],
        }
        for name, values in columns.items():
            group.create_dataset(name, data=np.array(values, np.int64))

    def _put(self, name: str, value: Any) -> None:
        """One field, with its groups and titles."""
        parent = self._file
        for depth, part in enumerate(name.split("/")[:-1], 1):
            fresh = part not in parent
            parent = parent.require_group(part)
            if fresh:
                _title(parent, "/".join(name.split("/")[:depth]))
        if isinstance(value, str):
            value = np.bytes_(clean_text(value, 1000).encode("utf-8", "replace") or NO_TEXT.encode())
        node = parent.create_dataset(name.split("/")[-1], data=value)
        if node.shape == ():
            for attribute, said in _PLAIN.items():
                node.attrs[attribute] = np.bytes_(said)
        _title(node, name)


def _title(node: Any, name: str) -> None:
    node.attrs["TITLE"] = np.bytes_(TITLES[name])


def _time(unix_ns: int) -> str:
    return datetime.fromtimestamp(unix_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
