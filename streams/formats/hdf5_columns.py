"""HDF5 columns that grow as photons come, compressed with gzip, which every reader has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GrowingColumn"]

CHUNK = 65_536
GZIP_LEVEL = 4


class GrowingColumn:
    """One column, held in memory up to a chunk at a time.

    Args:
        group: of h5py, in which the column is created.
        name: of the column.
        dtype: of its numbers.
    """

    def __init__(self, group: Any, name: str, dtype: Any) -> None:
        self.dataset = group.create_dataset(
            name, (0,), dtype, maxshape=(None,), chunks=(CHUNK,), compression=GZIP_LEVEL, shuffle=True
        )
        self._held: list[NDArray[Any]] = []
        self._count = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add numbers, which are written once a chunk is full."""
        self._held.append(values.astype(self.dataset.dtype))  # a copy: the caller's array may change
        self._count += len(values)
        if self._count >= CHUNK:
            whole = np.concatenate(self._held)
            full = len(whole) // CHUNK * CHUNK
            self._write(whole[:full])
            self._held, self._count = [whole[full:]], len(whole) - full

    def flush(self) -> None:
        """Write what is held; nothing may be appended afterwards."""
        if self._count:
            self._write(np.concatenate(self._held))
        self._held, self._count = [], 0

    def _write(self, values: NDArray[Any]) -> None:
        start = self.dataset.shape[0]
        self.dataset.resize((start + len(values),))
        self.dataset[start:] = values
