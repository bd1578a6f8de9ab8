"""Recordings and what was derived from them, for other programs: `photons` rewrites, `tables` derives.

No screen, no sockets. Photon files themselves are written by `streams.formats`.
"""
