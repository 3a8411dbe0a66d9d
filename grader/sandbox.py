"""What the worker may touch: limits that it sets on itself before any student code runs.

Where the operating system has no such limit (Windows), the checker's clock still ends every call.
What is refused altogether is decided by the checker (isolation.py), and sealed here.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import signal
import sys
from typing import Any

MIB = 2**20
DESCRIPTORS = 64
FOLDER_MIB, FOLDER_FILES = 64, 1000  # that student's code may have lying about
FOLDER_DEPTH = 1024  # characters of a path to them
BLOCK = 512  # bytes, as stat counts them

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


def overfull(folder: str) -> bool:
    """Whether there are too many files below `folder`, too large ones, or any that are hidden."""
    size = count = 0
    waiting = [folder]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(below) as found:
                entries = list(itertools.islice(found, FOLDER_FILES + 1))
            size += sum(space(entry.stat(follow_symlinks=False)) for entry in entries)
            waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            continue  # it was removed meanwhile
        except OSError:
            return True  # it is locked
        count += len(entries)
        if size > FOLDER_MIB * MIB or count > FOLDER_FILES or len(below) > FOLDER_DEPTH:
            return True
    return False


def space(status: os.stat_result) -> int:
    """The bytes that a file takes; one full of nothing takes none."""
    return getattr(status, "st_blocks", status.st_size // BLOCK) * BLOCK


def empty(folder: str) -> None:
    """Remove all that is in `folder`, however it is named, nested or locked; raises OSError.

    What is deep is lifted up first: so no path grows long, and nothing recurses.
    """
    os.chmod(folder, 0o700)
    lifted = (os.path.join(folder, secrets.token_hex(8)) for _ in itertools.count())
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.rename(inner.path, next(lifted))
                else:
                    os.unlink(inner.path)
            os.rmdir(entry.path)


# From linux/prctl.h, linux/capability.h and the one table of system calls that all machines share.
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SECCOMP_MODE_FILTER = 2
CAPABILITIES_V3 = 0x20080522
LANDLOCK_RESTRICT_SELF = 446
BPF_INSTRUCTION = 8  # bytes


def end_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent is gone, however that went (Linux)."""
    if sys.platform == "linux":
        control(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it went before that was asked for
            os._exit(1)


def hide() -> None:
    """Let no process of the same user read or write this one's memory (Linux)."""
    if sys.platform == "linux":
        control(PR_SET_DUMPABLE, 0)


def seal(program: bytes, rules: int | None) -> None:
    """Give up, for good, all that student's code has no use for (Linux).

    program   the seccomp filter, compiled; what it does not allow is refused by the system
    rules     descriptor of a Landlock ruleset: the files that may be read or written

    Raises OSError where the system does not take it: then no student's code may run.
    """
    import ctypes

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    control(PR_SET_NO_NEW_PRIVS, 1)
    if rules is not None:
        succeed(library().syscall(LANDLOCK_RESTRICT_SELF, rules, 0))
    version, none = (ctypes.c_uint32 * 2)(CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)()
    succeed(library().capset(version, none))  # root has capabilities; its limits could be lifted
    filter = Program(len(program) // BPF_INSTRUCTION, program)
    control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter))


def control(option: int, *values: Any) -> None:
    """prctl(2)."""
    import ctypes

    rest = [ctypes.c_ulong(value) if type(value) is int else value for value in values]
    rest += [ctypes.c_ulong(0)] * (4 - len(rest))
    succeed(library().prctl(option, *rest))


def library() -> Any:
    """The C library, with errno kept."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def succeed(result: int) -> None:
    """Raise OSError where a call of the C library says -1."""
    import ctypes

    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
