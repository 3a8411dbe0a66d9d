"""What the operating system can keep student's code from, and how a worker is started under it.

    bubblewrap+seccomp   namespaces: no other process, no network, no file but Python's own
    landlock+seccomp     the same files, where user namespaces are refused
    none                 limits alone: for a student's own check

The seccomp filter allows what Python and numpy need of the system, and refuses the rest with
EPERM: a call that nobody thought of is an exception in the student's code, not a dead worker.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import os
import shutil
import stat
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .course import ROOT
from .language import _
from .sandbox import FOLDER_MIB, MIB

BUBBLEWRAP, LANDLOCK, NONE = "bubblewrap+seccomp", "landlock+seccomp", "none"

# of the grader, in the worker
MODULES = ("__init__", "nursery", "worker", "wire", "sandbox", "scenarios", "recording")
THREADS = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")
}
NAMESPACES = """
    --unshare-all --unshare-user --disable-userns --cap-drop ALL --die-with-parent --new-session
    --clearenv
""".split()
SYSTEM = ("/usr", "/lib", "/lib64", "/nix", "/gnu")  # where a system keeps its libraries
FOLDER = "/folder"  # inside, where student's code may write
DAY = 24 * 60 * 60  # seconds after which the system notes a reading again
TURN = 600  # seconds from one look at all these dates to the next
OLDEST_LANDLOCK = 3  # the first that sees files being truncated

INSTALL = """\
  bubblewrap    apt install bubblewrap (Fedora: dnf install bubblewrap)
  the filter    python -m pip install -r requirements/marking.txt"""

# What Python, numpy and a student's code may ask of the system. Not here: new processes and
# threads, programs, sockets, signals, other processes' memory, mounts, keys, devices.
ALLOWED = """
    read write readv writev pread64 pwrite64 preadv pwritev lseek open openat close close_range
    fstat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat statfs fstatfs
    getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat
    renameat2 truncate ftruncate fallocate sendfile copy_file_range fsync fdatasync flock
    umask dup dup2 dup3 pipe pipe2 poll ppoll select pselect6
    mmap munmap mprotect mremap madvise brk membarrier
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack pause
    alarm getitimer setitimer restart_syscall futex rseq set_robust_list
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
    getpid getppid gettid getpgrp getuid geteuid getgid getegid getresuid getresgid getgroups
    getrusage getrlimit sysinfo uname getcpu sched_yield sched_getaffinity getrandom wait4 waitid
    exit exit_group
""".split()
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030)  # duplicates, flags, locks; never who gets a signal
IOCTL = (0x5401, 0x5421, 0x5450, 0x5451)  # is it a terminal? blocking, and closing on exec
# Said to be done, and not done: they reach files that Landlock does not hide, or what the system
# keeps of files in its memory, and copying a file with shutil asks for them.
PRETENDED = "chmod fchmod fchmodat fchmodat2 utime utimes futimesat utimensat fadvise64".split()


class Unavailable(Exception):
    """This machine cannot keep student's code apart; the message says what to install."""


@dataclass(frozen=True)
class Isolation:
    """One way to run a worker; `name` stands in each result's provenance."""

    name: str

    @property
    def is_none(self) -> bool:
        return self.name == NONE

    @property
    def in_memory(self) -> bool:
        """Whether the folder for student's code is inside, and gone with the worker."""
        return self.name == BUBBLEWRAP

    def command(self, boot: str) -> list[str]:
        """The command that starts a worker."""
        python = ["-I", "-S", "-X", "utf8", "-c", boot]
        if self.in_memory:
            return [*bubblewrap_command(), interpreter(), *python, "/course", "/site"]
        program = sys.executable if self.is_none else interpreter()
        return [program, *python, str(ROOT), str(numpy_folder().parent)]

    def seal(self) -> dict[str, Any] | None:
        """What a worker is told to give up before it runs student's code."""
        import numpy as np

        return None if self.is_none else {"filter": np.frombuffer(seccomp_filter(), np.uint8)}

    def rules(self, folder: Path | None) -> Any:
        """The Landlock ruleset for a worker whose home is `folder`, or None."""
        return landlock_rules(folder) if self.name == LANDLOCK else None


