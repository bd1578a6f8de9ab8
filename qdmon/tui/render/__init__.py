"""Numbers to character cells, with numpy and nothing else: no toolkit, no clock, no terminal.

A `Frame` is a grid of characters and inks; everything here draws into one. Inks are names of meanings
(`Ink.WARN`, `Ink.TRACE_HIGH`); which colour a meaning has is decided in `theme`, by whoever shows the frame.
"""
