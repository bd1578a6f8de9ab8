"""HDF5 read with suspicion: plain groups, plain columns, bounded memory, and nothing outside the file.

The library would follow links into other files, allocate what a header claims and inflate without limit. So
links and external storage are refused, chunks are limited in size, and their bytes are inflated here.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.formats.recording import FormatError
from streams.text import clean_text

__all__ = ["Column", "Hdf5File", "hdf5_file"]

LARGEST_CHUNK_BYTES = 1 << 26
LARGEST_SMALL_ARRAY = 4096  # entries of a list of detectors and the like
LONGEST_TEXT = 1 << 20
MOST_INFLATED = 1100  # gzip never does better
_LIBRARY_ERRORS = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
_GZIP, _SHUFFLE = 1, 2  # registered numbers of the filters that come with the library


@contextmanager
def hdf5_file(path: Path) -> Iterator["Hdf5File"]:
    """The file, open; whatever the library says against it is a `FormatError`."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield Hdf5File(path, file)
    except FormatError:
        raise
    except _LIBRARY_ERRORS as error:
        raise FormatError(
            path, f"is a damaged or foreign HDF5 file ({clean_text(str(error), 120)})"
        ) from None


class Hdf5File:
    """Access by name to groups, columns, numbers and texts of one open file."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file

    def names(self, group: str = "/") -> tuple[str, ...]:
        """What is in a group; empty if there is no such group."""
        import h5py

        found = self._node(group)
        return tuple(found.keys()) if isinstance(found, h5py.Group) else ()

    def column(self, name: str) -> "Column | None":
        """A list of numbers, not read yet; None if there is none of this name.

        Raises:
            FormatError: it is no plain column, or kept in a way that is not read.
        """
        node = self._dataset(name)
        return None if node is None else Column(self._path, name, node)

    def small(self, name: str) -> NDArray[Any]:
        """A short list of numbers; empty if there is none of this name."""
        column = self.column(name)
        if column is None:
            return np.empty(0)
        if len(column) > LARGEST_SMALL_ARRAY:
            raise FormatError(self._path, f"has {len(column)} entries in {name!r}: it is damaged")
        return column.read(0, len(column))

    def number(self, name: str) -> float | None:
        """A single finite number; None if there is none of this name."""
        node = self._dataset(name)
        if node is None or node.dtype.kind not in "iufb" or node.size != 1 or node.external:
            return None
        value = float(np.asarray(node[()]).reshape(-1)[0])
        return value if math.isfinite(value) else None

    def text(self, name: str, limit: int = 200) -> str:
        """A text, cleaned; "" if there is none of this name."""
        node = self._dataset(name)
        if node is None or node.size != 1 or node.external or node.dtype.itemsize > LONGEST_TEXT:
            return ""
        return _text(np.asarray(node[()]).reshape(-1)[0], limit)

    def attribute(self, group: str, name: str) -> object:
        """An attribute: a number, or a cleaned text; None if there is none of this name or it is a list."""
        found = self._node(group)
        if found is None or name not in found.attrs:
            return None
        if found.attrs.get_id(name).get_storage_size() > LONGEST_TEXT:
            return None
        value = np.asarray(found.attrs[name]).reshape(-1)
        if len(value) != 1:
            return None
        return value[0].item() if value.dtype.kind in "iufb" else _text(value[0], 200)

    def _dataset(self, name: str) -> Any:
        import h5py

        node = self._node(name)
        return node if isinstance(node, h5py.Dataset) else None

    def _node(self, name: str) -> Any:
        """A group or data set, reached by hard links only."""
        import h5py

        node = self._file
        for part in name.strip("/").split("/") if name.strip("/") else ():
            if not isinstance(node, h5py.Group) or part not in node.keys():  # noqa: SIM118 - `in` would follow
                return None
            if not isinstance(node.get(part, getlink=True), h5py.HardLink):
                raise FormatError(self._path, f"has a link at {name!r}, which qdmon does not follow")
            node = node[part]
        return node


class Column:
    """One list of numbers in a file.

    Raises:
        FormatError: it is not one-dimensional, not of numbers, outside the file, in huge chunks, or
            compressed otherwise than with gzip.
    """

    def __init__(self, path: Path, name: str, dataset: Any) -> None:
        self._path = path
        self._name = name
        self._dataset = dataset
        self.dtype: np.dtype[Any] = dataset.dtype
        if dataset.ndim != 1 or self.dtype.kind not in "iuf" or self.dtype.itemsize > 8:
            raise FormatError(path, f"has no plain list of numbers in {name!r}")
        if dataset.external or dataset.is_virtual:
            raise FormatError(path, f"keeps {name!r} in another file, which qdmon does not open")
        self._chunk = dataset.chunks[0] if dataset.chunks else 0
        if self._chunk * self.dtype.itemsize > LARGEST_CHUNK_BYTES:
            raise FormatError(path, f"keeps {name!r} in chunks that are too large to read safely")
        self._filters = self._known_filters()
        self._check_length(path.stat().st_size)
        self._kept: tuple[int, NDArray[Any]] | None = None

    def __len__(self) -> int:
        return int(self._dataset.shape[0])

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Entries [start, stop) as they are in the file."""
        if not self._chunk:
            return np.asarray(self._dataset[start:stop])
        parts = []
        for chunk in range(start // self._chunk, -(-stop // self._chunk)):
            first = chunk * self._chunk
            parts.append(self._read_chunk(chunk)[max(start - first, 0) : stop - first])
        return np.concatenate(parts) if parts else np.empty(0, self.dtype)

    def _check_length(self, file_bytes: int) -> None:
        """A header may claim any length: hold it to what so many bytes can inflate to."""
        claimed = len(self) * self.dtype.itemsize
        possible = file_bytes if not self._filters else MOST_INFLATED * file_bytes + LARGEST_CHUNK_BYTES
        if claimed > possible:
            raise FormatError(
                self._path,
                f"claims {len(self)} entries in {self._name!r}, more than it can hold: copy it again",
            )

    def _known_filters(self) -> tuple[int, ...]:
        pipeline = self._dataset.id.get_create_plist()
        filters = [pipeline.get_filter(i) for i in range(pipeline.get_nfilters())]
        numbers = tuple(int(f[0]) for f in filters)
        if numbers not in ((), (_GZIP,), (_SHUFFLE, _GZIP), (_SHUFFLE,)):
            names = ", ".join(clean_text(f[3].decode("latin-1"), 40) or str(f[0]) for f in filters)
            raise FormatError(
                self._path,
                f"keeps {self._name!r} compressed with {names}: rewrite it with gzip (h5repack -f GZIP=4)",
            )
        return numbers

    def _read_chunk(self, chunk: int) -> NDArray[Any]:
        if self._kept is not None and self._kept[0] == chunk:
            return self._kept[1]
        where = (chunk * self._chunk,)
        full = self._chunk * self.dtype.itemsize
        stored = self._dataset.id.get_chunk_info_by_coord(where)
        if stored.byte_offset is None or stored.size > 1.01 * full + 1024:
            raise self._damaged()
        skipped, raw = self._dataset.id.read_direct_chunk(where)
        values = np.frombuffer(self._unpacked(raw, skipped, full), self.dtype)
        self._kept = chunk, values
        return values

    def _unpacked(self, data: bytes, skipped: int, full: int) -> bytes:
        """Undo the filters of a chunk in turn, the last first; bit i of `skipped`: filter i was not used."""
        undo: dict[int, Callable[[bytes], bytes]] = {
            _GZIP: lambda packed: self._inflated(packed, full),
            _SHUFFLE: self._unshuffled,
        }
        for position in reversed(range(len(self._filters))):
            if not skipped >> position & 1:
                data = undo[self._filters[position]](data)
        if len(data) != full:
            raise self._damaged()
        return data

    def _inflated(self, packed: bytes, full: int) -> bytes:
        inflate = zlib.decompressobj()
        try:
            data = inflate.decompress(packed, full + 1)
        except zlib.error:
            raise self._damaged() from None
        if not inflate.eof:
            raise self._damaged()
        return data

    def _unshuffled(self, data: bytes) -> bytes:
        width = self.dtype.itemsize
        if len(data) % width:
            raise self._damaged()
        return np.frombuffer(data, np.uint8).reshape(width, -1).T.tobytes()

    def _damaged(self) -> FormatError:
        return FormatError(self._path, f"has a damaged block in {self._name!r}: copy it again")


def _text(value: object, limit: int) -> str:
    if isinstance(value, bytes):
        value = value.split(b"\0")[0].decode("utf-8", "replace")
    return clean_text(value, limit) if isinstance(value, str) else ""
