"""Watch a model compute: every call of the course's functions, every array, every gradient.

    observe(model, ids, next)      one text: what observe's docstring lists, in plain data

A student's files carry no hooks. While `watching`, each of the course's functions is replaced, in
every module that knows it, by one that takes notes and then calls it; so are the methods of Tensor
and GPT. Gradients are seen where the student's backward hands them on: in the vjp of a node, which
Tensor.op is given. What a student has written in another place is not seen, and not guessed.

This runs in the worker, or in a notebook beside the model; it knows nothing of the checker.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import re
import sys
import types
from collections.abc import Callable, Iterator, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np

from ..language import _
from ..recording import bind, functions_in, homes

FUNCTIONS = (
    *("embedding", "linear", "softmax", "relu", "gelu", "cross_entropy"),
    *("rmsnorm", "layernorm", "norm", "mlp", "block"),
    *("split_heads", "merge_heads", "attention_weights", "causal_attention", "self_attention"),
)
OPERATORS = frozenset(
    f"__{name}__"
    for name in "add radd sub rsub mul rmul truediv rtruediv pow neg matmul getitem".split()
)
BESIDE = ("init_params", "train", "generate", "temperature", "top_k", "top_p", "sample")
UNWATCHED = ("op", "backward")  # of Tensor's methods: seen in another way
LAYER = re.compile(r"layer(\d+)\.")
MOST_OPERATIONS = 600  # of Tensor that are noted; functions always are


@dataclass
class Call:
    """One call: what went in and came out, as numbers of values."""

    name: str
    layer: int | None
    parent: int | None
    depth: int
    at: dict[str, Any] | None
    inputs: list[dict[str, Any]]
    outputs: list[int] = field(default_factory=list)
    error: bool = False


@dataclass
class Value:
    """An array as it was when it was first seen, and the node that holds it, if one does."""

    data: np.ndarray
    holder: Any  # kept, so that no other object gets its id
    parameter: str | None


class Notes:
    """What was seen while watching one model."""

    def __init__(self, model: Any, namespaces: list[dict[str, Any]]) -> None:
        self.namespaces = namespaces
        self.own = {id(namespace) for namespace in namespaces}
        self.tensor = type(next(iter(model.params.values())))
        self.operations = operations_of(self.tensor)
        self.engine = {f.__code__ for f in functions_in({"Tensor": self.tensor})}
        self.parameters = {id(p): name for name, p in model.params.items()}
        self.calls: list[Call] = []
        self.values: list[Value] = []
        self.definitions: dict[str, dict[str, Any]] = {}
        self.seen: dict[int, int] = {}  # id of an object -> the number of its newest value
        self.open: list[int] = []  # the calls that have begun and not ended
        self.grads: dict[int, np.ndarray] = {}  # by id of the node
        self.made: dict[int, tuple[Any, dict[str, Any] | None]] = {}  # node, and its line; by id
        self.visited: list[int] = []  # ids of nodes, in the order in which backward came by

    def value(self, found: Any) -> int | None:
        """The number of an array or Tensor, new if it is or if its content has changed."""
        if isinstance(found, self.tensor):
            data = np.asarray(found.data)
        elif type(found) is np.ndarray and found.dtype.kind in "biuf":
            data = found
        else:
            return None
        number = self.seen.get(id(found))
        if number is None or not np.array_equal(self.values[number].data, data, equal_nan=True):
            number = self.seen[id(found)] = len(self.values)
            self.values.append(Value(data.copy(), found, self.parameters.get(id(found))))
        return number

    def noted(self, name: str, function: Callable) -> Callable:
        """`function`, noting each call under `name`."""
        signature = inspect.signature(function)
        operation = name.startswith("Tensor.")

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if operation and not self.worth_noting():
                return function(*args, **kwargs)
            self.define(name, function)
            number = self.begin(name, self.inputs(signature, args, kwargs))
            call, result = self.calls[number], None
            try:
                result = function(*args, **kwargs)
            except BaseException:
                call.error = True
                raise
            finally:
                self.open.pop()
            results = result if isinstance(result, (tuple, list)) else (result,)
            call.outputs = [n for n in map(self.value, results) if n is not None]
            return result

        return watched

    def worth_noting(self) -> bool:
        """Of operations on Tensors only the outermost; what they are made of is nobody's line."""
        inside = self.open and self.calls[self.open[-1]].name.startswith("Tensor.")
        return not inside and len(self.calls) < MOST_OPERATIONS

    def begin(self, name: str, inputs: list[dict[str, Any]]) -> int:
        parent = self.open[-1] if self.open else None
        layer = self.layer(inputs)
        if layer is None and parent is not None:
            layer = self.calls[parent].layer
        self.calls.append(Call(name, layer, parent, len(self.open), self.place(), inputs))
        self.open.append(len(self.calls) - 1)
        return self.open[-1]

    def layer(self, inputs: list[dict[str, Any]]) -> int | None:
        """The one layer whose parameters went in; None where there are others, or none."""
        names = [self.values[entry["value"]].parameter for entry in inputs if "value" in entry]
        layers = {LAYER.match(name) for name in names if name}
        found = {match and int(match[1]) for match in layers}
        return found.pop() if len(found) == 1 else None

    def inputs(self, signature: inspect.Signature, args: tuple, kwargs: dict) -> list[dict]:
        """Each argument by name: the number of a value, or its text if it is short."""
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError:  # the call itself will say so
            arguments = dict(enumerate(args)) | kwargs
        return [entry for name, found in arguments.items() for entry in self.input(name, found)]

    def input(self, name: Any, found: Any) -> Iterator[dict[str, Any]]:
        number = self.value(found)
        if number is not None:
            yield {"name": str(name), "value": number}
        elif isinstance(found, dict):
            for key, item in found.items():
                yield from self.input(f"{name}[{key!r}]", item)
        elif isinstance(found, (bool, int, float, str, tuple, list)) and len(repr(found)) <= 60:
            yield {"name": str(name), "text": repr(found)}

    def place(self, skip: Set[CodeType] = frozenset()) -> dict[str, Any] | None:
        """The line of the course's files that is being run, leaving out the definitions `skip`."""
        frame = sys._getframe(1)
        while frame:
            if id(frame.f_globals) in self.own and frame.f_code not in skip:
                file, line = frame.f_code.co_filename, frame.f_lineno
                inside = frame.f_code.co_qualname.partition(".<locals>")[0]
                shown = not lent(frame.f_globals)
                code = linecache.getline(file, line).strip()[:200] if shown else None
                return {"file": file, "line": line, "code": code, "inside": inside}
            frame = frame.f_back
        return None

    def define(self, name: str, function: Callable) -> None:
        """Note where a function stands, and its lines."""
        function = inspect.unwrap(function)
        if name in self.definitions or not isinstance(function, types.FunctionType):
            return
        file, first = function.__code__.co_filename, function.__code__.co_firstlineno
        lines = inspect.getblock(linecache.getlines(file)[first - 1 :])
        borrowed = lent(function.__globals__)
        source = None if borrowed or not lines else "".join(lines)
        self.definitions[name] = {
            "file": file,
            "line": first,
            "source": source,
            "borrowed": borrowed,
        }

    def define_the_rest(self) -> None:
        """Note also those that no text calls, but that made what the page shows."""
        for name in BESIDE:
            for function in versions(name, self.namespaces):
                if not function.__module__.endswith("microgpt"):  # which has its own `train`
                    self.define(name, function)
        if (backward := getattr(self.tensor, "backward", None)) is not None:
            self.define("Tensor.backward", backward)

    def op(self, original: Callable) -> Callable:
        """Tensor.op, with a vjp that notes the gradient that arrives."""

        @functools.wraps(original)
        def watched(data: Any, parents: Any = (), vjp: Any = None, **more: Any) -> Any:
            def noted_vjp(grad: Any) -> Any:
                self.arrive(node, grad)
                return vjp(grad)

            node = original(data, parents, noted_vjp if vjp else vjp, **more)
            self.made[id(node)] = node, self.place(self.engine)
            return node

        return watched

    def arrive(self, node: Any, grad: Any) -> None:
        """Part of a node's gradient, or all of it: an engine may come by more than once."""
        grad = np.array(grad)
        if id(node) not in self.grads:
            self.visited.append(id(node))
            self.grads[id(node)] = grad
        else:
            self.grads[id(node)] = self.grads[id(node)] + grad

    def grad(self, number: int) -> np.ndarray | None:
        """The gradient of a value."""
        found = self.values[number]
        grad = self.grads.get(id(found.holder))
        return grad if grad is not None and grad.shape == found.data.shape else None

    def made_at(self, number: int) -> dict[str, Any] | None:
        """The line that made the node of a value."""
        return self.made.get(id(self.values[number].holder), (None, None))[1]

    def way_to_error(self) -> str:
        """The calls that an error went through, and the shapes that the innermost was given."""
        way = [call for call in self.calls if call.error]
        names = [f"{c.name} (layer {c.layer})" if c.name == "block" else c.name for c in way]
        given = [
            f"{entry['name']} {self.values[entry['value']].data.shape}"
            for entry in way[-1].inputs
            if "value" in entry
        ]
        return _("on the way {calls}, which was given {shapes}").format(
            calls=" > ".join(names), shapes=", ".join(given) or _("no array")
        )

    def backward(self) -> list[int]:
        """The values that backward came by, in its order."""
        return [self.seen[node] for node in self.visited if node in self.seen]


