"""Help is instant and needs no numerics; plain data types need no screen, no socket and no compiler."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "scipy", "zmq", "textual", "pydantic", "structlog")


def loaded_after(code: str) -> set[str]:
    """Top-level modules loaded in a fresh interpreter once `code` has run."""
    probe = (
        f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def run_command(*tokens: str) -> str:
    call = f"main({list(tokens)!r})"
    return f"from qdmon.cli import main\ntry: {call}\nexcept SystemExit as end: assert not end.code"


@pytest.mark.parametrize(
    "tokens", [("--help",), ("--version",), ("demo", "--help"), ("analyze", "--help"), ("config", "--help")]
)
def test_help_loads_nothing_heavy(tokens: tuple[str, ...]) -> None:
    assert not loaded_after(run_command(*tokens)) & set(HEAVY)


@pytest.mark.parametrize("tokens", [("keys",), ("protocol", "list"), ("config", "show")])
def test_plain_answers_load_no_screen_no_socket_and_no_compiler(tokens: tuple[str, ...]) -> None:
    assert not loaded_after(run_command(*tokens)) & {"numba", "scipy", "zmq", "textual"}


@pytest.mark.parametrize(
    "module", ["hardware.types", "hardware.protocols", "streams.messages", "hardware.sim"]
)
def test_data_types_load_no_screen_no_socket_and_no_compiler(module: str) -> None:
    assert not loaded_after(f"import {module}") & {"numba", "scipy", "zmq", "textual"}


@pytest.mark.parametrize("module", ["qdmon.analysis.monitor", "qdmon.daemon.service", "qdmon.cli.headless"])
def test_everything_but_the_screen_runs_without_its_toolkit(module: str) -> None:
    assert "textual" not in loaded_after(f"import {module}")
