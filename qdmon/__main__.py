"""`python -m qdmon`: the same as the `qdmon` command."""

from qdmon.cli import main

if __name__ == "__main__":
    main()
