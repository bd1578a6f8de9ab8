"""Snapshots to words and rounded numbers. Pure: no toolkit, no colours, no clock; unknown stays "--"."""