@contextmanager
def watching(model: Any) -> Iterator[Notes]:
    """Note what happens to `model` within; afterwards everything is as it was."""
    namespaces = namespaces_of(model)
    notes = Notes(model, namespaces)
    with ExitStack() as undo:
        for name in FUNCTIONS:
            for function in versions(name, namespaces):
                watched = notes.noted(name, function)
                for namespace in namespaces:
                    undo.callback(bind(namespace, function, watched))
        for name, function in notes.operations.items():
            replace(undo, notes.tensor, name, notes.noted(f"Tensor.{name}", function))
        original = getattr(notes.tensor, "op", None)
        if callable(original):
            replace(undo, notes.tensor, "op", staticmethod(notes.op(original)))
        for name in ("__call__", "loss"):
            home = next((kind for kind in type(model).__mro__ if name in vars(kind)), None)
            if home is not None and isinstance(vars(home)[name], types.FunctionType):
                replace(undo, home, name, notes.noted(f"GPT.{name}", vars(home)[name]))
        try:
            yield notes
        except Exception as error:
            if any(call.error for call in notes.calls):
                error.add_note(notes.way_to_error())
            raise


def lent(namespace: dict[str, Any]) -> bool:
    """Whether this is the reference, lent to a module of the student's that stands in its place."""
    module = sys.modules.get(namespace.get("__name__", ""))
    return module is not None and vars(module) is not namespace


