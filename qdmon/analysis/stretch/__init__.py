"""One stretch of constant fluence: its photons, what lies under them, the dot that is fitted, its numbers."""
