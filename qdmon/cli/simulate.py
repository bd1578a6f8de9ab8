"""`qdmon simulate dot`: a recording of a simulated dot with everything that really happened."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from qdmon.cli.errors import UserError

if TYPE_CHECKING:
    from hardware.sim.truth import FluenceStep
    from qdmon.simulated import SimulatedSession

__all__ = ["dot"]

MAX_S = 86_400.0


def dot(
    preset: str,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    seed: int = 0,
    protocol: str | None = None,
    duration: float | None = None,
    brightness: float = 1.0,
    truth: Path | None = None,
    fluence: Path | None = None,
) -> int:
    """Write a recording of a simulated dot: a session folder, or a .ptu with its fluence steps beside it.

    Example: qdmon simulate dot cdse-zns-2nm -o dot --seed 7 --truth dot.json

    Args:
        preset: kind of dot.
        output: a new folder for photons, fluence, laser, spectra and markers; NAME.ptu for photons only.
        seed: which dot; the same seed writes the same recording.
        protocol: fluence steps, by name or file; the paper's for this kind of dot by default.
        duration: seconds to record; as long as the protocol by default.
        brightness: share of the preset's light that is detected, above 0 to 1; the background stays.
        truth: also write the hidden state, as JSON.
        fluence: also write the steps (time_s,mean_excitation); for a .ptu OUTPUT.fluence.csv by default.
    """
    from hardware.sim.truth import FluenceStep
    from qdmon.cli.presets import check_preset
    from qdmon.daemon.protocol import load_protocol, protocol_for_preset

    check_preset(preset)
    write = _writer(output)
    if seed < 0:
        raise UserError(f"--seed {seed}: must be 0 or more")
    if not 0 < brightness <= 1:
        raise UserError(f"--brightness {brightness:g}: must be above 0 and at most 1")
    plan = load_protocol(protocol or protocol_for_preset(preset))
    length_s = plan.total_s if duration is None else duration
    if not 0 < length_s <= MAX_S:
        raise UserError(f"--duration: must be above 0 and at most {MAX_S:g} s; constant protocols need it")
    steps = [
        FluenceStep(start_s, step.mean_excitation)
        for start_s, step in zip(plan.starts_s, plan.steps, strict=True)
    ]
    photons, record = _simulate(preset, seed, steps, length_s, brightness, output, write)
    said = f"{output}: {photons} photons in {length_s:g} s"
    if write is _write_ptu and fluence is None:
        fluence = output.with_suffix(".fluence.csv")
    if fluence is not None:
        reached = [step for step in steps if step.start_s < length_s]
        lines = ["time_s,mean_excitation", *(f"{s.start_s:g},{s.mean_excitation:g}" for s in reached)]
        fluence.write_text("\n".join(lines) + "\n", encoding="utf-8")
        said += f"; fluence steps in {fluence}"
    if truth is not None:
        truth.write_text(record + "\n", encoding="utf-8")
    print(said)
    return 0


def _writer(output: Path) -> "Callable[[SimulatedSession, Path], int]":
    """What writes such an output; raises UserError for the name of another kind of file."""
    suffix = output.suffix.lower()
    if suffix == ".ptu":
        return _write_ptu
    if re.fullmatch(r"\.[a-z]\w*", suffix) and suffix != ".ref":
        raise UserError(f"{output}: simulations are written as .ptu, or into a session folder: name it so")
    return _write_session


def _simulate(
    preset: str,
    seed: int,
    steps: "list[FluenceStep]",
    length_s: float,
    brightness: float,
    output: Path,
    write: "Callable[[SimulatedSession, Path], int]",
) -> tuple[int, str]:
    """Simulate into a file or folder; number of photons and the truth as JSON."""
    from qdmon.cli.progress import Background
    from qdmon.simulated import SimulatedSession

    session = SimulatedSession(preset, seed, steps, length_s, brightness=brightness)
    written: list[int] = []
    Background(lambda: written.append(write(session, output))).wait(f"simulating {length_s:g} s")
    return written[0], json.dumps(session.truth(), allow_nan=False)


def _write_ptu(session: "SimulatedSession", path: Path) -> int:
    """Photons of the session as a .ptu; their number. No file is left by a failure."""
    from streams.formats import PtuWriter
    from streams.messages import PhotonBatch

    settings = session.acquisition.settings
    comment = f"qdmon simulation {', '.join(f'{name} {value}' for name, value in settings.items())}"
    photons = 0
    writer = PtuWriter(path, session.acquisition, comment=comment)
    try:
        with writer:
            for message in session.messages():
                if isinstance(message, PhotonBatch):
                    writer.append(message.photons, message.stop_pulse)
                    photons += len(message.photons)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return photons


def _write_session(session: "SimulatedSession", folder: Path) -> int:
    """Everything of the session into a new folder; number of photons. No folder is left by a failure."""
    from streams.recording import RecordingPolicy, SessionWriter

    folder.mkdir(parents=True)
    try:
        writer = SessionWriter(folder, RecordingPolicy(sync="never"))
        time_ns = 0
        for message in session.messages():
            time_ns = getattr(message, "host_time_ns", time_ns)
            writer.add(message, time_ns)
            if writer.due:
                writer.flush()
        writer.close()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return writer.written.photons
