"""Where a user's own recordings go when nobody says."""

from pathlib import Path

import platformdirs

import qdmon

__all__ = ["recordings_folder"]


def recordings_folder(configured: str = "") -> Path:
    """The configured folder, else `recordings/` of a source checkout, else the account's data folder."""
    if configured:
        return Path(configured).expanduser().absolute()
    checkout = Path(qdmon.__file__).parents[1]
    if (checkout / "recordings" / "README.md").is_file() and (checkout / "pyproject.toml").is_file():
        return checkout / "recordings"
    return Path(platformdirs.user_data_dir("qdmon", appauthor=False)) / "recordings"
