"""What the numbers lean on: time zero, background, detectors, and what to warn of."""