def versions(name: str, namespaces: list[dict[str, Any]]) -> list[Callable]:
    """The course's functions of a name: one, unless some module has a version of its own."""
    modules = {namespace.get("__name__") for namespace in namespaces}
    found = {id(n[name]): n[name] for n in namespaces if callable(n.get(name))}
    return [f for f in found.values() if getattr(f, "__module__", None) in modules]


def replace(undo: ExitStack, owner: type, name: str, new: Any) -> None:
    """Set a class's attribute until `undo`."""
    undo.callback(setattr, owner, name, vars(owner)[name])
    setattr(owner, name, new)


def namespaces_of(model: Any) -> list[dict[str, Any]]:
    """The names known to every module of the model's package, and to all that is borrowed there.

    Not to microgpt: it has functions of the same names, which work on single numbers.
    """
    home = sys.modules[type(model).__module__]
    package = home.__name__.rpartition(".")[0]
    beside = [
        module
        for name, module in list(sys.modules.items())
        if package
        and name.rpartition(".")[0] == package
        and type(module) is types.ModuleType
        and name != f"{package}.microgpt"
    ]
    return homes(SimpleNamespace(loaded=lambda: beside or [home]))


def operations_of(tensor: type) -> dict[str, types.FunctionType]:
    """Tensor's operators and methods that make new Tensors."""
    return {
        name: function
        for name, function in list(vars(tensor).items())
        if isinstance(function, types.FunctionType)
        and (name in OPERATORS or not name.startswith("_"))
        and name not in UNWATCHED
    }


