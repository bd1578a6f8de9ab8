"""The daemon: owns the instruments, cuts photons into batches, runs protocols, publishes the session."""
