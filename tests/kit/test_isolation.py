"""What student's code is kept from, how its processes begin and end, and what the screen says."""

import contextlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from below import descendants, runs

from grader import breakout, isolation, process, suite, worker, zygote
from grader import course as courses
from grader.assembly import Target
from grader.isolation import Isolation, Unavailable
from grader.process import Crashed, NotStarted, TimedOut, Worker
from grader.wire import WireError

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load()
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux isolates")
LIMITS = {"memory_mib": 2048, "cpu_seconds": 20, "file_mib": 1}


def of_this_machine(name: str) -> Isolation:
    try:
        return getattr(isolation, name)()
    except Unavailable as error:
        pytest.skip(f"{name}: {error}")


@pytest.fixture(params=["bubblewrap", "landlock"])
def kind(request) -> Isolation:
    """Each way to keep code apart that this machine has."""
    return of_this_machine(request.param)


@pytest.fixture(params=["none", "bubblewrap", "landlock"])
def any_worker(request):
    with contextlib.closing(Worker(of_this_machine(request.param))) as started:
        yield started


@pytest.fixture
def plain():
    with contextlib.closing(Worker()) as started:
        yield started


def load(worker: Worker, source: str, file_mib: int = 1) -> dict:
    """Begin anew, with `source` as the whole submission."""
    module = {"file": "code.py", "source": source, "borrowed": None}
    worker.begin()
    worker.ask({"op": "limit", "limits": LIMITS | {"file_mib": file_mib}}, 10.0)
    return worker.ask(
        {"op": "load", "exercise": "code", "modules": {"code": module}, "names": {}}, 10.0
    )


def call(worker: Worker, name: str, *args: object, seconds: float = 10.0) -> dict:
    return worker.ask({"op": "call", "name": name, "args": list(args), "kwargs": {}}, seconds)


# what it is kept from


@LINUX
def test_every_attack_of_the_doctor_is_refused(kind):
    found = list(breakout.outcomes(kind))
    assert {o.attempt.wants: o.got for o in found if not o.refused} == {}
    assert len(found) >= 24
    words = {o.attempt.name: o.how for o in found}
    assert words["flood"] == "printed more than 32 MiB, and was stopped"
    assert words["hang"] == "its time was over, and it was stopped"


@LINUX
def test_without_isolation_the_same_attacks_get_through():
    got = {o.attempt.name for o in breakout.outcomes(isolation.none()) if not o.refused}
    assert got >= {"connect", "opened", "install", "processes", "signal", "kernel", "execute"}
    assert got >= {"modes", "write"}


@LINUX
def test_the_doctor_shows_one_screen_and_ends_with_its_verdict(monkeypatch, capsys):
    from grader.cli import main

    found = [breakout.Outcome(breakout.Attempt("start a process", "fork"), got, "") for got in "x "]
    monkeypatch.setattr(breakout, "outcomes", lambda kind: found)
    assert main(["doctor", "--marking", "--isolation", "none"]) == 1
    assert capsys.readouterr().out == (
        "Kept apart by none:\n\n"
        "NOT refused   start a process               got x\n"
        "NOT refused   start a process               got\n\n"
        "0 of 2 attacks refused: do not mark here\n"
    )
    monkeypatch.setattr(
        breakout, "outcomes", lambda kind: [breakout.Outcome(found[0].attempt, "", "")]
    )
    assert main(["doctor", "--marking", "--isolation", "none"]) == 0
    assert "1 of 1 attacks refused: submissions can be marked here" in capsys.readouterr().out


def test_an_attempt_that_is_broken_does_not_count_as_refused(plain):
    outcome = breakout.tried(plain, breakout.Attempt("nothing", "opened", (1, 2, 3)))
    assert not outcome.refused
    assert outcome.got == "the attempt broke: TypeError"


