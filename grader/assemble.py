"""All pieces of a model in one readable file that trains and speaks when it is run.

The array model needs numpy alone; the scalar one, on the student's Value, needs nothing.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from .assembly import GIVEN, Target, is_stub, pieces_of
from .course import Course
from .language import _

SCALAR = ("ex01_tokenizer", "ex02_value", GIVEN)

HEAD = (
    '"""A GPT in one file, {what}: python {name} names.txt trains it on the lines of a file."""\n'
)

ARRAY_MAIN = """
def main(path, steps=1000):
    docs = [line.strip() for line in open(path, encoding="utf-8") if line.strip()]
    tokenizer = CharTokenizer(docs)
    rng = np.random.default_rng(42)
    model = GPT(GPTConfig.microgpt(tokenizer.vocab_size), rng)
    optimizer = AdamW(model.params, lr=0.01, betas=(0.85, 0.99))
    batches = doc_batches(docs, tokenizer, 32, model.config.block_size, rng)
    schedule = lambda step: linear_decay(step, steps, 0.01)
    report = lambda step, loss: print(f"step {step + 1} / {steps}  loss {loss:.4f}", end="\\r")
    train(model, batches, steps, optimizer, schedule, report)
    print()
    for _ in range(20):
        ids = generate(model, [tokenizer.bos], 100, rng, t=0.7, stop=tokenizer.bos)
        print(tokenizer.decode(ids))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
"""

SCALAR_MAIN = """
def main(path, steps=1000):
    rng = random.Random(42)
    docs = [line.strip() for line in open(path, encoding="utf-8") if line.strip()]
    rng.shuffle(docs)
    tokenizer = CharTokenizer(docs)
    params = init_params(tokenizer.vocab_size, rng)
    report = lambda step, loss: print(f"step {step + 1} / {steps}  loss {loss:.4f}", end="\\r")
    train(docs, tokenizer, params, steps, report)
    print()
    for _ in range(20):
        print(sample(tokenizer, params, rng))

if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
"""


class AssembleError(Exception):
    """The files cannot become one; the message says which, where and why."""


@dataclass(frozen=True)
class Part:
    """One file: what it imports from elsewhere, the names it defines, and its body as text."""

    file: str
    imports: tuple[str, ...]
    names: frozenset[str]
    body: str


def assemble(target: Target, course: Course, name: str, scalar: bool = False) -> str:
    """The text of the one file. Raises AssembleError for files that do not parse or clash."""
    ids = SCALAR if scalar else [e.id for e in course.exercises if e.id != "ex02_value"]
    pieces = {exercise.id: pieces_of(exercise) for exercise in course.exercises}
    parts = [part(target, id, pieces.get(id, frozenset())) for id in ids]
    owners: dict[str, str] = {}
    for each in parts:
        for defined in sorted(each.names):
            if defined in owners:
                raise AssembleError(
                    _("{file} and {owners} both define {defined}: rename one of them").format(
                        file=each.file, owners=owners[defined], defined=defined
                    )
                )
            owners[defined] = each.file
    imports = sorted({"import sys"}.union(*(each.imports for each in parts)))
    head = HEAD.format(what="in pure Python" if scalar else "on numpy alone", name=name)
    bodies = [each.body for each in parts]
    if scalar:
        return "\n".join([head, *imports, "", *map(compact, bodies)]) + SCALAR_MAIN
    return "\n".join([head, *imports, "", "", *bodies]) + "\n" + ARRAY_MAIN


def part(target: Target, id: str, pieces: frozenset[str]) -> Part:
    """Read one file: without its lesson, its docstrings, its TODOs and its imports.

    A function that is no piece, and not written, is a challenge that was not taken: left out too.
    """
    source = target.files[id]
    if source.text is None:
        raise AssembleError(source.problem)
    try:
        tree = ast.parse(source.text)
    except SyntaxError as error:
        raise AssembleError(f"{source.shown}:{error.lineno}: {error.msg}") from None
    lines = source.text.splitlines()
    left_out = [node for node in tree.body if is_challenge(node, pieces)]
    tree.body = [node for node in tree.body if node not in left_out]
    dropped = set().union(*map(rows, left_out))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            if len(node.body) == 1:
                raise AssembleError(
                    _("{shown}:{lineno}: {name} is not written yet").format(
                        shown=source.shown, lineno=node.lineno, name=node.name
                    )
                )
            dropped |= rows(node.body[0])
        if isinstance(node, ast.Raise) and is_stub(node):
            raise AssembleError(
                _("{shown}:{lineno}: a piece is not written yet").format(
                    shown=source.shown, lineno=node.lineno
                )
            )
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    mains = [node for node in tree.body if id == GIVEN and is_main(node)]
    for node in imports + mains:
        dropped |= rows(node)
    kept = [
        line
        for number, line in enumerate(lines, 1)
        if number not in dropped and not line.strip().startswith(("# TODO", "### ", "#  "))
    ]
    return Part(
        file=source.shown,
        imports=tuple(ast.unparse(node) for node in imports if not getattr(node, "level", 0)),
        names=frozenset(
            n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))
        ),
        body=spaced(kept),
    )


def rows(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, node.end_lineno + 1))


def is_challenge(node: ast.stmt, pieces: frozenset[str]) -> bool:
    """Whether the statement is a stub that nothing asks for."""
    return isinstance(node, ast.FunctionDef) and node.name not in pieces and is_stub(node)


def is_main(node: ast.stmt) -> bool:
    """Whether the statement is for running the file by itself."""
    return isinstance(node, ast.If) or getattr(node, "name", "") == "main"


def spaced(lines: list[str]) -> str:
    """Two blank lines before what stands at the margin, one elsewhere; none at the ends."""
    text = "\n".join(line.rstrip() for line in lines)
    text = re.sub(r"\n{2,}(?=[ ])", "\n\n", text)
    text = re.sub(r"(?<=:)\n\n", "\n", text)
    return re.sub(r"\n{2,}(?=[^ \n])", "\n\n\n", text).strip("\n") + "\n\n"


def compact(text: str) -> str:
    """No blank line and no line of comment within a definition, one blank line between two."""
    text = re.sub(r"\n *#.*", "", re.sub(r"\n{2,}(?=[ ])", "\n", text))
    return re.sub(r"\n{2,}(?=[^ \n])", "\n\n", text).rstrip() + "\n"
