"""What a header may hold: pydantic models derived from the message dataclasses, one rule per type.

On the wire every integer is in [0, 2^63), every float finite and not negative, every text cleaned and
capped, every map bounded; unknown, missing and repeated fields are refused. `streams.messages` stays the
only list of fields.
"""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
)
from pydantic import Strict as StrictFlag

from hardware.types import Photons
from streams.text import clean_text

__all__ = ["MAX_ENTRIES", "MAX_TEXT", "arrays_of", "fields_of", "json_schema", "parse", "plain"]

MAX_TEXT = 4000  # characters of one text
MAX_ENTRIES = 4096  # of one map or list

_T = TypeVar("_T")
_CONFIG = ConfigDict(strict=True, extra="forbid")

_Natural = Annotated[int, Field(ge=0, lt=1 << 63)]
_Real = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Text = Annotated[str, AfterValidator(lambda text: clean_text(text, limit=MAX_TEXT))]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

# Where a field's meaning is narrower than its type.
_BY_NAME: dict[str, Any] = {
    "session_id": _HexId,
    "sid": _HexId,
    "order_id": _HexId,
    "macro_tick_ps": _Positive,
    "resolution_ps": _Positive | None,
    "laser_period_ps": _Positive | None,
    "nanotime_bins": Annotated[int, Field(ge=0, le=1 << 16)],
    "channels": Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(max_length=256)],
}


@functools.cache
def arrays_of(kind: type) -> tuple[str, ...]:
    """Names of the fields of a message that travel as columns, not in the header."""
    hints = typing.get_type_hints(kind)
    return tuple(
        f.name
        for f in dataclasses.fields(kind)
        if hints[f.name] is Photons or typing.get_origin(hints[f.name]) is np.ndarray
    )


def _rule(hint: Any) -> Any:
    """The strict wire type of a type hint."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    simple = {int: _Natural, float: _Real, str: _Text, bool: bool, type(None): None}
    if hint in simple:
        return simple[hint]
    if origin is typing.Literal:
        return hint
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_rule(a) for a in args)]  # noqa: UP007 - built at run time
    if origin is tuple:
        return Annotated[tuple[_rule(args[0]), ...], Field(max_length=MAX_ENTRIES)]  # type: ignore[misc]
    if origin is Mapping:
        return Annotated[dict[_rule(args[0]), _rule(args[1])], Field(max_length=MAX_ENTRIES)]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Annotated[hint, StrictFlag(False)]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return Annotated[_model(hint), AfterValidator(lambda model: hint(**dict(model)))]
    raise TypeError(f"no wire form for {hint!r}")


@functools.cache
def _model(kind: type) -> type[BaseModel]:
    hints = typing.get_type_hints(kind)
    columns = arrays_of(kind)
    rules: dict[str, Any] = {
        f.name: (_BY_NAME.get(f.name) or _rule(hints[f.name]), ...)
        for f in dataclasses.fields(kind)
        if f.name not in columns
    }
    if columns:
        rules["n"] = (_Natural, ...)
        rules["codec"] = (_Text, ...)
    return create_model(kind.__name__, __config__=_CONFIG, **rules)


def fields_of(kind: type) -> tuple[str, ...]:
    """Names of the fields of `kind` as its header carries them."""
    return tuple(_model(kind).model_fields)


def json_schema(kind: type) -> dict[str, Any]:
    """The same rules in the JSON Schema language, for readers of recordings."""
    return _model(kind).model_json_schema()


def parse(kind: type, body: object) -> dict[str, Any]:
    """The checked fields of `kind` in a decoded header; with `n` and `codec` where it has columns.

    Raises:
        ValueError: one line, naming the first field that is wrong.
    """
    try:
        return dict(_model(kind).model_validate(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ValueError(f"{kind.__name__}: {clean_text(where, limit=100)}: {first['msg']}") from None


def plain(value: object) -> Any:
    """A message as maps, tuples and plain values, its columns left out: what msgpack can pack."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        columns = arrays_of(type(value))
        return {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in columns
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    return value
