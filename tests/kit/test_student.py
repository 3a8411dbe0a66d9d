"""What the proxy sends together is the same as if each thing had been asked by itself."""

import numpy as np
import pytest

from grader import course as courses
from grader import diagnosis, suite, wire
from grader import student as proxy
from grader.assembly import Target
from grader.process import InProcess
from grader.student import PENDING, Refused, Student, StudentError
from grader.worker import held

LIMITS = courses.load().by_id["ex05_norm"].limits
SOURCE = """
import numpy as np
class Tensor:
    def __init__(self, data):
        if data is None: raise ValueError("no data")
        self.data = np.array(data, dtype=float); self.grad = None; self.shape = self.data.shape
class Sum(Tensor):
    def __init__(self, *parents):
        super().__init__(sum(p.data for p in parents)); self.parents = parents
    def backward(self):
        for p in self.parents: p.grad = np.ones_like(p.data) if p.grad is None else p.grad + 1
class Value:
    __slots__ = ("data", "grad")
    def __init__(self, data): self.data = data
    def backward(self): self.grad = 1.0
def several(*things): return [t.name if hasattr(t, "name") else type(t).__name__ for t in things]
def total(*parents): return Sum(*parents)
def same(x): return x
def double(x): return Tensor(2 * x.data)
def both(x, y): return {"x": x, "y": [y, double(y)]}
def change(x): x.data = x.data + 1
def fail(x): raise ValueError("always")
class Liar:
    reads = 0
    @property
    def data(self):
        Liar.reads += 1
        raise KeyError("read")
Liar.__name__ = "Tensor"
def liar():
    it = Liar(); it.__dict__["data"] = np.zeros(3); return it
def reads(): return Liar.reads
"""


class Counted(InProcess):
    """It knows which operations crossed, each with those that came first."""

    def __init__(self):
        super().__init__("glassbox_student_test")
        self.crossed = []

    def ask(self, request, seconds=0.0):
        self.crossed.append([*(one["op"] for one in request.get("first", ())), request["op"]])
        return super().ask(request, seconds)


@pytest.fixture
def student():
    bench = Counted()
    modules = {"ex": {"file": "ex.py", "source": SOURCE, "borrowed": None}}
    answer = bench.ask({"op": "load", "exercise": "ex", "modules": modules, "names": {}})
    assert "value" in answer
    bench.crossed.clear()
    yield Student(bench, {}, LIMITS)
    bench.close()


def crossed(student):
    return student._worker.crossed


def test_leaves_go_along_with_the_call_and_its_numbers_come_back_with_it(student):
    y = student.double(student.Tensor([1.0, 2.0]))
    assert student.array(y).tolist() == [2.0, 4.0]
    assert crossed(student) == [["call", "call"]]


def test_generators_and_dtypes_go_along_as_well(student):
    rng, other = student.rng(1), student.rng(1, "python")
    dtype = student.np.dtype("float32")
    drawn = student.several(rng, other, dtype)
    assert drawn == ["Generator", "Random", "float32"]
    assert crossed(student) == [["rng", "rng", "call", "call"]]
    assert [handle._ref.type for handle in (rng, other)] == ["Generator", "Random"]


def test_the_calls_are_noted_as_if_each_had_crossed_alone(student):
    x = student.Tensor([1.0])
    student.array(student.double(x))
    alone = InProcess("glassbox_student_test_alone")
    modules = {"ex": {"file": "ex.py", "source": SOURCE, "borrowed": None}}
    alone.ask({"op": "load", "exercise": "ex", "modules": modules, "names": {}})
    for call in student._log.calls:
        answer = alone.ask(call.request)
        assert answer["value"] == call.answer["value"] and call.answer.keys() == {"value"}
    alone.close()


def test_a_dict_of_tensors_brings_all_their_numbers(student):
    x, y = student.Tensor([1.0]), student.Tensor([2.0])
    found = student.both(x, y)
    read = [student.array(t).tolist() for t in (found["x"], *found["y"])]
    assert read == [[1.0], [2.0], [4.0]]
    assert len(crossed(student)) == 1


def test_numbers_that_came_along_are_not_believed_once_more_was_asked(student):
    y = student.double(student.Tensor([1.0]))
    student.change(y)
    assert student.array(y).tolist() == [3.0]
    z = student.double(y)
    student.assign(z, [7.0])
    assert student.array(z).tolist() == [7.0]


def test_the_gradients_come_back_with_the_walk_that_made_them(student):
    x, y = student.Tensor([1.0, 2.0]), student.Tensor([3.0, 4.0])
    total = student.total(x, y)
    total.backward()
    assert x.grad.tolist() == y.grad.tolist() == [1.0, 1.0]
    assert crossed(student) == [["call", "call", "call"], ["attribute"], ["method"]]
    total.backward()
    assert total.grad is None
    assert x.grad.tolist() == [2.0, 2.0]


def test_so_do_those_of_values_that_keep_them_in_slots(student):
    x = student.Value(2.0)
    with pytest.raises(StudentError, match="AttributeError"):
        _ = x.grad
    y = student.same(x)
    y.backward()
    assert (y.grad, y.data) == (1.0, 2.0)
    assert crossed(student)[2:] == [["attribute"], ["method"], ["attribute"]]


def test_numbers_read_twice_are_two_arrays(student):
    y = student.double(student.Tensor([1.0]))
    student.array(y)[:] = 9.0
    assert student.array(y).tolist() == [2.0]


