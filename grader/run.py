"""A training or sampling run in the worker, as finale.py follows it from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .assembly import Plan, Target
from .course import ROOT, Course
from .process import Crashed, NotStarted, Worker
from .student import error_of
from .wire import WireError

MEMORY_MIB, CPU_SECONDS, FILE_MIB = 8192, 30 * 24 * 3600, 1024
START_SECONDS = 30.0  # to import the files


class WorkerRun:
    """Runs `op` ("train", "sample" or "xray") on the target's own files, and what `lent` borrows.

    Iterate it for its events; `stop` asks it to end and save, `kill` ends it at once.
    """

    def __init__(
        self,
        course: Course,
        target: Target,
        op: str,
        plan: dict[str, Any],
        lent: Plan | None = None,
    ) -> None:
        self.course, self.target, self.op, self.plan = course, target, op, plan
        self.lent = lent or Plan()
        self.going = True
        self.worker = Worker()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        try:
            yield from self._events()
        except (Crashed, WireError) as error:
            yield self._error(type(error).__name__, f"the code {error}", None)
        except NotStarted as error:
            yield self._error("NotStarted", str(error), None)
        finally:
            self.worker.close()

    def stop(self) -> None:
        self.going = False

    def kill(self) -> None:
        self.worker.kill()

    def _events(self) -> Iterator[dict[str, Any]]:
        bounds = {"memory_mib": MEMORY_MIB, "cpu_seconds": CPU_SECONDS, "file_mib": FILE_MIB}
        scalar = self.plan.get("scalar")
        load = {
            "op": "load",
            "exercise": "ex02_value" if scalar else "ex10_sampling",
            "modules": self.lent.modules(self.course, self.target, ROOT / "solutions"),
            "names": {unit: p.exercise for p in self.course.pieces.values() for unit in p.units},
        }
        self.worker.begin()
        self.worker.ask({"op": "limit", "limits": bounds}, START_SECONDS)
        answer = self.worker.ask(load, START_SECONDS)
        if "error" not in answer:
            request = {"op": self.op, "plan": self.plan}
            answer = yield from self.worker.converse(request, lambda: self.going)
        if "error" in answer:
            error = error_of(answer["error"])
            place = f"{error.frames[-1][0]}:{error.frames[-1][1]}" if error.frames else None
            yield self._error(answer["error"]["shown_type"], error.message, place)

    @staticmethod
    def _error(type: str, message: str, where: str | None) -> dict[str, Any]:
        return {"event": "error", "type": type, "message": message, "where": where}
