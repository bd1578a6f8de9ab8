"""`qdmon warm-up`."""

__all__ = ["warm_up"]


def warm_up() -> int:
    """Compile the numerical kernels now, so that nothing waits for them later.

    Example: qdmon warm-up
    """
    import time

    from qdmon.cli.progress import Background
    from qdmon.cli.warm import warm_analysis, warm_instruments

    began = time.monotonic()
    Background(warm_analysis).wait("compiling analysis kernels")
    Background(warm_instruments).wait("compiling simulated instruments")
    print(f"kernels are ready ({time.monotonic() - began:.1f} s)")
    return 0
