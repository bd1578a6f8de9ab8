"""qdmon: watch a single quantum dot live and see the moment it changes how it blinks."""
