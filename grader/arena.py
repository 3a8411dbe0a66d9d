"""Where attacks are tried: a container in which nothing can be broken that matters.

    outside   tried() makes a folder with a copy of the kit, the attack and an honest submission,
              and starts a bubblewrap: other processes, the network and all other files are out of
              reach or cannot be changed
    inside    hold() marks the two, and then looks what is left: processes, files, messages sent

What is inside may die; whatever comes out is judged outside.
"""

from __future__ import annotations

import atexit
import compileall
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from . import attacks, course
from .attacks import NEXT, OWN, SECRETS, Attack, Design, Outcome
from .course import ROOT
from .language import _
from .results import Result

ARENA = Path("/tmp/arena")  # inside
PORT, NAME = 47110, "\0glassbox-arena"  # where it is noted who calls
FOLDERS = ("exercises", "solutions", "grader", "data", "tests")
WATCHED = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")  # inside; all that can be written to
EXPECTED = (f"{ARENA}/results.jsonl", f"{ARENA}/course-")  # which marking itself makes
REFUSED = "not a submission: "  # what `mark` says of a name that it passes over
SETTLING = 1.0  # seconds for processes that are ending
MEMORY = 4 * 2**30  # bytes for each process inside: what wins must not hurt the machine
HARD_LIMIT = 150.0  # seconds, for a container that does not answer
CANARY = '''

@piece("rmsnorm")
def test_a_number_that_nobody_is_told(student):
    """Zeros of a root: the number is found nowhere else."""  # CANARY-tests
    x = np.array([[31337.2718, -31337.2718]])
    close(student.rmsnorm(student.Tensor(x), eps=0.0), np.array([[1.0, -1.0]]))
'''


class Unavailable(Exception):
    """There is no container here to try attacks in; the message says what to install."""


# outside


def try_all(chosen: list[Attack], designs: list[Design], jobs: int) -> Iterator[Outcome]:
    """Try each attack on each design, some at a time; the outcomes in order. Raises Unavailable."""
    if not shutil.which("bwrap"):
        raise Unavailable(_("attacks are tried in a container, which needs bubblewrap"))
    kit()
    with ThreadPoolExecutor(jobs) as pool:
        pairs = [(attack, design) for attack in chosen for design in designs]
        yield from pool.map(lambda pair: tried(*pair), pairs)


def tried(attack: Attack, design: Design) -> Outcome:
    """Try the attack on the design."""
    with tempfile.TemporaryDirectory(prefix="glassbox-arena-", ignore_cleanup_errors=True) as place:
        lay_out(Path(place), attack)
        limit = attacks.NAIVE_SECONDS if design.naive else 2 * attack.seconds
        inside = [sys.executable, "-m", "grader.arena", design.name, str(limit), *attack.select]
        command = [*container(Path(place)), *inside]
        try:
            done = subprocess.run(
                command, capture_output=True, stdin=subprocess.DEVNULL, timeout=HARD_LIMIT
            )
        except subprocess.TimeoutExpired:
            return attacks.outcome(attack, design, None)
        return attacks.outcome(attack, design, last_line(done.stdout))


def last_line(output: bytes) -> dict | None:
    """What hold() found, if it lived to say so."""
    with contextlib.suppress(ValueError, IndexError):
        found = json.loads(output.splitlines()[-1])
        return found if isinstance(found, dict) and "left" in found else None
    return None


def lay_out(place: Path, attack: Attack) -> None:
    """A copy of the kit, the two submissions, and secrets all around."""
    submissions, home = place / "submissions", place / "home"
    shutil.copytree(kit(), place / "kit")
    home.mkdir()
    (home / "secret.txt").write_text("CANARY-home\n")
    (place / "gradebook.csv").write_text("CANARY-gradebook\n")
    honest = submissions / NEXT
    honest.mkdir(parents=True)
    for exercise in course.load().exercises:
        if exercise.short in attack.select:
            text = (ROOT / "solutions" / exercise.file).read_text("utf-8")
            (honest / exercise.file).write_text(text + "\n# CANARY-next\n", "utf-8")
    attack.make(submissions / attack.id)


