"""Steady light between changes, and intensity against lifetime."""
