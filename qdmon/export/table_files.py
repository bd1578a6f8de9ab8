"""Tables as CSV, NPZ and Parquet, each with its provenance inside.

CSV: comment lines `# name: JSON` before the header. NPZ: an array `about` with a JSON text. Parquet: the key
`qdmon` of the schema's metadata. A text that a spreadsheet would take for a formula is quoted with '.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qdmon.export.table import Table
from streams.text import clean_text

__all__ = ["TABLE_ENDINGS", "MissingExtraError", "write_table"]

PARQUET_ROWS = 65_536
LONGEST_CELL = 1000
_FORMULA = ("=", "+", "-", "@")


class MissingExtraError(Exception):
    """A format needs a package that is not installed; one line that says which."""


def write_table(path: Path, ending: str, table: Table) -> None:
    """Write a table into a file that does not exist yet.

    Args:
        path: the file.
        ending: one of `TABLE_ENDINGS`, which decides the format.
        table: what to write.

    Raises:
        MissingExtraError: the format needs a package that is not there.
    """
    _WRITERS[ending](path, table)


def _write_csv(path: Path, table: Table) -> None:
    with path.open("x", newline="", encoding="utf-8") as file:
        file.write(f"# table: {json.dumps(table.name)}\n")
        for name, value in table.facts.items():
            file.write(f"# {name}: {json.dumps(value)}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([_cell(name) for name in table.columns])
        writer.writerows(_rows(table))


def _rows(table: Table) -> Iterator[list[str]]:
    columns = [column.tolist() for column in table.columns.values()]
    for row in zip(*columns, strict=True):
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    """Numbers in full, unknown ones empty; texts that no spreadsheet takes for a formula."""
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(value)
    if isinstance(value, str):
        text = clean_text(value, LONGEST_CELL)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return str(value)


def _write_npz(path: Path, table: Table) -> None:
    about = json.dumps({"table": table.name, **table.facts})
    columns: dict[str, Any] = {**table.columns, "about": np.array(about)}
    with path.open("xb") as file:
        np.savez_compressed(file, **columns)


def _write_parquet(path: Path, table: Table) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Parquet needs a package: pip install 'qdmon[parquet]'") from None
    about = json.dumps({"table": table.name, **table.facts})
    arrays = {name: pa.array(column, from_pandas=True) for name, column in table.columns.items()}
    arrow = pa.table(arrays).replace_schema_metadata({"qdmon": about})
    with path.open("xb") as file:
        pq.write_table(arrow, file, compression="zstd", row_group_size=PARQUET_ROWS)


_WRITERS: Mapping[str, Callable[[Path, Table], None]] = {
    ".csv": _write_csv,
    ".npz": _write_npz,
    ".parquet": _write_parquet,
}
TABLE_ENDINGS = tuple(_WRITERS)