@LINUX
def test_the_reference_passes_in_it(kind):
    wanted = tuple(COURSE.pieces[id] for id in ("ex01.encode", "ex09.checkpoints"))
    options = suite.usual(tests=(ROOT / "tests/visible",), alone=True, worker=Worker(kind))
    result = suite.check(COURSE, Target.read(ROOT / "solutions", COURSE), wanted, options)
    statuses = {t.status for e in result.exercises for p in e.pieces for t in p.tests}
    assert statuses == {"passed"}


@LINUX
def test_what_an_honest_student_does_with_files_works_in_it(kind):
    source = (
        "import os, shutil, tempfile\n"
        "def save():\n"
        "    os.makedirs('deep/er', exist_ok=True)\n"
        "    with tempfile.NamedTemporaryFile('w', dir='.', delete=False) as file:\n"
        "        file.write('text')\n"
        "    os.replace(file.name, 'deep/a')\n"
        "    shutil.copy('deep/a', 'deep/er/b')\n"
        "    shutil.rmtree('deep/er')\n"
        "    return os.listdir('deep'), open('deep/a').read()\n"
    )
    with contextlib.closing(Worker(kind)) as started:
        assert "value" in load(started, source)
        assert call(started, "save") == {"value": (["a"], "text"), "printed": 0}


@LINUX
def test_all_of_the_standard_library_that_is_not_refused_can_be_imported(kind):
    names = "sqlite3 decimal ssl lzma unicodedata zoneinfo csv xml.dom json multiprocessing asyncio"
    source = f"import importlib\n[importlib.import_module(n) for n in {names.split()!r}]\n"
    source += "import numpy.testing, numpy.polynomial, numpy.ma\n"
    with contextlib.closing(Worker(kind)) as started:
        assert "value" in load(started, source)


@LINUX
def test_the_worker_has_its_own_modules_in_it_and_no_other_of_the_grader(kind):
    source = "import importlib\ndef has(name): return bool(importlib.import_module(name))"
    with contextlib.closing(Worker(kind)) as started:
        load(started, source)
        for name in isolation.MODULES[1:]:
            assert call(started, "has", f"grader.{name}") == {"value": True, "printed": 0}
        for name in ("suite", "assembly", "compare"):
            assert "error" in call(started, "has", f"grader.{name}")


@LINUX
def test_every_system_call_of_the_filter_exists():
    syscalls = pytest.importorskip("seccompy.syscalls")
    known = set(syscalls.X86_64_SYSCALLS) | set(syscalls.AARCH64_SYSCALLS)
    assert {*isolation.ALLOWED, *isolation.PRETENDED} <= known
    dangerous = (
        "clone clone3 fork vfork execve socket kill tgkill ptrace memfd_create io_uring_setup"
    )
    assert not {*isolation.ALLOWED} & {*dangerous.split()}


@LINUX
def test_the_checker_can_be_read_by_nobody_while_it_marks(kind):
    import ctypes

    with contextlib.closing(Worker(kind)):
        get_dumpable = 3
        assert ctypes.CDLL(None).prctl(get_dumpable, 0, 0, 0, 0) == 0


