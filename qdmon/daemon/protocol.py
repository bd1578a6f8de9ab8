"""Fluence protocols: which mean excitation <N> for how long, from a preset, a file, or a word.

The presets are the experiments of the paper: a weak, a strong and again a weak step of 25 s each, so that
both the conversion and its way back can be seen.
"""

import math
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

__all__ = ["PRESETS", "FluenceProtocol", "ProtocolError", "Step", "load_protocol", "protocol_for_preset"]

MAX_MEAN_EXCITATION = 100.0
MAX_DURATION_S = 7 * 86_400.0
MAX_STEPS = 10_000
MAX_FILE_BYTES = 1_000_000
MAX_NAME_LENGTH = 64
CONSTANT = "constant:"

_STEP_KEYS = ("mean_excitation", "duration_s")
_FILE_KEYS = ("name", "step")


class ProtocolError(ValueError):
    """A fluence protocol cannot be used; one line that names the file and the key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fluence for one while.

    Attributes:
        mean_excitation: <N>, mean number of excitons made by a pulse; 0 is dark.
        duration_s: positive.

    Raises:
        ProtocolError: a number is not finite or out of bounds.
    """

    mean_excitation: float
    duration_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.mean_excitation <= MAX_MEAN_EXCITATION:
            raise ProtocolError(
                f"mean_excitation must be 0 to {MAX_MEAN_EXCITATION:g}, not {self.mean_excitation:g}"
            )
        if not 0 < self.duration_s <= MAX_DURATION_S:
            raise ProtocolError(
                f"duration_s must be above 0 and at most {MAX_DURATION_S:g} (a week), not {self.duration_s:g}"
            )


@dataclass(frozen=True, slots=True)
class FluenceProtocol:
    """Steps of fluence, one after the other.

    Attributes:
        name: how screens and recordings call it.
        steps: at least one.

    Raises:
        ProtocolError: no steps, or too many.
    """

    name: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ProtocolError("a protocol needs at least one step")
        if len(self.steps) > MAX_STEPS:
            raise ProtocolError(f"a protocol has at most {MAX_STEPS} steps, not {len(self.steps)}")

    @classmethod
    def constant(cls, mean_excitation: float, duration_s: float = MAX_DURATION_S) -> "FluenceProtocol":
        """One fluence throughout; without a duration for as long as a protocol may last."""
        return cls(f"{CONSTANT}{mean_excitation:g}", (Step(mean_excitation, duration_s),))

    @property
    def total_s(self) -> float:
        """Duration of all steps together, in s."""
        return math.fsum(step.duration_s for step in self.steps)

    @property
    def starts_s(self) -> tuple[float, ...]:
        """When each step begins, in s after the start; the first is 0."""
        return (0.0, *accumulate(step.duration_s for step in self.steps[:-1]))

    def step_at(self, t_s: float) -> Step | None:
        """The step that holds at a time in s after the start; None before the first and after the last."""
        if not 0 <= t_s < self.total_s:
            return None
        return self.steps[bisect_right(self.starts_s, t_s) - 1]


def _there_and_back(name: str, weak: float, strong: float) -> FluenceProtocol:
    return FluenceProtocol(name, (Step(weak, 25.0), Step(strong, 25.0), Step(weak, 25.0)))


PRESETS: Mapping[str, FluenceProtocol] = {
    protocol.name: protocol
    for protocol in (
        _there_and_back("paper-cdse", 0.2, 1.4),
        _there_and_back("paper-perovskite", 0.1, 1.0),
        _there_and_back("paper-large-perovskite", 0.1, 2.5),
    )
}


def protocol_for_preset(sim_preset: str) -> str:
    """Name of the protocol that the paper ran on a sample; `sim_preset` names a simulated dot.

    Raises:
        ProtocolError: the paper has no such sample.
    """
    if sim_preset.startswith("cdse-"):
        return "paper-cdse"
    if sim_preset.startswith(("mapbbr3", "cspb")):
        return "paper-large-perovskite" if sim_preset.endswith("-large") else "paper-perovskite"
    raise ProtocolError(f"no fluence protocol is known for {sim_preset!r}: name one of {', '.join(PRESETS)}")


def load_protocol(name_or_path: str | Path) -> FluenceProtocol:
    """A preset by its name, `constant:N` for one <N> throughout, or a TOML file of [[step]] tables.

    A file holds an optional `name` and, for each step, `mean_excitation` and `duration_s`.

    Raises:
        ProtocolError: there is no such thing, or it makes no sense; one line.
    """
    text = str(name_or_path)
    if text in PRESETS:
        return PRESETS[text]
    if text.startswith(CONSTANT):
        return _constant(text)
    path = Path(text)
    source = ascii(text)[1:-1] if not text.isprintable() else text
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        known = ", ".join((*PRESETS, f"{CONSTANT}N"))
        raise ProtocolError(f"{source}: no such file, nor a protocol of that name; known: {known}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ProtocolError(f"{source}: cannot be read ({reason}); name a TOML file of steps") from error
    if len(content) > MAX_FILE_BYTES:
        raise ProtocolError(f"{source}: larger than {MAX_FILE_BYTES} bytes; is this a protocol?")
    try:
        return _protocol(tomllib.loads(content.decode("utf-8")), default_name=Path(source).stem)
    except ProtocolError as error:
        raise ProtocolError(f"{source}: {error}") from error
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{source}: not UTF-8 text (byte {error.start}); is this a TOML file?") from error
    except RecursionError:
        raise ProtocolError(f"{source}: nested too deeply for a protocol") from None
    except ValueError as error:  # TOMLDecodeError, and integers with more digits than Python takes
        raise ProtocolError(f"{source}: not valid TOML: {error}") from error


def _constant(text: str) -> FluenceProtocol:
    try:
        return FluenceProtocol.constant(float(text.removeprefix(CONSTANT)))
    except ProtocolError as error:
        raise ProtocolError(f"{text!r}: {error}") from error
    except ValueError as error:
        raise ProtocolError(f"{text!r}: give the mean excitation as a number, as in {CONSTANT}0.2") from error


def _protocol(data: Mapping[str, Any], default_name: str) -> FluenceProtocol:
    _refuse_unknown(data, _FILE_KEYS, "")
    name = data.get("name", default_name[:MAX_NAME_LENGTH])
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME_LENGTH:
        raise ProtocolError(f"name: must be 1 to {MAX_NAME_LENGTH} printable characters in quotes")
    tables = data.get("step", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ProtocolError("step: write each step as a [[step]] table")
    if not tables:
        raise ProtocolError("step: at least one [[step]] table is needed")
    return FluenceProtocol(name, tuple(_step(table, number) for number, table in enumerate(tables, start=1)))


def _step(table: Mapping[str, Any], number: int) -> Step:
    where = f"step {number}"
    _refuse_unknown(table, _STEP_KEYS, f"{where}, ")
    mean_excitation, duration_s = (_number(table, key, where) for key in _STEP_KEYS)
    try:
        return Step(mean_excitation, duration_s)
    except ProtocolError as error:
        raise ProtocolError(f"{where}, {error}") from error


def _number(table: Mapping[str, Any], key: str, where: str) -> float:
    if key not in table:
        raise ProtocolError(f"{where}, {key}: is missing")
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{where}, {key}: must be a number, not {_shorten(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ProtocolError(f"{where}, {key}: is far too large") from None


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ProtocolError(f"{where}{_shorten(key)}: unknown key; known: {', '.join(known)}")


def _shorten(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
