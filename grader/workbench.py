"""The workers of a check: which are open, what importing gave, what time is left."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import answers, diagnosis
from .assembly import Plan, Target
from .course import Course, Exercise, Piece
from .language import _
from .process import Crashed, InProcess, TimedOut, Worker
from .student import Call, Student, StudentError, Todo, error_of, method_of
from .wire import WireError

if TYPE_CHECKING:
    from .suite import Options

MEMORY_MIB, CPU_SPARE = 2048, 10
AFTER_A_HANG = 0.1  # the share of a call's time that is left once one has not ended


class Waiting(Exception):
    """The test needs a piece that does not work yet and cannot be borrowed."""


class UsedUp(TimedOut):
    """There is no time left for this test; others of its exercise took it."""


class Workbench:
    """The worker of a check, begun anew for each exercise and for each plan of what is borrowed."""

    def __init__(self, course: Course, target: Target, options: Options) -> None:
        self.course, self.target, self.options = course, target, options
        self.worker: Any = None if options.in_process else options.worker or Worker()
        self.loaded: tuple[str, Plan, bool] | None = None  # what the worker holds now
        self.failed: dict[tuple[str, Plan], Exception] = {}
        self.unusable: set[str] = set()  # exercises whose file cannot be imported
        self.places: dict[str, dict] = {}
        self.shown = {source.shown: id for id, source in target.files.items()}
        self.spent: dict[tuple[str, bool], float] = defaultdict(float)  # by exercise and suite
        self.hidden = False  # whether the tests that run now are
        self.hung: set[str] = set()  # pieces in which a call did not end

    def student(self, piece: Piece, plan: Plan, hidden: bool) -> TimedStudent:
        """A proxy for the piece's exercise, assembled by the plan. Raises what importing raised.

        Code that has seen a hidden test never answers a visible one, whose prints are shown.
        """
        exercise, self.hidden = self.course.exercise_of(piece), hidden
        self.left(exercise)
        if (exercise.id, plan) in self.failed:
            raise self.failed[exercise.id, plan].with_traceback(None)  # or it grows each time
        if self.loaded != (exercise.id, plan, hidden) or gone(self.worker):
            self._assemble(exercise, plan)
            self.loaded = exercise.id, plan, hidden
        return TimedStudent(self.worker, self.places[exercise.id], piece, exercise, self)

    def _assemble(self, exercise: Exercise, plan: Plan) -> None:
        """Begin anew with the exercise; another file that breaks the import is borrowed."""
        self._begin()
        try:
            self.places[exercise.id] = self._load(exercise, plan)
        except (StudentError, TimedOut, Crashed, WireError) as error:
            self.loaded = None
            if isinstance(error, UsedUp) or was_killed(error):
                raise  # it says nothing about the file, which may be imported another time
            if culprit := self._culprit(exercise, error):
                self.unusable.add(culprit)
                if self.options.reference is None:
                    raise Waiting(
                        _("waits for {culprit}, which cannot be imported yet").format(
                            culprit=culprit
                        )
                    ) from None
                self._assemble(exercise, Plan.of(dict(plan.borrowed) | {culprit: None}))
            else:
                self.failed[exercise.id, plan] = error
                self.unusable.add(exercise.id)
                raise

    def _begin(self) -> None:
        if self.options.in_process:
            if self.worker:
                self.worker.close()  # all plans go by the name of the same package
            self.worker = InProcess()
        else:
            self.worker.begin()

    def _load(self, exercise: Exercise, plan: Plan) -> dict:
        source = self.target.files[exercise.id]
        if source.missing:
            raise Todo("NotImplementedError", source.problem, [[source.shown, 1, "", ""]])
        if source.text is None:
            raise StudentError("ImportError", source.problem, [[source.shown, source.line, "", ""]])
        limits = exercise.limits
        cpu = int(limits.exercise * self.options.factor) + CPU_SPARE
        bounds = {"memory_mib": MEMORY_MIB, "cpu_seconds": cpu, "file_mib": limits.file_mib}
        self.worker.ask({"op": "limit", "limits": bounds}, 10.0)
        request = {
            "op": "load",
            "exercise": exercise.id,
            "modules": plan.modules(self.course, self.target, self.options.reference),
            "names": {unit: p.exercise for p in self.course.pieces.values() for unit in p.units},
        }
        answer = self.ask(request, exercise, limits.import_)
        if "error" in answer:
            raise error_of(answer["error"])
        patch = self.options.patch
        if patch and not plan.borrows(patch.exercise, patch.name):
            diagnosis.put_in(self.worker.dispatcher.package.module(patch.exercise), patch)
        return answers.places(answer.get("value"))

    def ask(self, request: dict, exercise: Exercise, seconds: float) -> dict:
        """Ask the worker, within what is left of the exercise's time. Raises UsedUp for its end."""
        seconds, left, start = seconds * self.options.factor, self.left(exercise), time.monotonic()
        try:
            return self.worker.ask(request, min(seconds, left))
        except TimedOut:
            if left < seconds:
                raise self.used_up(exercise) from None
            raise
        finally:
            self.spent[exercise.id, self.hidden] += time.monotonic() - start

    def left(self, exercise: Exercise) -> float:
        """The seconds that the exercise still has, in either suite: what hangs in the visible tests
        costs nothing in the hidden ones. Raises UsedUp where there are none.
        """
        left = exercise.limits.exercise * self.options.factor - self.spent[exercise.id, self.hidden]
        if left <= 0:
            raise self.used_up(exercise)
        return left

    @staticmethod
    def used_up(exercise: Exercise) -> UsedUp:
        words = _("not run: the {seconds:g} seconds of {exercise} are used up")
        return UsedUp(words.format(seconds=exercise.limits.exercise, exercise=exercise.id))

    def _culprit(self, exercise: Exercise, error: Exception) -> str | None:
        """The other exercise whose file broke the import, if this one builds on it."""
        frames = getattr(error, "frames", [])
        files = [self.shown[frame[0]] for frame in frames if frame[0] in self.shown]
        known = not files or files[-1] in self.unusable
        return None if known or files[-1] not in self.course.reach(exercise) else files[-1]

    def place(self, piece: Piece, error: BaseException, calls: Sequence[Call] = ()) -> str:
        """The place in the student's file: where it raised, else what the call at fault ran.

        Where that is not known it is the first of the piece's functions among the test's `calls`,
        else the first of the piece, else one of its class.
        """
        source = self.target.files[piece.exercise]
        frames = [frame for frame in getattr(error, "frames", []) if frame[0] in self.shown]
        own = [f for f in frames if f[0] == source.shown and f[2] != "op"] or frames  # op is given
        if own:
            return f"{own[-1][0]}:{own[-1][1]}"
        noted = getattr(error, "call", None)
        at_fault = [noted] if isinstance(noted, Call) else calls[-1:]
        names = [name for call in at_fault for name in (method_of(call), call.name)]
        names += [name for call in calls if (name := method_of(call)) in piece.defines]
        names += piece.defines
        places = self.places.get(piece.exercise, {})
        classes = {name.partition(".")[0] for name in piece.defines if "." in name}
        names += [name for name in places if name.partition(".")[0] in classes]
        found = [places[n] for n in names if n in places and places[n][0] == source.shown]
        return f"{found[0][0]}:{found[0][1]}" if found else f"{source.shown}:{source.line}"

    def close(self) -> None:
        if self.worker:
            self.worker.close()


