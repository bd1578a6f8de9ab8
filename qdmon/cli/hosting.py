"""A publisher in a child process and its viewer in this one: what `demo` and `replay` have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from qdmon.cli.address import private_address
from qdmon.cli.child import Child
from qdmon.cli.errors import FAILED, UserError, say_error
from qdmon.cli.progress import Background, Progress
from qdmon.cli.warm import warm_analysis

__all__ = ["follow_child", "show_child"]


def show_child(
    arguments: Sequence[str],
    *,
    title: str,
    fps: int,
    ascii_only: bool,
    mouse: bool,
    bind: str | None = None,
) -> int:
    """Start `qdmon ARGUMENTS`, show its session, stop it when the screen is left; the screen's exit code.

    Without `bind` nobody else finds the session.
    """
    from qdmon import tui
    from qdmon.tui.fitness import unfit_here
    from streams.endpoints import parse_address

    reason = unfit_here()
    if reason is not None:
        raise UserError(reason)
    with _address(bind) as address, Child([*arguments, "--bind", address]) as child:
        _prepare(child)
        return tui.run(parse_address(address), title=title, fps=fps, ascii_only=ascii_only, mouse=mouse)


def follow_child(arguments: Sequence[str], source: str, *, as_json: bool, bind: str | None = None) -> int:
    """The same without a screen, until the child's session is over."""
    from qdmon.cli.headless import HeadlessView, follow
    from streams.endpoints import parse_address

    with _address(bind) as address, Child([*arguments, "--bind", address]) as child:
        _prepare(child)
        view = HeadlessView(source, as_json=as_json)
        over = follow(parse_address(address), view, alive=lambda: child.running)
        view.report()
        if not over:
            say_error(child.last_words())
            return FAILED
        return child.stop()


@contextmanager
def _address(bind: str | None) -> Iterator[str]:
    if bind is not None:
        yield bind
        return
    with private_address() as address:
        yield address


def _prepare(child: Child) -> None:
    """Compile the analysis while the child starts, visibly."""
    warming = Background(warm_analysis)
    with Progress("starting") as progress:
        child.wait_ready(progress.tick)
    warming.wait("compiling analysis kernels, once")