def none() -> Isolation:
    return Isolation(NONE)


def bubblewrap() -> Isolation:
    """Namespaces and a filter. Raises Unavailable where they cannot be had."""
    if not shutil.which("bwrap"):
        raise Unavailable(_("bubblewrap is not installed"))
    return tried(Isolation(BUBBLEWRAP))


def landlock() -> Isolation:
    """Landlock and a filter, which need no privilege. Raises Unavailable."""
    return tried(Isolation(LANDLOCK))


@functools.cache
def best() -> Isolation:
    """The strongest isolation that works here, found by trying. Raises Unavailable."""
    refusals = []
    for kind in (bubblewrap, landlock):
        try:
            return kind()
        except Unavailable as error:
            refusals.append(f"  {kind.__name__:12}  {error}")
    words = _("student's code cannot be kept apart on this machine:\n{reasons}\nInstall:\n{what}")
    raise Unavailable(words.format(reasons="\n".join(refusals), what=INSTALL))


def tried(isolation: Isolation) -> Isolation:
    """The isolation, if a worker starts under it and cannot do what it must not."""
    if sys.platform != "linux":
        raise Unavailable(_("only Linux has it; mark in a virtual machine with Linux"))
    from . import breakout
    from .process import TRIES, Crashed, NotStarted

    for left in reversed(range(TRIES)):
        try:
            got = [outcome.got for outcome in breakout.first_outcomes(isolation) if outcome.got]
            break
        except (ImportError, OSError, ValueError, Crashed, NotStarted) as error:
            if not (left and getattr(error, "killed", False)):
                raise Unavailable(str(error)) from error
    if got:
        raise Unavailable(_("it does not hold: {what}").format(what="; ".join(got)))
    return isolation


# what a worker may read


def interpreter() -> str:
    """Python itself, not the link to it in a .venv."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def numpy_folder() -> Path:
    spec = importlib.util.find_spec("numpy")
    if spec is None:
        raise ImportError(_("numpy is not installed"))
    return Path(spec.origin).parent


def numpy_parts() -> list[Path]:
    """numpy, and the libraries that its wheel brings along."""
    folder = numpy_folder()
    return [part for part in (folder, folder.with_name("numpy.libs")) if part.is_dir()]


def module_files() -> list[Path]:
    """The grader's own files that a worker needs, and what Python compiled of them."""
    sources = [ROOT / "grader" / f"{name}.py" for name in MODULES]
    compiled = [Path(importlib.util.cache_from_source(str(source))) for source in sources]
    return sources + [path for path in compiled if path.is_file()]


@functools.cache
def libraries() -> tuple[Path, ...]:
    """The folders of the standard library, and of the system's libraries in use here."""
    import numpy  # noqa: F401  so that its libraries are among them

    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    lines = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    mapped = {Path(line.split(maxsplit=5)[5]) for line in lines if ".so" in line}
    system = {
        path.parent
        for path in mapped
        if any(path.is_relative_to(prefix) for prefix in (*SYSTEM, sys.base_prefix))
        and not {"site-packages", "dist-packages"} & set(path.parts)
    }
    folders = sorted({Path(os.path.realpath(folder)) for folder in standard | system})
    return tuple(f for f in folders if not any(f != g and f.is_relative_to(g) for g in folders))


def packages() -> list[Path]:
    """What is installed within those folders: no business of student's code."""
    names = ("site-packages", "dist-packages", "python*/site-packages", "python*/dist-packages")
    return [found for folder in libraries() for name in names for found in folder.glob(name)]


def without(folder: Path, hidden: list[Path]) -> Iterator[Path]:
    """Paths that together hold all of `folder` but what is hidden."""
    if folder in hidden:
        return
    if not any(path.is_relative_to(folder) for path in hidden):
        yield folder
        return
    for inner in sorted(folder.iterdir()):
        yield from without(inner, hidden)


# how it is kept to that


