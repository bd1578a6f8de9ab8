"""The `qdmon` command and its subcommands, each loaded when it is called."""

import difflib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from qdmon.cli.errors import report_error, usage_error

__all__ = ["build_app", "main"]

_HELP = """Watch a single quantum dot live, and see the moment it changes how it blinks.

Without a command: the screen of the daemon on this machine, as `qdmon attach`."""

_HELP_WORDS = frozenset({"--help", "-h"})
_EPILOGUE = "Every command explains itself: qdmon COMMAND --help. With --debug errors come in full."

# Our matrices are small: several threads gain nothing, and wait for each other busily on a loaded machine.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_COMMANDS = {
    "demo": "demo:demo",
    "daemon": "daemon:daemon",
    "attach": "attach:attach",
    "watch": "watch:watch",
    "replay": "replay:replay",
    "analyze": "analyze:analyze",
    "verify": "verify:verify",
    "recover": "recover:recover",
    "archive": "recover:archive",
    "convert": "convert:convert",
    "warm-up": "warm_up:warm_up",
    "doctor": "doctor:doctor",
    "keys": "keys:keys",
}

_GROUPS = {
    "simulate": ("Simulated instruments by themselves.", {"dot": "simulate:dot"}),
    "protocol": (
        "Fluence protocols: steps of <N> and seconds.",
        {"list": "protocol:list_protocols", "show": "protocol:show", "check": "protocol:check"},
    ),
    "player": (
        "Steer a replay that runs in another terminal.",
        {name: f"player:{name}" for name in ("play", "pause", "step", "seek", "speed", "loop", "status")},
    ),
    "record": (
        "Recordings: start, stop, look.",
        {
            "start": "record:start",
            "stop": "record:stop",
            "status": "record:status",
            "list": "record:list_recordings",
        },
    ),
    "config": (
        "The daemon's configuration file.",
        {"check": "config:check", "show": "config:show"},
    ),
}


def build_app(*, described: bool = False) -> App:
    """The command tree; nothing heavy is imported, and no command either unless they are to be described."""
    app = App(
        name="qdmon",
        help=_HELP,
        help_epilogue=_EPILOGUE,
        version=version("qdmon"),
        help_format="plaintext",
        default_parameter=Parameter(negative=()),
        result_action="return_value",
    )
    app.default(_attach)
    for name, target in _COMMANDS.items():
        app.command(_load(target) if described else f"qdmon.cli.{target}", name=name, help_epilogue="")
    app.command("qdmon.cli.replay:serve_file", name="serve-file", show=False)
    for name, (text, commands) in _GROUPS.items():
        group = App(name=name, help=text, help_epilogue="")
        for command, target in commands.items():
            group.command(_load(target) if described else f"qdmon.cli.{target}", name=command)
        app.command(group)
    return app


def _load(target: str) -> Callable[..., object]:
    module, name = target.split(":")
    found: Callable[..., object] = getattr(import_module(f"qdmon.cli.{module}"), name)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; the process exits with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = _with_values([word for word in words if word != "--debug"])
    for variable in _BLAS_THREADS:
        os.environ.setdefault(variable, "1")
    if not debug and not sys.warnoptions:
        warnings.simplefilter("ignore")  # they speak to programmers, on the screen of a physicist
    try:
        app = build_app(described=bool(_HELP_WORDS.intersection(words)))
        code = app(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sys.exit(usage_error(_plain(error)))
    except BaseException as error:
        if debug and isinstance(error, Exception):
            raise
        sys.exit(report_error(error))
    sys.exit(code if isinstance(code, int) else 0)


def _with_values(words: Sequence[str]) -> list[str]:
    """`--record` may stand alone: it then means the usual place, an empty name."""
    given = list(words)
    for i, word in enumerate(given):
        alone = i + 1 == len(given) or given[i + 1].startswith("-")
        if word == "--record" and alone:
            given[i] = "--record="
    return given


def _plain(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        word = error.unused_tokens[0]
        near = difflib.get_close_matches(word, (*_COMMANDS, *_GROUPS), n=1)
        hint = f"did you mean {near[0]}?" if near else "qdmon --help lists what there is"
        return f"unknown command or argument {word!r}; {hint}"
    return str(error)


def _attach() -> int:
    from qdmon.cli.attach import attach

    return attach()