@LINUX
def test_the_checker_never_compiles_a_submission(tmp_path):
    ours = shutil.copytree(ROOT / "solutions", tmp_path / "theirs")
    file = ours / "ex01_tokenizer.py"
    file.write_text(file.read_text("utf-8") + "\nplanted = True\n", "utf-8")
    code = """
import sys
from pathlib import Path
compiled = []
def hook(event, args):
    if event == "compile" or event == "exec":
        compiled.append(repr(args))
sys.addaudithook(hook)
from grader import course, suite
from grader.assembly import Target
course = course.load()
options = suite.usual(tests=(Path("tests/visible"),))
target = Target.read(Path(sys.argv[1]), course)
result = suite.check(course, target, (course.pieces["ex01.encode"],), options)
print(len(compiled) > 10, [text for text in compiled if "planted" in text or sys.argv[1] in text])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ours)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "True []\n", done.stderr


# what there is


def test_no_isolation_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setattr(isolation.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "landlockpy", None)
    with pytest.raises(Unavailable) as error:
        isolation.best.__wrapped__()
    assert "bubblewrap is not installed" in str(error.value)
    assert "apt install bubblewrap" in str(error.value)
    assert "pip install -r requirements/marking.txt" in str(error.value)


@LINUX
def test_where_namespaces_are_refused_landlock_takes_over():
    of_this_machine("bubblewrap")
    of_this_machine("landlock")
    code = "from grader import isolation; print(isolation.best().name)"
    nested = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns"]
    done = subprocess.run(
        [*nested, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "landlock+seccomp\n", done.stderr


@LINUX
def test_isolation_that_does_not_hold_is_not_used(monkeypatch):
    of_this_machine("landlock")
    everything = isolation.landlock_rules(ROOT)
    everything.allow_path("/", everything.handled_fs)
    monkeypatch.setattr(isolation, "landlock_rules", lambda folder: everything)
    with pytest.raises(Unavailable, match=r"does not hold: .*breakout\.py"):
        isolation.landlock()


@LINUX
def test_a_filter_that_the_system_does_not_take_runs_no_code(monkeypatch, kind):
    monkeypatch.setattr(isolation, "seccomp_filter", lambda: b"\xff" * 16)
    with (
        contextlib.closing(Worker(kind)) as started,
        pytest.raises(NotStarted, match="Invalid argument"),
    ):
        started.begin()


def test_a_kind_of_isolation_can_be_sent_to_other_processes():
    kind = Isolation(isolation.BUBBLEWRAP)
    assert pickle.loads(pickle.dumps(kind)) == kind


# beginnings and ends


def test_a_child_that_leaves_its_group_ends_too(plain):
    load(plain, "import os, time\ndef go(): os.setpgid(0, os.getppid()); time.sleep(60)")
    with pytest.raises(TimedOut):
        call(plain, "go", seconds=0.3)
    start = time.monotonic()
    zygote_before = plain.source
    load(plain, "")
    assert plain.source is zygote_before
    assert time.monotonic() - start < zygote.END_SECONDS


def test_the_child_of_the_next_plan_is_another_process(any_worker):
    forger = (
        "import os, struct, threading\n"
        'frame = b\'{"dict":{"ended":0,"stopped":false,"clean":true}}\'\n'
        "frame = struct.pack('<4sII', b'GBW1', len(frame), 0) + frame\n"
        "STATE = 'of the first plan'\n"
        "def forge():\n"
        "    for number in range(3, 64):\n"
        "        try: os.write(number, frame)\n"
        "        except OSError: pass\n"
        "def pid(): return os.getpid()\n"
    )
    load(any_worker, forger)
    first = call(any_worker, "pid")["value"]
    with contextlib.suppress(WireError, Crashed):
        call(any_worker, "forge")
    load(
        any_worker,
        "import os\ndef pid(): return os.getpid()\ndef names(): return sorted(globals())",
    )
    assert call(any_worker, "pid")["value"] != first
    assert "STATE" not in call(any_worker, "names")["value"]


def test_nothing_that_a_child_leaves_is_there_for_the_next(any_worker):
    leave = (
        "import os\n"
        "def leave():\n"
        "    open('file', 'w').close()\n"
        "    os.makedirs('x/' * 60)\n"
        "    os.mkdir('locked', 0)\n"
        "    os.environ['LEFT'] = 'yes'\n"
        "    for attempt in (lambda: os.symlink('..', 'link'), lambda: os.chmod('.', 0)):\n"
        "        try: attempt()\n"
        "        except OSError: pass\n"
    )
    assert "value" in load(any_worker, leave, file_mib=0)
    assert "value" in call(any_worker, "leave")
    load(any_worker, "import os\ndef find(): return os.listdir(), 'LEFT' in os.environ")
    assert call(any_worker, "find")["value"] == ([], False)


def test_a_folder_of_a_child_is_removed_however_deep_or_locked_it_is():
    deep = (
        "import os\n"
        "def dig():\n"
        "    for _ in range(3000):\n"
        "        os.mkdir('d'); os.chdir('d')\n"
        "    os.mkdir('locked', 0)\n"
    )
    started = Worker()
    folders = {started.source.folder}
    load(started, deep)
    with contextlib.suppress(Crashed):  # what is too deep to be measured is stopped
        call(started, "dig")
    started.begin()
    folders.add(started.source.folder)
    started.close()
    assert not [folder for folder in folders if folder.exists()]


@pytest.mark.parametrize(
    ("does", "raises", "says"),
    [
        ("os._exit(3)", Crashed, "exit code 3"),
        ("ctypes.string_at(0)", Crashed, "SIGSEGV"),
        ("[os.close(n) for n in range(3, 64) if closes(n)]; time.sleep(9)", Crashed, "cut its own"),
        ("write(b'GBW1' + b'\\0' * 5); os._exit(0)", WireError, "ends within its prefix"),
        ("write(b'rubbish of a dozen bytes'); time.sleep(9)", WireError, "does not start"),
        ("write(b'GBW1' + b'\\xff' * 8); time.sleep(9)", WireError, "over the limits"),
        (
            "[(write(b'GBW1'[n:n + 1]), time.sleep(0.6)) for n in range(4)]",
            TimedOut,
            "no answer after",
        ),
        ("write(b'GBW1\\x09\\0\\0\\0\\xff\\xff\\xff\\0'); time.sleep(9)", TimedOut, "no answer"),
        ("ctypes.CDLL(None).raise_(19) if 0 else os.kill(os.getpid(), 19)", TimedOut, "no answer"),
        ("flood()", Crashed, "printed more than 32 MiB"),
        ("fill()", Crashed, "put more than 64 MiB or 1000 files into its folder"),
        ("[open(str(n), 'w').close() for n in range(99999)]", Crashed, "put more than 64 MiB"),
    ],
    ids=str,
)
def test_a_hostile_child_ends_in_words(plain, does, raises, says):
    source = f"""
