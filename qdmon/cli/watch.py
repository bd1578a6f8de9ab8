"""`qdmon watch`."""

__all__ = ["watch"]


def watch(address: str = "default", /, *, json_: bool = False) -> int:
    """Print the alerts of a running daemon, one line each, until its session ends or Ctrl-C.

    Example: qdmon watch --json >> alerts.jsonl

    Args:
        address: name, folder or tcp://127.0.0.1:PORT of the daemon.
        json_: print the report object, one a line, at each alert and at the end.
    """
    from contextlib import suppress

    from qdmon.cli.headless import HeadlessView, follow
    from streams.endpoints import parse_address

    endpoints = parse_address(address)
    view = HeadlessView(str(endpoints), as_json=json_)
    with suppress(KeyboardInterrupt):  # the usual way to end it
        follow(endpoints, view)
    view.report()
    return 0
