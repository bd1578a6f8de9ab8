"""`qdmon config check|show`."""

import json
from pathlib import Path

__all__ = ["check", "show"]


def check(file: Path, /) -> int:
    """Check a configuration file; one line for each problem.

    Example: qdmon config check lab.toml

    Args:
        file: TOML file.
    """
    from qdmon.config import load_config

    load_config(file)
    print(f"{file}: good")
    return 0


def show(file: Path | None = None, /, *, json_: bool = False) -> int:
    """Show every setting with its value, defaults included.

    Example: qdmon config show lab.toml

    Args:
        file: TOML file; without it the defaults.
        json_: print one JSON object.
    """
    from qdmon.config import Config, load_config
    from streams.text import clean_text

    config = load_config(file) if file is not None else Config()
    sections = config.model_dump(mode="json")
    if json_:
        print(json.dumps(sections))
        return 0
    for section, values in sections.items():
        for key, value in values.items():
            print(clean_text(f"{section}.{key} = {json.dumps(value)}", 1000))
    return 0
