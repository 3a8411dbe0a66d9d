"""What the worker may touch: limits that it sets on itself before any student code runs.

Where the operating system has no such limit (Windows), the checker's clock still ends every call.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

MIB = 2**20
DESCRIPTORS = 64

FORBIDDEN = {
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.exec": "start a program",
    "os.posix_spawn": "start a program",
    "os.spawn": "start a program",
    "os.system": "start a program",
    "os.startfile": "start a program",
    "subprocess.Popen": "start a program",
    "os.kill": "send a signal",
    "os.killpg": "send a signal",
    "socket.__new__": "use the network",
    "socket.connect": "use the network",
    "socket.bind": "use the network",
}


def limit(memory_mib: int, cpu_seconds: int, file_mib: int) -> None:
    """Bound this process's memory, processor time, files and processes, for good.

    memory_mib   address space      cpu_seconds   processor time, beyond what was used so far
    file_mib     the largest file it may write; 0: none at all
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + cpu_seconds
    bounds = {
        "RLIMIT_AS": memory_mib * MIB,
        "RLIMIT_CPU": cpu,
        "RLIMIT_FSIZE": file_mib * MIB,
        "RLIMIT_NOFILE": DESCRIPTORS,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,  # no new process or thread; numpy has started its own by now
    }
    if sys.platform == "darwin":
        del bounds["RLIMIT_AS"]  # macOS counts what is shared by all programs, and refuses
    for name, bound in bounds.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(getattr(resource, name), (bound, bound))


def watch_the_door() -> None:
    """Refuse processes, programs and the network in words, from here on.

    This tells an honest student what is wrong. It stops nobody who tries: that takes the operating
    system.
    """

    def hook(event: str, args: Any) -> None:
        if event in FORBIDDEN:
            raise PermissionError(f"exercise code may not {FORBIDDEN[event]} ({event})")

    sys.addaudithook(hook)


def keep_memory() -> None:
    """Let freed large arrays stay in the process, where the next training step finds them again.

    glibc gives arrays over a threshold back to the system at once, and each step fetches them anew:
    that makes training 1.3 to 1.7 times slower. Other C libraries keep what they do.
    """
    m_trim_threshold, m_mmap_threshold = -1, -3  # mallopt's names, from malloc.h
    with contextlib.suppress(OSError, AttributeError, TypeError):
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
        mallopt(m_mmap_threshold, 2**30)
        mallopt(m_trim_threshold, 2**30)
