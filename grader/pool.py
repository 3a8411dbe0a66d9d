"""Work shared by as many processes as there are processors, which end with whoever asked for it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .isolation import THREADS


@contextlib.contextmanager
def processes(jobs: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """So many processes, each begun afresh; inside a `with`."""
    os.environ.update(THREADS)  # for numpy in them: what they fork would lose its threads
    fresh = get_context("spawn")
    with ProcessPoolExecutor(jobs or os.cpu_count(), fresh, ignore_interrupts) as pool:
        try:
            yield pool
        except (KeyboardInterrupt, GeneratorExit):  # one that waits for work might wait for ever
            started = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in started:
                process.kill()
            raise


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
