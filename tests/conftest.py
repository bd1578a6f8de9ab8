"""Numerical libraries with one thread each: two workers share two cores. Examples have no time limit."""

import os

from hypothesis import settings

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

settings.register_profile("qdmon", deadline=None)  # the first example may compile a kernel
settings.load_profile("qdmon")