class TimedStudent(Student):
    """A Student that keeps to the exercise's time.

    Once a call of a piece did not end, its other calls get less time: a piece with many tests must
    not use up what the other pieces need.
    """

    def __init__(
        self, worker: Any, places: dict, piece: Piece, exercise: Exercise, bench: Workbench
    ) -> None:
        super().__init__(worker, places, exercise.limits)
        self._piece, self._exercise, self._bench = piece, exercise, bench
        worker.mark()

    def printed(self) -> str:
        return self._worker.printed()

    def _answered(self, request: dict) -> dict:
        bench, call = self._bench, self._exercise.limits.call * self._bench.options.factor
        share = AFTER_A_HANG if self._piece.id in bench.hung else 1.0
        self._seconds_left = min(bench.left(self._exercise), call * share)
        start = time.monotonic()
        try:
            return super()._answered(request)
        except TimedOut:
            bench.hung.add(self._piece.id)
            raise
        finally:
            bench.spent[self._exercise.id, bench.hidden] += time.monotonic() - start


def was_killed(error: BaseException | None) -> bool:
    """Whether the worker was killed from outside, so that the test must be run again."""
    return isinstance(error, Crashed) and error.killed


def gone(worker: Any) -> bool:
    return isinstance(worker, Worker) and not worker.alive
