"""A second, independent simulator of single dots, and how `qdmon analyze` does on its files.

Written from the physics alone, without the simulator in `hardware.sim` or the other benchmarks, so that it
makes other choices: what is right only for dots of one simulator shows here. A dot is drawn (`draws`), its
states are laid out in time (`path`), photons leave it pulse by pulse (`light`) and pass through detectors
(`detection`) into a .ptu file (`files`); `score` compares the report with what the dot really did.

    python -m tests.benchmarks.independent [DOTS] [FIRST]
"""
