"""Results, immutable: what screens, reports and exports read. Arrays are read-only; None means unknown."""
