"""Pairs of photons: g2(0) with its limits, gated and not, and the delay between the detectors."""
