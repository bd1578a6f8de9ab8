"""`qdmon simulate dot`: a recording of a simulated dot with everything that really happened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from hardware.sim.truth import FluenceStep

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
    truth: Path | None = None,
    fluence: Path | None = None,
) -> int:
    """Write a .ptu recording of a simulated dot, and its fluence steps beside it.

    Example: qdmon simulate dot cdse-zns-2nm -o dot.ptu --seed 7 --truth dot.json

    Args:
        preset: kind of dot.
        output: the .ptu file.
        seed: which dot; the same seed writes the same file.
        protocol: fluence steps, by name or file; the paper's for this kind of dot by default.
        duration: seconds to record; as long as the protocol by default.
        truth: also write the hidden state, as JSON.
        fluence: where to write the steps (time_s,mean_excitation); OUTPUT with .fluence.csv by default.
    """
    from hardware.sim.truth import FluenceStep
    from qdmon.cli.errors import UserError
    from qdmon.cli.presets import check_preset
    from qdmon.daemon.protocol import load_protocol, protocol_for_preset

    check_preset(preset)
    if seed < 0:
        raise UserError(f"--seed {seed}: must be 0 or more")
    if output.suffix.lower() != ".ptu":
        raise UserError(f"{output}: recordings are written as .ptu; name it so")
    plan = load_protocol(protocol or protocol_for_preset(preset))
    length_s = plan.total_s if duration is None else duration
    if not 0 < length_s <= MAX_S:
        raise UserError(f"--duration: must be above 0 and at most {MAX_S:g} s; constant protocols need it")
    steps = [
        FluenceStep(start_s, step.mean_excitation)
        for start_s, step in zip(plan.starts_s, plan.steps, strict=True)
        if start_s < length_s
    ]
    steps_file = fluence or output.with_suffix(".fluence.csv")
    photons, record = _record(preset, seed, steps, length_s, output)
    lines = ["time_s,mean_excitation", *(f"{s.start_s:g},{s.mean_excitation:g}" for s in steps)]
    steps_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if truth is not None:
        truth.write_text(record + "\n", encoding="utf-8")
    print(f"{output}: {photons} photons in {length_s:g} s; fluence steps in {steps_file}")
    return 0


def _record(
    preset: str, seed: int, steps: "list[FluenceStep]", length_s: float, output: Path
) -> tuple[int, str]:
    """Simulate into a file; number of photons and the truth as JSON. No file is left by a failure."""
    from hardware.sim.simulation import DotSimulation
    from qdmon.cli.progress import Background
    from streams.formats import PtuWriter

    simulation = DotSimulation(preset, seed)
    photons = 0
    writer = PtuWriter(output, simulation.acquisition(), comment=f"qdmon simulation {preset}, seed {seed}")

    def run() -> None:
        nonlocal photons
        with writer:
            for part, position in simulation.run(steps, length_s):
                writer.append(part, position)
                photons += len(part)

    try:
        Background(run).wait(f"simulating {length_s:g} s")
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    return photons, simulation.truth.to_json()