@cache
def kit() -> Path:
    """A copy of the kit with a number to guard in its hidden tests, compiled; it goes at exit."""
    folder = Path(tempfile.mkdtemp(prefix="glassbox-arena-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for part in FOLDERS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for suite in folder.glob("tests/hidden/test_ex05*.py"):
        suite.write_text(suite.read_text("utf-8") + CANARY, "utf-8")
    compileall.compile_dir(folder / "grader", quiet=2)
    return folder


def container(place: Path) -> list[str]:
    """The command that runs another with all of the machine to read, and `place` alone to write."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(ARENA / "home"),
        "SECRET": "CANARY-environment",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    prefixes = [prefix for prefix in {sys.prefix, sys.base_prefix} if prefix.startswith("/tmp")]
    return [
        "bwrap",
        *"--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts".split(),
        *"--die-with-parent --new-session --clearenv".split(),
        *"--ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /var/tmp".split(),
        *(word for prefix in prefixes for word in ("--ro-bind", prefix, prefix)),
        *("--bind", str(place), str(ARENA), "--chdir", str(ARENA / "kit")),
        *(word for pair in environment.items() for word in ("--setenv", *pair)),
    ]


# inside


def hold(design: Design, limit: float, select: list[str]) -> dict:
    """Mark the two submissions, and say what came of it and what is left of it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # of each process from here on
    calls = listen()
    before = snapshot()
    begun = time.monotonic()
    marks, output = naive(design, limit) if design.naive else marked(design, limit, select)
    seconds = time.monotonic() - begun
    left = [*processes(), *changes(before, snapshot())]
    results = results_written()
    shown, pages = ("", "") if design.naive else reports(results)
    told = output + "".join(calls) + json.dumps([r.to_json() for r in results], ensure_ascii=False)
    points = {e.short: e.points for e in course.load().exercises}
    asked = select[:1] if design.naive else select  # a naive design has tests of one exercise
    return {
        "marks": marks,
        "full": sum(points[name] for name in asked),
        "seconds": round(seconds, 1),
        "left": left,
        "told": [secret for secret in SECRETS if secret in told],
        "shown": output + shown,
        "pages": pages,
    }


def naive(design: Design, limit: float) -> tuple[dict[str, float], str]:
    """The marks of a naive design, which prints each as its last line."""
    marks, outputs = {}, []
    program = ARENA / "kit" / "tests" / "kit" / "attacks" / "naive.py"
    for submission in sorted((ARENA / "submissions").iterdir(), key=lambda path: path.name == NEXT):
        name = NEXT if submission.name == NEXT else OWN
        output = run([sys.executable, str(program), design.name, str(submission)], limit)
        outputs.append(output)
        with contextlib.suppress(ValueError, IndexError, KeyError, TypeError):
            marks[name] = json.loads(output.splitlines()[-1])["mark"]
    return marks, "".join(outputs)


def marked(design: Design, limit: float, select: list[str]) -> tuple[dict[str, float], str]:
    """The marks that `mark` gives, under one isolation."""
    path = os.environ["PATH"]
    if design.name == "landlock":  # what is not found is not used
        path = str(ARENA / "home")
    trust = ["--trust-submissions"] if design.name == "worker" else []
    arguments = [str(ARENA / "submissions"), "--results", str(ARENA / "results.jsonl"), *trust]
    command = [sys.executable, "-m", "grader", "mark", *arguments, "--jobs", "1", "--seed", "7"]
    output = run([*command, *select], limit, PATH=path)
    marks = {OWN: 0.0} if REFUSED in output else {}
    for result in results_written():
        marks[NEXT if result.submission == NEXT else OWN] = result.earned
    return marks, output


def results_written() -> list[Result]:
    """The records in the results file, as far as they can be read."""
    path = ARENA / "results.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    results = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            results.append(Result.from_json(json.loads(line)))
    return results


def run(command: list[str], limit: float, **environment: str) -> str:
    """What the command printed until it ended, or was ended."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | environment,
    )
    chunks: list[bytes] = []
    reader = threading.Thread(target=drain, args=(process, chunks), daemon=True)
    reader.start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(limit)
    process.kill()
    reader.join(SETTLING)  # what lives on may hold the pipe open
    return b"".join(chunks).decode("utf-8", "replace")


def drain(process: subprocess.Popen, chunks: list[bytes]) -> None:
    while chunk := os.read(process.stdout.fileno(), 2**16):
        if len(chunks) < 1000:
            chunks.append(chunk)


def listen() -> list[str]:
    """A list that grows with whatever is sent to the ports of the arena."""
    heard: list[str] = []
    lines = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", PORT)),
        (socket.AF_UNIX, socket.SOCK_STREAM, NAME),
    ]
    for family, kind, address in lines:
        line = socket.socket(family, kind)
        line.bind(address)
        if kind == socket.SOCK_STREAM:
            line.listen()
        threading.Thread(target=hear, args=(line, kind, heard), daemon=True).start()
    return heard


def hear(line: socket.socket, kind: int, heard: list[str]) -> None:
    while True:
        caller = line.accept()[0] if kind == socket.SOCK_STREAM else line
        heard.append(caller.recv(1000).decode("utf-8", "replace"))


def processes() -> list[str]:
    """The processes that are still there, beside this one and the container's first."""
    end = time.monotonic() + SETTLING
    while True:
        left = [pid for pid in os.listdir("/proc") if pid.isdigit()]
        left = [pid for pid in left if int(pid) not in (1, os.getpid()) and is_alive(pid)]
        if not left or time.monotonic() > end:
            return [f"a process ({name(pid)})" for pid in left]
        time.sleep(0.05)


def is_alive(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def name(pid: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:60]
    return pid


def snapshot() -> dict[str, tuple[int, int]]:
    """Size and date of every file that can be written to, and of the folders."""
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found()}


def found() -> Iterator[tuple[str, os.stat_result]]:
    for top in WATCHED:
        for folder, folders, files in os.walk(top):
            for entry in [*files, *(f for f in folders if os.path.islink(f"{folder}/{f}"))]:
                path = f"{folder}/{entry}"
                if not path.startswith((sys.prefix, sys.base_prefix)):
                    yield path, os.lstat(path)


def changes(before: dict, after: dict) -> Iterator[str]:
    """Files that are new, changed or gone, apart from what marking itself leaves."""
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) == after.get(path) or path.startswith(EXPECTED):
            continue
        if not (path.endswith(".pyc") and path not in before):  # Python's own
            yield path


def reports(results: list[Result]) -> tuple[str, str]:
    """What a teacher sees of the results: on a screen, and in a page."""
    from rich.console import Console

    from .reports import board, github, junit, plain

    whole, screen, pages = course.load(), io.StringIO(), []
    console = Console(file=screen, width=100, color_system=None)
    for result in results:
        with contextlib.suppress(KeyError):
            board.show(result, whole, console)
            screen.write(plain.render(result, whole))
        pages += [github.summary(result), junit.render(result), board.svg(result, whole)]
    return screen.getvalue(), "".join(pages)


if __name__ == "__main__":
    design, limit, *select = sys.argv[1:]
    print("\n" + json.dumps(hold(attacks.DESIGNS[design], float(limit), select)))
