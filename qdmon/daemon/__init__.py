"""The daemon: owns the instruments, cuts photons into batches, runs protocols, publishes the session.

`service` is the way in; `run` holds the order of things, `pipeline`, `steps` and `levels` compute without
waiting, `laser` and `instruments` hold the devices.
"""