def observe(model: Any, ids: list[int], following: list[int]) -> dict[str, Any]:
    """All that can be seen of the model on one text; `following` is what comes next, or -1.

    logits (T, V), loss, parameters {name: {"data", "grad"}}, config
    values, calls, backward, definitions   as data.py describes them, with plain arrays
    embedded (T, C), moved_by (T, T, C)    the embeddings of the tokens, and the gradient of the
                                           logit of target t with respect to them; None: not seen
    stream (L + 1, T, C), lens (L + 1, T, V)    the residual stream, and its logits; None: not seen
    targets, not_observable

    The model's own gradients are as they were before.
    """
    before = {name: p.grad for name, p in model.params.items()}
    forget(model)
    try:
        return _observe(model, ids, following)
    finally:
        for name, p in model.params.items():
            p.grad = before[name]


def _observe(model: Any, ids: list[int], following: list[int]) -> dict[str, Any]:
    batch, targets = np.array([ids]), np.array([following])
    missing: list[dict[str, str]] = []
    with watching(model) as notes:
        loss = learnt_from(model, batch, targets) if (targets >= 0).any() else None
        whole = next((c for c in notes.calls if c.name == "GPT.__call__" and c.outputs), None)
        if whole is None:  # nothing to learn from, or a loss that goes another way
            logits = model(batch)
            if not isinstance(logits, notes.tensor):
                raise TypeError(wanted("GPT.__call__", logits))
            whole = next(c for c in notes.calls if c.name == "GPT.__call__" and c.outputs)
    logits = notes.values[whole.outputs[0]].data[0]  # (T, V)
    chosen = [t if t >= 0 else int(z.argmax()) for t, z in zip(following, logits)]
    stream = residual_stream(notes, model, missing)
    notes.define_the_rest()
    seen = {
        "config": {key: value for key, value in vars(model.config).items() if plain(value)},
        "logits": logits,
        "loss": loss,
        "targets": chosen,
        "parameters": {
            name: {"data": np.array(p.data), "grad": None if p.grad is None else np.array(p.grad)}
            for name, p in model.params.items()
        },
        "values": [described(notes, number) for number in range(len(notes.values))],
        "calls": [vars(call) for call in notes.calls],
        "backward": notes.backward(),
        "definitions": notes.definitions,
        "stream": stream,
        "lens": lens(notes, model, stream, missing),
    }
    if not notes.visited and loss is not None:
        missing.append(
            told(
                _("gradients on the way"),
                _("no node was made through `Tensor.op`, where they are seen"),
            )
        )
    return seen | moved(model, batch, chosen, missing) | {"not_observable": missing}


def learnt_from(model: Any, batch: np.ndarray, targets: np.ndarray) -> float:
    """The loss, and its gradients in the parameters."""
    loss = model.loss(batch, targets)
    if not hasattr(loss, "backward"):
        raise TypeError(wanted("GPT.loss", loss))
    loss.backward()
    return float(np.asarray(loss.data).sum())  # one number, whatever its shape


def wanted(name: str, found: Any) -> str:
    return _("`{name}` gave {kind}, where a Tensor is needed").format(
        name=name, kind=type(found).__name__
    )


def plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def told(what: str, why: str, part: str | None = None) -> dict[str, str | None]:
    """An entry of `not_observable`; `part` is the field of the data that is null because of it."""
    return {"part": part, "what": what, "why": why}


def times(name: str, found: list, wanted: int) -> str:
    return _("`{name}` was called {found} times, where {wanted} would do").format(
        name=name, found=len(found), wanted=wanted
    )


def no_lookup(table: str) -> str:
    return _("`embedding` was not called on {table}").format(table=table)


def forget(model: Any) -> None:
    """No gradients."""
    for p in model.params.values():
        p.grad = None


def described(notes: Notes, number: int) -> dict[str, Any]:
    value = notes.values[number]
    return {
        "data": value.data,
        "grad": notes.grad(number),
        "parameter": value.parameter,
        "made_at": notes.made_at(number),
    }


def residual_stream(notes: Notes, model: Any, missing: list) -> np.ndarray | None:
    """What the first block reads, and what each block gives (L + 1, T, C)."""
    layers = model.config.n_layer
    blocks = [call for call in notes.calls if call.name == "block" and call.outputs]
    first = [i["value"] for call in blocks[:1] for i in call.inputs if "value" in i][:1]
    if len(blocks) != layers or not first:
        missing.append(told(_("the logit lens"), times("block", blocks, layers), "lens"))
        return None
    numbers = [*first, *(call.outputs[0] for call in blocks)]
    return np.stack([notes.values[number].data[0] for number in numbers])


def lens(notes: Notes, model: Any, stream: np.ndarray | None, missing: list) -> np.ndarray | None:
    """The logits of each row of the stream by the model's own final norm and head (L + 1, T, V)."""
    names = ["linear", *(["norm"] if model.config.final_norm else [])]
    known = {name: next(iter(versions(name, notes.namespaces)), None) for name in names}
    if stream is None:
        return None
    if gone := [name for name, function in known.items() if function is None]:
        why = _("there is no function `{name}` to ask").format(name=gone[0])
        missing.append(told(_("the logit lens"), why, "lens"))
        return None
    head = model.params["wte" if model.config.tied_head else "lm_head"]
    x = notes.tensor(stream)
    if model.config.final_norm:
        x = known["norm"](x, model.params, "norm", model.config)
    return np.array(known["linear"](x, head).data)


def moved(model: Any, batch: np.ndarray, chosen: list[int], missing: list) -> dict[str, Any]:
    """The token embeddings, and the gradient of each chosen logit with respect to them.

    One forward and backward a position: a second walk over the same graph need not work.
    """
    gradients: list[np.ndarray] = []
    embedded = None
    for t, target in enumerate(chosen):
        with watching(model) as notes:
            logits = model(batch)
            number = looked_up(notes, "wte")
            if number is None:
                missing.append(
                    told(
                        _("what moved a prediction"),
                        _("`embedding` was not called on wte"),
                        "moved",
                    )
                )
                break
            above = np.zeros_like(logits.data)
            above[0, t, target] = 1
            logits.backward(above)
        grad = notes.grad(number)
        if grad is None:
            why = _("no gradient came by the embedding through a node made by `Tensor.op`")
            missing.append(told(_("what moved a prediction"), why, "moved"))
            break
        embedded = notes.values[number].data[0]
        gradients.append(grad[0])
    forget(model)
    whole = len(gradients) == len(chosen)
    return {"embedded": embedded, "moved_by": np.stack(gradients) if whole else None}


def looked_up(notes: Notes, parameter: str) -> int | None:
    """The number of the value that was looked up in a table, by embedding or an index."""
    for call in notes.calls:
        table = next((i["value"] for i in call.inputs if "value" in i), None)
        known = table is not None and notes.values[table].parameter == parameter
        if known and call.name in ("embedding", "Tensor.__getitem__") and call.outputs:
            return call.outputs[0]
    return None