def bubblewrap_command() -> list[str]:
    """bwrap, with all that a worker sees; --size is known from 0.7 on."""
    command = [shutil.which("bwrap") or "bwrap", *NAMESPACES]

    def show(path: object, place: object = None, how: str = "--ro-bind") -> None:
        command.extend([how, str(path), str(place or path)])

    for name, value in THREADS.items():
        command += ["--setenv", name, value]
    for folder in libraries():
        show(folder)
    for folder in packages():
        command += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    for link in filter(os.path.islink, ("/lib", "/lib64")):
        command += ["--symlink", os.readlink(link), link]
    for loader in Path("/").glob("lib*/ld-*.so*"):  # it starts every program
        show(loader, Path(os.path.realpath(loader.parent), loader.name))
    show(interpreter())
    for part in numpy_parts():
        show(part, f"/site/{part.name}")
    for file in module_files():
        show(file, f"/course/{file.relative_to(ROOT).as_posix()}")
    for path in ("/etc/ld.so.cache", "/etc/alternatives"):
        show(path, how="--ro-bind-try")
    show("/dev/null", how="--dev-bind")
    command += ["--size", str(FOLDER_MIB * MIB), "--tmpfs", FOLDER, "--remount-ro", "/"]
    return [*command, "--chdir", FOLDER, "--"]


def landlock_rules(folder: Path) -> Any:
    """What a worker may read, and its folder; all else is refused."""
    from landlockpy import AccessFS, Ruleset, Scope

    read_file, read = AccessFS.READ_FILE, AccessFS.READ_FILE | AccessFS.READ_DIR
    write = read | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR
    write |= AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
    rules = Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL)
    if rules.abi_version < OLDEST_LANDLOCK:
        raise OSError(_("Landlock is too old here: Linux 6.2 is the first that does"))
    hidden = packages()
    for path in [p for lib in libraries() for p in without(lib, hidden)] + numpy_parts():
        rules.allow_path(path, read if path.is_dir() else read_file)
    for listed in (*libraries(), ROOT / "grader"):
        rules.allow_path(listed, AccessFS.READ_DIR)  # importing lists it
    for file in module_files():
        rules.allow_path(file, read_file)
    rules.allow_path("/dev/null", read_file | AccessFS.WRITE_FILE)
    rules.allow_path(folder, write)
    look_over(int(time.time() // TURN))
    return rules


@functools.lru_cache(maxsize=1)
def look_over(turn: int) -> None:
    """Read a little of all that a worker may read and that nobody has read for a day.

    The system notes the date of the first reading, and that of no other on that day: a worker that
    is the first could leave a message to the next one, in thousands of dates.
    """
    day = time.time() - DAY
    waiting = [str(top) for top in (*libraries(), ROOT / "grader", *numpy_parts())]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry.path)
                elif status.st_atime <= max(status.st_mtime, status.st_ctime, day):
                    glance(entry.path, stat.S_ISLNK(status.st_mode))


def glance(path: str, link: bool) -> None:
    with contextlib.suppress(OSError):
        if link:
            os.readlink(path)
        else:
            with open(path, "rb", buffering=0) as file:
                file.read(1)


@functools.cache
def seccomp_filter() -> bytes:
    """The filter, compiled for this machine."""
    from seccompy import Action, ArgCmp, CmpOp, Filter
    from seccompy.errors import UnsupportedError

    filter = Filter(default=Action.ERRNO | errno.EPERM)

    def add(names: list[str], method: Any, *values: Any) -> None:
        for name in names:
            with contextlib.suppress(ValueError, KeyError, UnsupportedError):
                method(name, *values)  # a machine does not have all: aarch64 has no open

    add(ALLOWED, filter.allow)
    add(PRETENDED, filter.errno, 0)
    for name, commands in (("fcntl", FCNTL), ("ioctl", IOCTL)):
        for command in commands:
            filter.allow(name, args={1: command})
    filter.allow("prlimit64", args=[ArgCmp(0, CmpOp.EQ, 0)])  # its own limits: down, never up
    return filter.program
