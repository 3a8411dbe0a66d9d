"""Automatic mutants of a solution: one small change at a time, between its solution markers.

An expression or statement is replaced where it stands in the text, so that each change reads like a
slip of the hand. What a whole function gives back is changed from outside, by a wrapper behind it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .stubs import BEGIN, END

OFF, ROUNDING = 1 + 1e-3, 1 + 1e-12  # a result off by the first must fail, by the second must pass

# What an operation, a comparison or a function of numpy's may be mistaken for.
OPERATIONS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitOr: [],
}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
FUNCTIONS = [("sum", "mean"), ("max", "min"), ("ones", "zeros"), ("triu", "tril"), ("exp", "log")]
FUNCTIONS += [("cos", "sin"), ("sqrt", "square"), ("append", "extend"), ("maximum", "minimum")]
MISTAKEN = dict(FUNCTIONS) | {b: a for a, b in FUNCTIONS}
IN_ORDER = (ast.Sub, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)  # a - b is not b - a
NOTHING = "pass"
ATOMS = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript)  # need no parentheses

WRAPPER = '''

import numpy as _np


def _scaled(value, factor):
    """`value` with every decimal number in it times `factor`."""
    if isinstance(value, (float, _np.floating)):
        return value * factor
    if getattr(value, "dtype", None) in ("f4", "f8"):
        return _np.array(value * factor)  # of no axes too
    if isinstance(value, (list, tuple)):
        return type(value)(_scaled(item, factor) for item in value)
    if isinstance(value, dict):
        return {{key: _scaled(item, factor) for key, item in value.items()}}
    if hasattr(value, "grad"):
        value.data = _scaled(value.data, factor)
    return value


def _steeper(value, factor):
    """A Tensor or Value whose gradients come out times `factor`."""
    if node := getattr(value, "node", None):
        node.vjp = lambda g, vjp=node.vjp: _scaled(tuple(vjp(g)), factor)
    if hasattr(value, "local_grads"):
        value.local_grads = tuple(float(local) * factor for local in value.local_grads)
    return value


_real = {name}
{name} = lambda *args, **kwargs: {result}
'''


@dataclass(frozen=True)
class Change:
    """One change of a solution's text. A `right` one must still pass."""

    name: str  # of the definition, "Tensor.sum"
    line: int
    was: str  # the line as it stands
    becomes: str  # the line as it would read, or what the definition gives back instead
    text: str  # the whole file, changed
    right: bool = False


def changes(text: str) -> Iterator[Change]:
    """All changes of a file, each once."""
    answers = answer_lines(text)
    seen = set()
    for name, function in definitions(ast.parse(text)):
        if answers.isdisjoint(range(function.lineno, function.end_lineno + 1)):
            continue
        for node, new in rewrites(function, answers):
            change = replaced(text, name, node, new)
            if change.text != text and change.text not in seen:
                seen.add(change.text)
                yield change
        yield from wrapped(text, name, function)


def answer_lines(text: str) -> set[int]:
    """The numbers of the lines between the solution markers."""
    inside, found = False, set()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif inside:
            found.add(number)
    return found


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Qualified name and node of every function and method."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


def rewrites(function: ast.FunctionDef, answers: set[int]) -> Iterator[tuple[ast.AST, str]]:
    """Nodes of the answer, and what may stand in their place."""
    open_ = [(function, arguments(function))]
    while open_:
        node, names = open_.pop(0)
        if getattr(node, "lineno", 0) in answers:
            yield from ((node, new) for new in expressions(node, names) if new != written(node))
            yield from ((node, new) for new in statements(node))
            yield from conditions(node)
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            names = arguments(node)
        hidden = (ast.JoinedStr, ast.arguments)  # a message; a signature
        open_ += [(n, names) for n in ast.iter_child_nodes(node) if not isinstance(n, hidden)]


