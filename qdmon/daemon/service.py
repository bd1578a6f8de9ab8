"""The daemon as a process: from options to a running session, and from its end to an exit code."""

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog

from hardware.protocols import Bench, DeviceError
from hardware.registry import combine, create_bench
from hardware.types import Acquisition
from qdmon.config import Config
from qdmon.config.analysis import analysis_settings
from qdmon.config.places import recordings_folder
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.levels import levels_for
from qdmon.daemon.outlet import Outlet
from qdmon.daemon.protocol import FluenceProtocol, load_protocol, protocol_for_preset
from qdmon.daemon.recording import Recording
from qdmon.daemon.run import Run
from qdmon.daemon.stopping import end_by_signal, stop_signals, watch_parent
from qdmon.daemon.warm import warm_records, warm_simulation
from streams.control import ControlServer, Refused
from streams.endpoints import Endpoints, parse_address
from streams.messages import Session
from streams.publisher import Publisher
from streams.recording import RecordingError, RecordingPolicy

__all__ = ["DaemonOptions", "run_daemon", "serve"]

SIMULATOR = "sim"

log = structlog.get_logger("daemon")


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """What the command line adds to the configuration.

    Attributes:
        config: validated.
        simulate: preset of the simulated bench; it replaces the configured instruments.
        seed: of the simulation.
        speed: simulated seconds per second.
        protocol: name or file; None takes the configuration's, or the preset's own.
        bind: address; None takes the configuration's.
        record: record from the start, into this folder; "" is the configured one, None records if configured.
        armed: the operator consents to emission of a real laser.
        with_parent: end when standard input does.
        ready: called with the endpoints once subscribers can connect.
    """

    config: Config
    simulate: str | None = None
    seed: int | None = None
    speed: float = 1.0
    protocol: str | None = None
    bind: str | None = None
    record: str | None = None
    armed: bool = False
    with_parent: bool = False
    ready: Callable[[Endpoints], None] | None = None

    def endpoints(self) -> Endpoints:
        """Where to listen."""
        return parse_address(self.bind or self.config.daemon.address or self.config.daemon.name)

    @property
    def recordings(self) -> Path:
        """Where recordings are made."""
        return recordings_folder(self.record or self.config.recording.folder)

    @property
    def policy(self) -> RecordingPolicy:
        """How they are made."""
        section = self.config.recording
        return RecordingPolicy(sync=section.sync, segment_s=60 * section.segment_minutes)

    def fluence_protocol(self) -> FluenceProtocol | None:
        """The protocol to run, if any; raises ProtocolError."""
        chosen = self.protocol or self.config.protocol.run
        if not chosen and self.simulate is not None:
            chosen = protocol_for_preset(self.simulate)
        return load_protocol(chosen) if chosen else None

    def bench(self) -> Bench:
        """The instruments; raises DeviceError."""
        card, laser = self.config.card, self.config.laser
        if self.simulate is not None:
            bench = create_bench(SIMULATOR, {"preset": self.simulate, "seed": self.seed, "speed": self.speed})
        elif not card.driver:
            raise DeviceError("no instruments: add --simulate PRESET, or name card.driver in a --config FILE")
        else:
            bench = create_bench(card.driver, card.options)
            if laser.driver:
                bench = combine(bench, create_bench(laser.driver, laser.options))
        if laser.mean_excitation_per_permille is not None:
            bench = replace(bench, mean_excitation_per_permille=laser.mean_excitation_per_permille)
        return bench


def run_daemon(options: DaemonOptions) -> None:
    """Run until told to stop; ends the process by the signal that stopped it, if one did."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        number = runner.run(serve(options))
    if number is not None:
        end_by_signal(number)


async def serve(options: DaemonOptions) -> int | None:
    """One session from opening the instruments to closing the sockets; the signal that ended it, if any.

    Raises DeviceError, OSError or ProtocolError, after the instruments are safe.
    """
    caught: list[int] = []
    protocol, config = options.fluence_protocol(), options.config
    endpoints, bench = options.endpoints(), options.bench()
    if protocol is not None and not (options.armed or options.simulate is not None):
        raise DeviceError(f"protocol {protocol.name} switches the laser on; add --arm to consent")
    if protocol is not None and bench.laser is None:
        raise DeviceError(f"protocol {protocol.name} needs a laser; name laser.driver in the configuration")
    instruments = Instruments(
        bench,
        max_permille=config.laser.max_permille,
        consent=options.armed or options.simulate is not None,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(instruments.close)
        if options.simulate is not None:
            # A simulated card has to answer in time, too: on a busy computer compiling takes longer.
            await instruments.compile(partial(warm_simulation, options.simulate))
        acquisition = await instruments.open(analysis_settings(config.analysis).to_text())
        await instruments.compile(partial(warm_records, acquisition.layout))
        levels = levels_for(protocol, acquisition, bench.mean_excitation_per_permille) if protocol else []
        session = _session(acquisition, instruments, config.daemon.title)
        publisher = await stack.enter_async_context(
            Publisher(
                endpoints,
                session,
                history_s=60 * config.daemon.history_minutes,
                queue_depth=lambda: run.queue_depth,
            )
        )
        recording = Recording(
            session,
            options.recordings,
            options.policy,
            pre_trigger_s=config.recording.pre_trigger_s,
            publish=publisher.publish,
        )
        outlet = Outlet(publisher, recording)
        control = await stack.enter_async_context(ControlServer(endpoints, outlet.do))
        if options.record is not None or config.recording.auto:
            await _start(recording)
        run = Run(
            instruments,
            acquisition,
            outlet,
            levels=levels,
            after=config.protocol.after,
            batch_s=config.daemon.batch_ms / 1000,
            mean_excitation_per_permille=bench.mean_excitation_per_permille,
            keep_open=options.with_parent,
        )

        def on_signal(number: int) -> None:
            caught.append(number)
            run.stop("signal")

        stack.enter_context(stop_signals(on_signal))
        if options.with_parent:
            watch_parent(lambda: run.stop("the program that started the daemon is gone"))
        if options.ready is not None:
            options.ready(endpoints)
        await run.run(publisher.serve(), control.serve(), recording.watch())
    return caught[0] if caught else None


async def _start(recording: Recording) -> None:
    try:
        await recording.start()
    except Refused as refusal:
        raise RecordingError(str(refusal)) from None


def _session(acquisition: Acquisition, instruments: Instruments, title: str) -> Session:
    return Session(
        session_id=uuid.uuid4().hex,
        started_unix_ns=time.time_ns(),
        software=f"qdmon {version('qdmon')}",
        source="simulated" if acquisition.simulated else "live",
        title=title or acquisition.settings.get("preset", ""),
        instruments=instruments.identities,
    )
