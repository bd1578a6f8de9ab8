"""Lifetimes: of few photons behind the gate, and of whole decays through the response."""
