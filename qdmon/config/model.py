"""The configuration file's sections. Every key has a default; unknown keys are refused."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = [
    "AnalysisSection",
    "CardSection",
    "Config",
    "DaemonSection",
    "LaserSection",
    "ProtocolSection",
    "RecordingSection",
]


def _between(low: float, high: float) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise PydanticCustomError("between", f"must be between {low:g} and {high:g}")
        return value

    return AfterValidator(check)


def _positive(what: str) -> AfterValidator:
    def check(value: float) -> float:
        if not 0 < value < float("inf"):
            raise PydanticCustomError("positive", f"must be {what} above 0")
        return value

    return AfterValidator(check)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DaemonSection(_Section):
    """[daemon]: where it is found and how it sends.

    Attributes:
        name: several daemons on one machine are told apart by it.
        title: what the operator calls the session; shown on every screen.
        address: bind here instead of the local address that belongs to `name`.
        batch_ms: how often photons are sent, in ms of stream time.
        history_minutes: how much a late joiner is given.
        log_file: JSON lines are appended here; "" logs to standard error.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "default"
    title: Annotated[str, Field(max_length=200)] = ""
    address: str = ""
    batch_ms: Annotated[int, _between(10, 1000)] = 50
    history_minutes: Annotated[float, _between(0, 120)] = 10.0
    log_file: str = ""


class CardSection(_Section):
    """[card]: the photon counter; `options` go to its driver. Driver "": none was chosen."""

    driver: str = ""
    options: dict[str, Any] = {}


class LaserSection(_Section):
    """[laser]: driver "" takes the laser that comes with the card's driver.

    Attributes:
        driver: name of a driver, or "".
        options: given to that driver.
        max_permille: the daemon never asks for more than this power level (0.1 %).
        mean_excitation_per_permille: <N> per 0.1 % of power; overrides what the driver knows.
    """

    driver: str = ""
    options: dict[str, Any] = {}
    max_permille: Annotated[int, _between(1, 1000)] = 1000
    mean_excitation_per_permille: Annotated[float, _positive("a number")] | None = None


class AnalysisSection(_Section):
    """[analysis]: travels with the session, so that every viewer computes with the same numbers.

    Attributes:
        background_cps: channel -> counts/s that are not the dot's.
        t0_ps: channel -> arrival of the laser pulse on the TCSPC axis, from a measured response.
        delay_ns: detector delay; None finds it.
        dead_time_ns: blind time of a detector after a click; None assumes that of usual modules.
        false_alarms_per_day: conversions reported that are none, per 24 h of monitoring.
    """

    background_cps: dict[str, Annotated[float, _between(0, 1e7)]] = {}
    t0_ps: dict[str, Annotated[float, _between(0, 1e9)]] = {}
    delay_ns: Annotated[float, _between(-1e6, 1e6)] | None = None
    dead_time_ns: Annotated[float, _between(0, 1e6)] | None = None
    false_alarms_per_day: Annotated[float, _between(1e-6, 1e4)] = 1.0


class ProtocolSection(_Section):
    """[protocol]: fluence steps to run at the start, by name or file, and what to do after the last.

    Attributes:
        run: a shipped protocol's name or a file; "" runs none.
        after: "hold" stays at the last level, "off" ends emission, "exit" ends the daemon.
    """

    run: str = ""
    after: Literal["hold", "off", "exit"] = "hold"


class RecordingSection(_Section):
    """[recording]: where and how sessions are kept.

    Attributes:
        folder: of the recordings; "" is the usual place (see `qdmon record list`).
        auto: begin with the daemon.
        pre_trigger_s: how much of what came before `qdmon record start` is included.
        sync: when data is forced to the disk: "second", "always" (after every chunk) or "never".
        segment_minutes: length of one file.
    """

    folder: str = ""
    auto: bool = False
    pre_trigger_s: Annotated[float, _between(0, 600)] = 10.0
    sync: Literal["second", "always", "never"] = "second"
    segment_minutes: Annotated[float, _between(0.1, 120)] = 10.0


class Config(_Section):
    """The whole file."""

    daemon: DaemonSection = DaemonSection()
    card: CardSection = CardSection()
    laser: LaserSection = LaserSection()
    analysis: AnalysisSection = AnalysisSection()
    protocol: ProtocolSection = ProtocolSection()
    recording: RecordingSection = RecordingSection()
