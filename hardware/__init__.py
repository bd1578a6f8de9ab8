"""Instruments: their interfaces, drivers, record decoders, and the simulated bench.

Nothing here knows how photons travel (`streams`) or what they mean (`qdmon`).
"""
