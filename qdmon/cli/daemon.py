"""`qdmon daemon`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["daemon"]


def daemon(
    *,
    config: Path | None = None,
    simulate: str | None = None,
    seed: int | None = None,
    speed: float = 1.0,
    protocol: str | None = None,
    after: Literal["hold", "off", "exit"] | None = None,
    bind: str | None = None,
    record: str | None = None,
    arm: bool = False,
    log_debug: bool = False,
    with_parent: Annotated[bool, Parameter(show=False)] = False,
) -> int:
    """Run the instruments and publish what they see, until told to stop.

    Example: qdmon daemon --simulate cdse-zns-2nm --speed 5

    Args:
        config: TOML file; everything has a default.
        simulate: preset of simulated instruments, used instead of the configured ones.
        seed: of the simulation; the same seed gives the same dot.
        speed: simulated seconds per second.
        protocol: fluence steps, by name or file; a simulation runs its paper's protocol by default.
        after: what to do after the last step: stay there, laser off, or end.
        bind: name, folder or tcp://127.0.0.1:PORT where viewers find the daemon.
        record: record from the start; a folder may follow, else it is the usual one.
        arm: consent to laser emission; a simulated laser needs none.
        log_debug: log more.
        with_parent: end when standard input ends.
    """
    from qdmon.cli.presets import check_preset
    from qdmon.config import Config, load_config
    from qdmon.daemon.logs import logs
    from qdmon.daemon.service import DaemonOptions, run_daemon
    from streams.endpoints import Endpoints

    if simulate is not None:
        check_preset(simulate)
    settings = load_config(config) if config is not None else Config()
    if after is not None:
        chosen = settings.protocol.model_copy(update={"after": after})
        settings = settings.model_copy(update={"protocol": chosen})

    def ready(endpoints: Endpoints) -> None:
        print(f"listening at {endpoints}", flush=True)

    options = DaemonOptions(
        config=settings,
        simulate=simulate,
        seed=seed,
        speed=speed,
        protocol=protocol,
        bind=bind,
        record=record,
        armed=arm,
        with_parent=with_parent,
        ready=ready,
    )
    log_file = settings.daemon.log_file
    with logs(Path(log_file).expanduser() if log_file else None, debug=log_debug):
        run_daemon(options)
    return 0
