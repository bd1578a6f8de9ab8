"""Columns with units in their names, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """One derived quantity, ready to be written.

    Attributes:
        name: "trace", "levels", "flid" or "g2".
        columns: name with unit -> (n,) numbers or texts, all of one length; NaN is unknown.
        facts: provenance, settings and calibration, as JSON can hold them.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    facts: Mapping[str, object]

    def __post_init__(self) -> None:
        if len({len(column) for column in self.columns.values()}) > 1:
            raise ValueError(f"columns of different length in the table {self.name}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))
