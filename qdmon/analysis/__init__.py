"""Physics: photons in, intensity, lifetime, g2, FLID, blinking type and conversions out.

Pure and deterministic: no sockets, no clock, no screen. The same `Monitor` serves the live screen, the
headless watcher and the analysis of a file.
"""
