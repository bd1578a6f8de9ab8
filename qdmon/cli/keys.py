"""`qdmon keys`."""

__all__ = ["keys"]


def keys() -> int:
    """List the keys of the live screen.

    Example: qdmon keys
    """
    from qdmon.tui.app.keys import KEYS

    width = max(len(key.shown) for key in KEYS)
    group = ""
    for key in KEYS:
        if key.group != group:
            group = key.group
            print(group)
        print(f"  {key.shown:{width}}  {key.title}")
    return 0