def arguments(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    return [argument.arg for argument in function.args.args]


def expressions(node: ast.AST, names: list[str]) -> Iterator[str]:
    """What may stand in place of an expression. `names` are the arguments of its function."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (written(ast.BinOp(left, new(), right)) for new in OPERATIONS[type(op)])
            if isinstance(op, IN_ORDER):
                yield written(ast.BinOp(right, op, left))
        case ast.Compare(left, [op, *ops], [right, *rights]):
            for new in COMPARISONS[type(op)]:
                yield written(ast.Compare(left, [new(), *ops], [right, *rights]))
        case ast.BoolOp(op, values):
            new = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield written(ast.BoolOp(new, values))
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield written(operand)
        case ast.IfExp(_, body, orelse):
            yield from (written(body), written(orelse))
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value) | float(value)):
            yield from (str(value + 1), str(value - 1))
        case ast.Name(id, ast.Load()) if id in names:
            yield from (other for other in names if other != id)
        case ast.Attribute(value, "T" | "mT" | "copy"):
            yield written(value)
        case ast.Attribute(value, name) if name in MISTAKEN:
            yield written(ast.Attribute(value, MISTAKEN[name]))
        case ast.Name(name) if name in MISTAKEN:
            yield MISTAKEN[name]
        case ast.Tuple([first, second], ast.Load()) if not sliced(node):
            if ast.dump(first) != ast.dump(second):
                yield written(ast.Tuple([second, first]))
        case ast.Subscript(value, ast.Slice(lower, upper, step), ast.Load()):
            for kept in (ast.Slice(None, upper, step), ast.Slice(lower, None, step)):
                yield written(ast.Subscript(value, kept))
        case ast.Call(function, given, keywords):
            yield from calls(function, given, keywords)


def sliced(index: ast.Tuple) -> bool:
    """Whether it is an index with a colon, which cannot stand in parentheses."""
    return any(isinstance(item, ast.Slice) for item in index.elts)


def calls(function: ast.expr, given: list, keywords: list) -> Iterator[str]:
    """A call not made, with an argument left out, or with two exchanged."""
    if isinstance(function, ast.Attribute) and function.attr in ("transpose", "reshape", "astype"):
        yield written(function.value)
    for left_out in keywords:
        kept = [keyword for keyword in keywords if keyword is not left_out]
        yield written(ast.Call(function, given, kept))
    if len(given) > 1:
        first, second, *rest = given
        yield written(ast.Call(function, [second, first, *rest], keywords))
        yield written(ast.Call(function, given[:-1], keywords))


def statements(node: ast.AST) -> Iterator[str]:
    """What may stand in place of a statement: nothing, or an assignment that does not add up."""
    match node:
        case ast.AugAssign(target, op, value):
            yield f"{ast.unparse(target)} = {ast.unparse(value)}"
            for new in OPERATIONS[type(op)]:
                yield ast.unparse(ast.AugAssign(target, new(), value))
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise)):
        yield NOTHING
    if isinstance(node, (ast.Break, ast.Continue)):
        yield NOTHING


def conditions(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Every condition, turned round."""
    tests = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []
    tests += node.ifs if isinstance(node, ast.comprehension) else []
    yield from ((test, f"(not {written(test)})") for test in tests)


def written(node: ast.expr) -> str:
    """An expression as text that can stand anywhere."""
    text = ast.unparse(node)
    return text if isinstance(node, ATOMS) else f"({text})"


def replaced(text: str, name: str, node: ast.AST, new: str) -> Change:
    """The file with `new` in place of `node`."""
    lines = text.splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno - 1
    before = lines[first].encode()[: node.col_offset].decode()  # offsets count bytes of UTF-8
    after = lines[last].encode()[node.end_col_offset :].decode()
    line = before + new + after
    was = one_line("".join(lines[first : last + 1]))
    becomes = f"without {was}" if new == NOTHING else one_line(line)
    changed = "".join([*lines[:first], line, *lines[last + 1 :]])
    return Change(name, node.lineno, was, becomes, changed)


def one_line(code: str) -> str:
    """Code without its comments, which may be reworded, and its indentation."""
    return " ".join(line.split("  # ")[0].strip() for line in code.splitlines())


def wrapped(text: str, name: str, function: ast.FunctionDef) -> Iterator[Change]:
    """The file with the function's result changed: trivial answers, and results a little off."""
    real = "_real(*args, **kwargs)"
    names = list(enumerate(arguments(function)))[name.count(".") :]  # without self
    answers = {f"gives back {argument}": f"args[{i}]" for i, argument in names[:2]}
    answers |= {"gives back None": "None", "gives back 1.0": "1.0"}
    answers |= {"gives back zeros": f"_scaled({real}, 0.0)"}
    answers |= {f"gives back {OFF} times its result": f"_scaled({real}, {OFF})"}
    answers |= {f"has {OFF} times its gradients": f"_steeper({real}, {OFF})"}
    answers |= {f"gives back {ROUNDING} times its result": f"_scaled({real}, {ROUNDING})"}
    for says, result in answers.items():
        changed = text + WRAPPER.format(name=name, result=result)
        right = says.endswith(f"{ROUNDING} times its result")
        yield Change(name, function.lineno, f"def {name}", says, changed, right)
