"""How often and how long: dwells, charging, memory, and how they grow with the excitation."""