def test_a_leaf_that_fails_is_blamed_for_it_and_nothing_after_it_is_done(student):
    x = student.Tensor(None)
    y = student.Tensor([1.0])
    with pytest.raises(StudentError, match=r"Tensor\(None\) raised ValueError: no data"):
        student.change(y)
    assert [call.words for call in student._log.calls] == ["Tensor(None)"]
    assert x._ref.type == "Tensor"


def test_what_was_asked_before_does_not_raise_for_the_call_that_must(student):
    x = student.Tensor(None)
    with pytest.raises(StudentError, match="no data"), student.raises(ValueError):
        student.fail(x)


def test_a_leaf_that_must_raise_raises_at_once(student):
    with student.raises(ValueError, mentions="no data"):
        student.Tensor(None)
    assert crossed(student) == [["call"]]


def test_a_leaf_that_ought_to_raise_and_does_not_is_told_of(student):
    with pytest.raises(AssertionError, match="must raise ValueError"), student.raises(ValueError):
        student.Tensor([1.0])


def test_many_leaves_and_large_ones_do_not_wait(student):
    many = [student.Tensor([float(i)]) for i in range(PENDING + 1)]
    assert [len(sent) for sent in crossed(student)] == [PENDING + 1]
    large = student.Tensor(np.zeros(10_000))
    assert len(crossed(student)) == 2
    assert student.array(many[3]).tolist() == [3.0] and student.array(large).shape == (10_000,)


def test_a_written_gradient_is_there_for_the_next_call(student):
    x = student.Tensor([1.0])
    x.grad = np.array([5.0])
    assert x.grad.tolist() == [5.0]
    assert crossed(student) == [["call", "assign", "attribute"]]


def test_a_tensor_whose_data_is_code_is_read_only_when_the_test_reads_it(student):
    tensor = student.liar()
    assert student.reads() == 0
    with pytest.raises(StudentError, match="KeyError"):
        student.array(tensor)
    assert student.reads() == 1


@pytest.mark.parametrize(
    "data", [None, [1.0], np.zeros(3, complex), np.zeros(3, np.longdouble), np.zeros(10**5)]
)
def test_what_is_no_small_plain_array_does_not_come_along(data):
    class Tensor:
        pass

    tensor = Tensor()
    tensor.data = data
    assert held(tensor, "data") is None


def test_what_a_class_computes_does_not_come_along():
    class Tensor:
        @property
        def data(self):
            raise AssertionError("it was read")

        def __getattribute__(self, name):
            raise AssertionError("it was read")

    tensor = Tensor()
    assert held(tensor, "data") is held(tensor, "grad") is None
    del Tensor.__getattribute__
    assert held(tensor, "data") is None
    tensor.grad = 2.0
    assert held(tensor, "grad") == 2.0


def test_an_answer_that_leaves_out_what_came_first_is_refused(student):
    student.Tensor([1.0])
    student._worker.dispatcher.handle = lambda request: {"value": 1}
    with pytest.raises(wire.WireError, match="every request"):
        student.reads()


def test_more_objects_or_numbers_than_a_test_can_look_at_are_refused(student, monkeypatch):
    x, y = student.Tensor([1.0, 2.0]), student.Tensor([1.0])
    monkeypatch.setattr(proxy, "OBJECTS", 4)
    student.both(x, y)
    with pytest.raises(Refused, match="more than 4 objects"):
        student.both(x, y)
    monkeypatch.setattr(proxy, "NUMBERS", 1)
    assert student.array(y) == [1.0]
    with pytest.raises(Refused, match="more than 1 numbers"):
        student.array(x)


def test_the_calls_that_a_submission_has_kept_are_bounded_together(monkeypatch):
    course = courses.load()
    target = Target.read(courses.ROOT / "solutions", course, "exercises")
    kept, close = [], suite.Checker.close
    monkeypatch.setattr(suite.Checker, "close", lambda self: (kept.append(self.kept), close(self)))
    for bound in (2**20, 300, 0):
        monkeypatch.setattr(suite, "CALLS_KEPT_IN_ALL", bound)
        options = suite.usual(alone=True, worker=Answering("glassbox_student_test_kept"))
        suite.check(course, target, course.by_id["ex01_tokenizer"].pieces, options)
    assert kept[0] > 300 >= kept[1] > kept[2] == 0


class Answering(InProcess):
    """Each test's answers weigh 100 bytes."""

    weight, alive = 100, True


def test_only_the_calls_of_a_piece_that_fails_are_still_there_at_the_end(monkeypatch):
    course = courses.load()
    target = Target.read(courses.ROOT / "solutions", course, "exercises")
    left, close = {}, suite.Checker.close

    def closed(checker):
        for id, tests in checker.by_piece.items():
            left[id] = sum(len(test.calls) for test in tests)
        close(checker)

    monkeypatch.setattr(suite.Checker, "close", closed)
    mutants = diagnosis.known(courses.ROOT / "tests" / "mutants")
    wrong = next(m for m in mutants if m.name == "CharTokenizer.decode")
    options = suite.usual(alone=True, in_process=True, patch=wrong)
    suite.check(course, target, course.by_id["ex01_tokenizer"].pieces, options)
    assert left["ex01.encode"] == 0 < left["ex01.decode"]


def test_what_a_metaclass_might_run_does_not_come_along():
    tensor = type("Meta", (type,), {})("Tensor", (), {})()
    tensor.data = np.zeros(3)
    assert held(tensor, "data") is None