import ctypes, os, sys, time
os.kill = lambda pid, number: ctypes.CDLL(None).kill(pid, number)
def write(data):
    for number in range(3, 64):
        try:
            os.write(number, data)
        except OSError:
            pass
def closes(number):
    try:
        os.close(number)
    except OSError:
        pass
def flood():
    while True:
        os.write(1, b"x" * 65536)
def fill():
    for number in range(1000):
        with open(str(number), "wb") as file:
            file.write(bytes(2**20))
    time.sleep(9)
def go():
    {does}
"""
    load(plain, source)
    start = time.monotonic()
    with pytest.raises(raises, match=says):
        call(plain, "go", seconds=0.7 if raises is TimedOut else 8.0)
    assert time.monotonic() - start < 8.0
    assert not plain.alive
    load(plain, "def fine(): return 1")
    assert call(plain, "fine")["value"] == 1


def test_a_child_that_overstates_its_prints_is_waited_for_once(plain):
    liar = "import sys\ndef lie(): sys.stdout.count = 2**40\n"
    load(plain, liar)
    start = time.monotonic()
    for _ in range(5):
        call(plain, "lie")
        plain.mark()
        plain.printed()
    assert time.monotonic() - start < 3 * process.DRAIN_SECONDS


def test_the_answers_of_one_test_are_bounded_together(plain):
    load(plain, "import numpy as np\ndef big(): return np.zeros(3 * 2**20)")
    plain.mark()
    call(plain, "big")
    call(plain, "big")
    with pytest.raises(WireError, match="answers of more than 64 MiB in one test"):
        call(plain, "big")
    load(plain, "import numpy as np\ndef big(): return np.zeros(3 * 2**20)")
    for _ in range(3):
        plain.mark()
        call(plain, "big")


def test_a_worker_that_cannot_start_is_the_graders_failure(monkeypatch):
    monkeypatch.setattr(worker, "BOOT", "import sys; sys.exit('no module named blas')")
    with (
        contextlib.closing(Worker()) as started,
        pytest.raises(NotStarted, match="could be started: no module named blas"),
    ):
        started.begin()


def test_a_zygote_that_is_gone_is_replaced(plain):
    load(plain, "def fine(): return 1")
    plain.source.process.kill()
    with pytest.raises(Crashed):
        while True:
            call(plain, "fine")
    load(plain, "def fine(): return 1")
    assert call(plain, "fine")["value"] == 1


@LINUX
def test_what_one_child_does_to_its_descriptors_no_other_sees(any_worker):
    source = """
