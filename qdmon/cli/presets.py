"""A preset's name as typed, checked before anything is started."""

from qdmon.cli.errors import UserError

__all__ = ["check_preset"]


def check_preset(name: str) -> str:
    """The name itself; UserError that lists the known ones."""
    from hardware.sim.presets import find_preset

    try:
        return find_preset(name).name
    except ValueError as error:
        raise UserError(str(error)) from error
