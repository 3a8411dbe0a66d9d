"""The process that waits, with numpy imported, and forks a child for each plan of a check.

It runs no student's code, and no student's code can speak for it: a child never holds the line on
which it says how the child ended. This is the worker's side; zygote.py is the checker's.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import heapq  # noqa: F401  as numpy.random: here once, or in nearly every child
import os
import select
import signal
import site
import socket
import time

import numpy.random  # noqa: F401  numpy leaves it until it is used, and it takes 9 ms

from . import sandbox, wire
from .worker import FORKS, serve

TICK = 0.05  # seconds between two looks at what a child has put into its folder
POLL = 0.002  # seconds between two looks at whether it has ended


def main() -> None:
    """Wait for orders on stdin; where the system cannot fork, serve there at once, and only once.

    What the student's code prints, in whatever way, goes to stderr.
    """
    faulthandler.enable(file=2, all_threads=False)
    sandbox.keep_memory()
    site.setquit()  # students know exit() and quit()
    null = os.open(os.devnull, os.O_RDWR)
    if FORKS:
        line = socket.socket(fileno=os.dup(0))
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)
        nurse(line)
    else:
        requests, answers = os.dup(0), os.dup(1)
        os.dup2(null, 0)
        os.dup2(2, 1)
        serve(requests, answers)


class Orders:
    """The line to the checker, read as a stream; descriptors that come with it are kept."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.descriptors: list[int] = []

    def read(self, size: int) -> bytes:
        data, descriptors, _, _ = socket.recv_fds(self.line, size, 4)
        self.descriptors += descriptors
        return data

    def take(self) -> list[int]:
        taken, self.descriptors = self.descriptors, []
        return taken


def nurse(line: socket.socket) -> None:
    """Fork a child for each "begin" and end it for each "end", until the line is cut.

    That is how a child ends, too, whose checker was killed.

        {"begin": seal} + requests, answers, output (, ruleset)  ->  the child says that it is ready
        {"end": seconds of patience}  ->  {"ended": exit code, "stopped", "overfull", "clean"}
    """
    gc.freeze()
    orders, child, home, overfull = Orders(line), 0, os.getcwd(), False
    while True:
        while child and not select.select([line], [], [], TICK)[0]:
            if overfull := overfull or sandbox.overfull(home):
                kill_group(child)
        try:
            order = wire.receive(orders)
        except (EOFError, OSError):
            break
        if "begin" in order:
            child, overfull = beget(orders.take(), line, order["begin"]), False
        else:
            code, stopped = end(child, order["end"]) if child else (None, False)
            child = 0
            answer = {"ended": code, "stopped": stopped, "overfull": overfull, "clean": swept(home)}
            line.sendall(wire.encode(answer))
    if child:
        end(child, 0.0)
    if swept(home):
        with contextlib.suppress(OSError):
            os.rmdir(home)  # the checker may be gone


def beget(descriptors: list[int], line: socket.socket, seal: dict | None) -> int:
    """Fork a child that serves on the descriptors, sealed; its number."""
    parent = os.getpid()
    child = os.fork()
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # said on both sides, so that it holds on both at once
    if child == 0:
        status = 1
        try:
            requests, answers, output, *rules = descriptors
            line.close()
            os.dup2(output, 1)
            os.dup2(output, 2)
            null = os.open(os.devnull, os.O_RDWR)  # its own: flags are seen by all who share one
            os.dup2(null, 0)
            os.close(null)
            sandbox.end_with_parent(parent)
            if seal:
                sandbox.seal(seal["filter"].tobytes(), *(rules or [None]))
            for descriptor in (output, *rules):
                os.close(descriptor)
            serve(requests, answers)
            status = 0
        except BaseException as error:
            os.write(2, f"the worker broke: {error!r}\n".encode("utf-8", "replace"))
        finally:
            os._exit(status)
    for descriptor in descriptors:
        os.close(descriptor)
    return child


def end(child: int, patience: float) -> tuple[int, bool]:
    """The exit code of `child`, and whether it had to be stopped after `patience` seconds."""
    limit = time.monotonic() + patience
    pid, status = os.waitpid(child, os.WNOHANG)
    while not pid and time.monotonic() < limit:
        time.sleep(POLL)
        pid, status = os.waitpid(child, os.WNOHANG)
    kill_group(child)
    if not pid:
        os.kill(child, signal.SIGKILL)  # it may have left its group
        status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status), not pid


def kill_group(child: int) -> None:
    """Kill the child, and what it may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def swept(folder: str) -> bool:
    """Whether the folder is there, and empty now."""
    try:
        sandbox.empty(folder)
        os.utime(folder)  # or its age would be a message to the next child
    except OSError:
        return False
    return True
