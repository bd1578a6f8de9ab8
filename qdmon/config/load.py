"""Reads a configuration file; every problem becomes one line that names file, key and remedy."""

import difflib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from qdmon.config.model import Config

__all__ = ["ConfigError", "load_config", "parse_config"]

_EXPECTED = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_pattern_mismatch": "must be 1 to 32 letters, digits, - or _",
}


class ConfigError(Exception):
    """The configuration cannot be used; one line per problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_config(path: Path) -> Config:
    """The validated configuration in a TOML file; raises ConfigError, or OSError if it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text (byte {error.start}); is this a TOML file?"]) from error
    return parse_config(text, str(path))


def parse_config(text: str, source: str) -> Config:
    """The validated configuration in a TOML text; `source` names it in messages. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{source}: not valid TOML: {error}"]) from error
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError([f"{source}: {line}" for line in _problems(error)]) from error


def _problems(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_context=True):
        key = ".".join(str(part) for part in detail["loc"])
        yield f"{key}: {_explain(detail)}"


def _explain(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(detail["loc"])
    if detail["type"] == "literal_error":
        expected = f"must be {detail['ctx']['expected']}"
    else:
        expected = _EXPECTED.get(detail["type"], detail["msg"])
    return f"{expected} (found {_shorten(detail['input'])})"


def _unknown_key(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = Config
    for part in location[:-1]:
        model = type(getattr(model(), str(part)))
    near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return "unknown key; " + (
        f"did you mean {near[0]}?" if near else f"known: {', '.join(model.model_fields)}"
    )


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
