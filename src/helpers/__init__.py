"""The textbook's shared modules, one room a subject."""

import os

# Threads that wait spin unless told otherwise, and on a machine that others use they take the time of those that work:
# ten times as slow with six processes on two cores, no difference on a quiet one.  OpenMP reads this when torch is
# loaded; what is set already stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
