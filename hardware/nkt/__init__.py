"""NKT Photonics SuperK lasers: register map, the port they are reached through, and the driver.

The wire (Interbus framing) is somebody else's business: everything here speaks `RegisterPort`.
"""

from hardware.nkt.details import SuperKDetails
from hardware.nkt.port import BadAnswerError, BusyError, NoAnswerError, RefusedError, RegisterPort
from hardware.nkt.superk import SuperK

__all__ = [
    "BadAnswerError",
    "BusyError",
    "NoAnswerError",
    "RefusedError",
    "RegisterPort",
    "SuperK",
    "SuperKDetails",
]
