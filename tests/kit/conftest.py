"""One BLAS thread: on a busy machine two are slower than one, by far."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
