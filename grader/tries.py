"""What a hostile submission might try, in the worker that marks: each returns what it got hold of.

`breakout` sends this file to a worker as if a student had handed it in. It does no harm where it
gets through: it signals with number 0, reserves memory without using it, connects to nothing,
removes what it wrote. It asks the C library directly, past all that Python could refuse.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
import time

LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.mmap.restype = ctypes.c_void_p
MIB = 2**20
ARM = platform.machine() == "aarch64"
# what the C library has no function for:  name -> number on x86_64, on aarch64, arguments
SYSTEM_CALLS = {
    "memfd_create": (319, 279, (b"kept", 0)),
    "io_uring_setup": (425, 425, (1, ctypes.create_string_buffer(256))),
    "userfaultfd": (323, 282, (1,)),
    "keyctl": (250, 219, (0, -3, 0)),
    "add_key": (248, 217, (b"user", b"kept", b"x", 1, -3)),
    "bpf": (321, 280, (0, ctypes.create_string_buffer(128), 128)),
    "perf_event_open": (298, 241, (ctypes.create_string_buffer(128), 0, -1, -1, 0)),
    "unshare": (272, 97, (0x10000000,)),
    "setns": (308, 268, (0, 0)),
    "inotify_init1": (294, 26, (0,)),
    "shmget": (29, 194, (0, 4096, 0o1600)),
    "msgget": (68, 186, (0, 0o1600)),
}


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def opened(paths: list) -> list:
    """Those of the paths that can be read or listed."""
    found = []
    for path in paths:
        try:
            if os.path.isdir(path):
                found += [path] if os.listdir(path) else []
            else:
                with open(path, "rb") as file:
                    file.read(64)
                found.append(path)
        except OSError:
            pass
    return found


def fork() -> list:
    child = LIBRARY.fork()
    if child == 0:
        os._exit(0)
    return [f"process {child}"] if child > 0 else []


def execute(programs: list) -> list:
    """If it works, there is nobody left to tell: the worker has become another program."""
    for program in programs:
        arguments = (ctypes.c_char_p * 2)(program.encode(), None)
        LIBRARY.execv(program.encode(), arguments)
    return []


def connect() -> list:
    families = {"IPv4": 2, "IPv6": 10, "UNIX": 1, "netlink": 16, "packet": 17}
    kinds = [(name, family, kind) for name, family in families.items() for kind in (1, 2)]
    return [name for name, family, kind in kinds if LIBRARY.socket(family, kind, 0) >= 0]


def write(folders: list) -> list:
    found = []
    for folder in folders:
        path = os.path.join(folder, "glassbox-try")
        try:
            open(path, "x").close()
            os.unlink(path)
            found.append(folder)
        except OSError:
            pass
    return found


def processes(pids: list) -> list:
    """The memory, environment and open files of others, through /proc."""
    files = ("environ", "mem", "maps", "fd", "root", "cwd")
    return opened([f"/proc/{pid}/{file}" for pid in (*pids, os.getppid()) for file in files])


def trace(pids: list) -> list:
    seize = 0x4206  # without stopping it; this process's end lets go
    others = (*pids, os.getppid())
    return [f"process {pid}" for pid in others if LIBRARY.ptrace(seize, pid, 0, 0) == 0]


def peek(pids: list, address: int, size: int) -> list:
    """Another process's memory, where the checker has put something to be found."""
    mine = ctypes.create_string_buffer(size)
    here, there = Vector(ctypes.addressof(mine), size), Vector(address, size)
    for pid in pids:
        if LIBRARY.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
            return [mine.raw.decode("latin-1")]
    return []


def poke(pids: list, address: int, size: int) -> list:
    mine = ctypes.create_string_buffer(b"!" * size, size)
    here, there = Vector(ctypes.addressof(mine), size), Vector(address, size)
    sent = [
        LIBRARY.process_vm_writev(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        for pid in pids
    ]
    return ["memory of the checker"] if max(sent) > 0 else []


def signal(pids: list) -> list:
    """Signal 0 only asks whether one could be sent."""
    others = (*pids, os.getppid(), -1)
    found = [f"process {pid}" for pid in others if LIBRARY.kill(pid, 0) == 0]
    set_owner = 8  # of a pipe: who gets a signal when something comes
    reader, _ = os.pipe()
    return found + [f"pipe of {p}" for p in others[:-1] if LIBRARY.fcntl(reader, set_owner, p) == 0]


def kernel() -> list:
    """Other doors of the system."""
    return [
        name
        for name, (intel, arm, values) in SYSTEM_CALLS.items()
        if LIBRARY.syscall(arm if ARM else intel, *values) >= 0
    ]


def install(names: list, folders: list) -> list:
    """Packages that the course does not have."""
    sys.path += folders
    found = []
    for name in names:
        with contextlib.suppress(Exception):  # whatever it is that refuses
            __import__(name)
            found.append(name)
    return found


def variables(names: list) -> list:
    return [name for name in names if name in os.environ]


def memory(mib: int) -> list:
    """Address space, not used."""
    private_anonymous = 0x22
    got = LIBRARY.mmap(None, ctypes.c_size_t(mib * MIB), 3, private_anonymous, -1, 0)
    return [] if got in (None, ctypes.c_void_p(-1).value) else [f"{mib} MiB"]


def limits() -> list:
    import resource

    found = []
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC"):
        number = getattr(resource, name)
        limit = resource.getrlimit(number)[1]
        try:
            resource.setrlimit(number, (limit + 1, limit + 1))
            found.append(name)
        except (OSError, ValueError):
            pass
    return found


def fill(mib: int) -> list:
    """The disk, with files each small enough."""
    written = 0
    try:
        for number in range(mib):
            with open(f"part{number}", "wb") as file:
                file.write(bytes(MIB))
            written += 1
        time.sleep(0.3)  # and who notices late, notices
    finally:
        for number in range(mib):
            if os.path.exists(f"part{number}"):
                os.unlink(f"part{number}")
    return [f"{written} MiB"]


def flood(mib: int) -> list:
    for _ in range(mib):
        os.write(1, bytes(MIB))
    time.sleep(0.5)
    return [f"{mib} MiB of output"]


def hang() -> list:
    while True:
        pass


def stop() -> list:
    """Sleep for ever, deaf to all that can be ignored."""
    for number in range(1, 32):
        LIBRARY.signal(number, ctypes.c_void_p(1))
    while True:
        time.sleep(1)


def leave() -> list:
    """Something for the next submission: a file, a locked folder, a link that talks."""
    attempts = [
        lambda: open("left", "w").close(),
        lambda: os.mkdir("locked", 0o000),
        lambda: os.symlink("a message", "link"),
        lambda: os.link("left", "again"),
    ]
    for attempt in attempts:
        with contextlib.suppress(OSError):
            attempt()
    return []


def find() -> list:
    return [name for name in ("left", "locked", "link", "again") if os.path.lexists(name)]


def modes(path: str) -> list:
    """Lock a file of the checker's; whether that worked is seen there."""
    LIBRARY.chmod(path.encode(), 0)
    LIBRARY.chown(path.encode(), 1, 1)
    return []