import fcntl
def flags(): return [fcntl.fcntl(n, fcntl.F_GETFL) for n in (0, 1, 2)]
def mark(): [fcntl.fcntl(n, fcntl.F_SETFL, 0o6000 | fcntl.fcntl(n, fcntl.F_GETFL)) for n in (0, 1)]
"""
    load(any_worker, source)
    before = call(any_worker, "flags")
    call(any_worker, "mark")
    assert call(any_worker, "flags") != before
    load(any_worker, source)
    assert call(any_worker, "flags") == before


@LINUX
def test_no_reading_shows_in_the_dates_of_files(monkeypatch):
    kind = of_this_machine("landlock")
    isolation.look_over.cache_clear()
    file = Path(isolation.__file__).with_name("tries.py")
    old = time.time() - 3 * isolation.DAY
    os.utime(file, (old, old))
    with contextlib.closing(Worker(kind)) as started:
        load(started, "import os\ndef date(path): return os.stat(path).st_atime")
        date = call(started, "date", str(file))["value"]
    if date == file.stat().st_mtime:
        pytest.skip("this file system notes no readings")
    assert date > time.time() - isolation.DAY


def test_where_nothing_can_fork_each_child_is_a_new_process(monkeypatch):
    main = "grader.nursery.main()"
    assert main in worker.BOOT
    boot = worker.BOOT.replace(main, f"grader.nursery.FORKS = False\n{main}")
    monkeypatch.setattr(worker, "BOOT", boot)
    monkeypatch.setattr(worker, "FORKS", False)
    with contextlib.closing(Worker()) as started:
        pids = set()
        for _ in range(2):
            load(started, "import os\ndef pid(): print('here'); return os.getpid()")
            pids.add(call(started, "pid")["value"])
            assert started.printed() == "here\n"
        assert isinstance(started.source, zygote.Starter)
        assert len(pids) == 2
        with pytest.raises(TimedOut):
            load(started, "import time\ndef nap(): time.sleep(60)")
            call(started, "nap", seconds=0.2)
        assert "value" in load(started, "")


@LINUX
@pytest.mark.parametrize("name", ["none", "bubblewrap", "landlock"])
def test_a_killed_checker_leaves_no_worker(name):
    kind = of_this_machine(name)
    code = f"""
from grader.isolation import Isolation
from grader.process import Worker
worker = Worker(Isolation({kind.name!r}))
worker.begin()
source = {{"file": "c.py", "source": "def go():\\n    while True: pass", "borrowed": None}}
worker.ask({{"op": "load", "exercise": "c", "modules": {{"c": source}}, "names": {{}}}}, 10)
print(worker.source.folder, flush=True)
worker.ask({{"op": "call", "name": "go", "args": [], "kwargs": {{}}}}, 60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE
    ) as checker:
        folder = checker.stdout.readline().decode().strip()
        below = descendants(checker.pid)
        assert len(below) >= 2
        checker.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline and any(map(runs, below)):
        time.sleep(0.02)
    assert [pid for pid in below if runs(pid)] == []
    assert not Path(folder).exists()


def test_student_code_may_call_exit(plain):
    load(plain, "def leave(): exit(3)")
    assert call(plain, "leave")["error"]["type"] == "SystemExit"


def test_beginning_again_is_quick(plain):
    plain.begin()
    times = []
    for _ in range(10):
        start = time.monotonic()
        plain.begin()
        times.append(time.monotonic() - start)
    assert sorted(times)[5] < 0.1  # 4 ms where nothing else runs


def test_what_ends_a_flood_does_not_end_the_child_that_comes_next(plain):
    flood = "import os\ndef flood():\n    while True:\n        os.write(1, b'x' * 65536)\n"
    for _ in range(60):
        load(plain, flood)
        with pytest.raises(Crashed):
            call(plain, "flood")
