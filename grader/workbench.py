"""The workers of a check: which are open, what importing gave, what time is left."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from . import diagnosis
from .assembly import Plan, Target
from .course import Course, Exercise, Piece
from .process import Crashed, InProcess, TimedOut, Worker
from .student import Student, StudentError, Todo, error_of
from .wire import WireError

if TYPE_CHECKING:
    from .suite import Options

MEMORY_MIB, CPU_SPARE = 2048, 10


class Waiting(Exception):
    """The test needs a piece that does not work yet and cannot be borrowed."""


class Workbench:
    """The workers of an exercise: one for each plan, and one started before it is needed."""

    def __init__(self, course: Course, target: Target, options: Options) -> None:
        self.course, self.target, self.options = course, target, options
        self.open: dict[Plan, tuple[Any, dict]] = {}
        self.ahead = False  # whether another worker will be needed after this one
        self.spare = None if options.in_process else options.worker or Worker()
        self.failed: dict[tuple[str, Plan], Exception] = {}
        self.unusable: set[str] = set()  # exercises whose file cannot be imported
        self.places: dict[str, dict] = {}
        self.shown = {source.shown: id for id, source in target.files.items()}
        self.spent: dict[str, float] = defaultdict(float)

    def student(self, exercise: Exercise, plan: Plan) -> TimedStudent:
        """A proxy for the exercise assembled by the plan. Raises what importing it raised."""
        if (exercise.id, plan) in self.failed:
            raise self.failed[exercise.id, plan]
        worker, places = self._worker(exercise, plan)
        worker.ask({"op": "clear"}, 5.0)
        return TimedStudent(worker, places, exercise, self)

    def _worker(self, exercise: Exercise, plan: Plan) -> tuple[Any, dict]:
        if plan in self.open and not gone(self.open[plan][0]):
            return self.open[plan]
        worker = self._fresh()
        try:
            places = self._load(worker, exercise, plan)
        except (StudentError, TimedOut, Crashed, WireError) as error:
            worker.close()
            if (culprit := self._culprit(exercise, error)) and culprit not in self.unusable:
                self.unusable.add(culprit)
                if self.options.reference is None:
                    raise Waiting(f"waits for {culprit}, which cannot be imported yet") from None
                return self._worker(exercise, Plan.of(dict(plan.borrowed) | {culprit: None}))
            self.failed[exercise.id, plan] = error
            self.unusable.add(exercise.id)
            raise
        self.open[plan] = worker, places
        self.places[exercise.id] = places
        return worker, places

    def _fresh(self) -> Any:
        if self.options.in_process:
            self.clear()  # all plans go by the name of the same package
            return InProcess()
        worker, self.spare = self.spare or Worker(), Worker() if self.ahead else None
        return worker

    def _load(self, worker: Any, exercise: Exercise, plan: Plan) -> dict:
        source = self.target.files[exercise.id]
        if source.missing:
            raise Todo("NotImplementedError", source.problem, [[source.shown, 1, "", ""]])
        if source.text is None:
            raise StudentError("ImportError", source.problem, [[source.shown, source.line, "", ""]])
        limits = exercise.limits
        cpu = int(limits.exercise * self.options.factor) + CPU_SPARE
        bounds = {"memory_mib": MEMORY_MIB, "cpu_seconds": cpu, "file_mib": limits.file_mib}
        worker.ask({"op": "limit", "limits": bounds}, 10.0)
        request = {
            "op": "load",
            "exercise": exercise.id,
            "modules": plan.modules(self.course, self.target, self.options.reference),
            "names": {unit: p.exercise for p in self.course.pieces.values() for unit in p.units},
        }
        answer = worker.ask(request, limits.import_ * self.options.factor)
        if "error" in answer:
            raise error_of(answer["error"])
        patch = self.options.patch
        if patch and not plan.borrows(patch.exercise, patch.name):
            diagnosis.put_in(worker.dispatcher.package.module(patch.exercise), patch)
        return answer["value"]

    def _culprit(self, exercise: Exercise, error: Exception) -> str | None:
        """The other exercise whose file broke the import, if it was not the exercise's own."""
        frames = getattr(error, "frames", [])
        files = [self.shown[frame[0]] for frame in frames if frame[0] in self.shown]
        return files[-1] if files and files[-1] != exercise.id else None

    def place(self, piece: Piece, error: BaseException) -> str:
        """The place in the student's file: where it raised, else where the piece begins."""
        source = self.target.files[piece.exercise]
        frames = [frame for frame in getattr(error, "frames", []) if frame[0] in self.shown]
        own = [frame for frame in frames if frame[0] == source.shown] or frames
        if own:
            return f"{own[-1][0]}:{own[-1][1]}"
        names = [getattr(getattr(error, "call", None), "name", ""), *piece.defines]
        places = self.places.get(piece.exercise, {})
        found = [places[n] for n in names if n in places and places[n][0] == source.shown]
        return f"{found[0][0]}:{found[0][1]}" if found else f"{source.shown}:{source.line}"

    def clear(self) -> None:
        """End the workers of an exercise. The spare one stays for the next."""
        for worker, _ in self.open.values():
            worker.close()
        self.open.clear()

    def close(self) -> None:
        self.clear()
        if self.spare:
            self.spare.close()


class TimedStudent(Student):
    """A Student that keeps to the exercise's time."""

    def __init__(self, worker: Any, places: dict, exercise: Exercise, bench: Workbench) -> None:
        super().__init__(worker, places, exercise.limits)
        self._exercise, self._bench, self._mark = exercise, bench, worker.mark()

    def printed(self) -> str:
        return self._worker.printed_since(self._mark)

    def _ask(self, *args: Any, **kwargs: Any) -> Any:
        factor, spent = self._bench.options.factor, self._bench.spent
        left = self._exercise.limits.exercise * factor - spent[self._exercise.id]
        if left <= 0:
            raise TimedOut(
                f"the {self._exercise.limits.exercise:g} seconds of this exercise are used up"
            )
        self._seconds_left = left
        start = time.monotonic()
        try:
            return super()._ask(*args, **kwargs)
        finally:
            spent[self._exercise.id] += time.monotonic() - start


def gone(worker: Any) -> bool:
    return isinstance(worker, Worker) and worker.process.poll() is not None
