"""Windows and macOS, as far as this machine can be made to lack what they lack.

The modules and calls that only POSIX has are taken away, from the checker and from its worker, and
every command of a student's is run.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from grader.course import ROOT

BLOCKED = """
import os, signal, subprocess, sys, multiprocessing.util, tempfile, site, socket, select
MODULES = "resource fcntl termios tty pwd grp pty syslog crypt readline _curses".split()
CALLS = (
    "fork forkpty killpg setsid setpgid getpgid getuid geteuid getgid setuid setgid setgroups "
    "chown lchown getloadavg nice mkfifo sched_getaffinity sched_setaffinity "
    "wait3 wait4 waitid set_blocking prctl unshare setns memfd_create getresuid"
).split()
SIGNALS = "SIGKILL SIGHUP SIGTSTP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGQUIT SIGXCPU SIGPIPE".split()


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


for name in MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocked())


def kill(self):
    # as on Windows, where it is no signal
    if self.poll() is None:
        os.kill(self.pid, 9)


subprocess.Popen.kill = kill
for name in CALLS:
    if hasattr(os, name):
        delattr(os, name)
for name in SIGNALS:
    if hasattr(signal, name):
        delattr(signal, name)
"""
RUN = """
{blocked}
import sys
sys.path.insert(0, {root!r})
import grader.worker
if hasattr(grader.worker, "BOOT"):
    grader.worker.BOOT = {blocked!r} + grader.worker.BOOT
from grader.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the course, in which ex05 is done and the rest is to do."""
    root = tmp_path_factory.mktemp("elsewhere") / "course"
    left = (".git", ".venv", ".glassbox", "__pycache__", "*.cache", "docs", "kit")
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*left))
    return root


def run(root, *arguments, timeout=120):
    code = RUN.format(blocked=BLOCKED, root=str(root))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        env=os.environ | {"PYTHONPATH": ""},
    )


def test_what_is_taken_away_is_gone():
    code = BLOCKED + "import os, signal\nprint(hasattr(os, 'fork'), hasattr(signal, 'SIGKILL'))\n"
    code += "import resource"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False False"
    assert "No module named 'resource'" in done.stderr


def test_a_check_passes_what_is_right(copy):
    done = run(copy, "check", "ex05", "--target", "solutions", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"]["earned"] == 16.0


@pytest.mark.slow  # it waits until the loop's time is over
def test_an_endless_loop_is_ended_there_too(copy, tmp_path):
    for path in (copy / "solutions").glob("*.py"):
        text = path.read_text("utf-8")
        if path.name == "ex05_norm.py":
            text = text.replace(
                "    centred = x.data", "    while True: pass\n    centred = x.data"
            )
        (tmp_path / path.name).write_text(text, "utf-8")
    done = run(copy, "check", "ex05", "--target", str(tmp_path), "--format", "json")
    assert done.returncode == 1, done.stderr
    [exercise] = json.loads(done.stdout)["exercises"]
    statuses = {t["status"] for piece in exercise["pieces"] for t in piece["tests"]}
    assert "timeout" in statuses and "passed" in statuses


@pytest.mark.slow  # a fresh Python for each of a dozen commands
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "ex01"), 1),
        (("check", "ex01", "--in-process"), 1),
        (("status",), 0),
        (("hint",), 0),
        (("hint", "softmax", "--more"), 0),
        (("reset", "ex01", "--yes"), 0),
        (("undo", "ex01", "--list"), 0),
        (("train", "--target", "solutions", "--steps", "2"), 0),
        (("doctor",), None),
        (("update", "--undo"), 2),
        (("assemble", "--target", "solutions"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_command_of_a_student_works(copy, arguments, code):
    done = run(copy, *arguments)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert code is None or done.returncode == code, done.stderr


def test_a_watch_begins_and_its_checker_answers(copy):
    """With processes that are started anew, as everywhere but on Linux."""
    code = (
        BLOCKED
        + f"""
import sys
sys.path.insert(0, {str(copy)!r})
import grader.worker
grader.worker.BOOT = {BLOCKED!r} + grader.worker.BOOT  # in the new processes too
if __name__ == "__main__":
    sys.platform = "darwin"
    import grader.watch
    from grader import course, standby
    from grader.assembly import Target
    assert standby.PROCESSES.get_start_method() == "spawn"
    sys.platform = "linux"
    known = course.load()
    watch = grader.watch.Watch(known, grader.course.ROOT / "exercises")
    watch.begin()
    answer = watch.running.answer()
    print(getattr(answer, "message", "") or answer.exercises[0].id)
    watch.close()
"""
    )
    script = copy / "watch_once.py"
    script.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=copy, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("ex"), done.stdout + done.stderr
